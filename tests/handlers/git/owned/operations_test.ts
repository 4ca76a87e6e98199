/**
 * The operations `git/…` beside stock git's own words, with and without the right (git.md §9; row 56).
 *
 * @module
 */
import type { Identity } from "@alknet/core/handler";
import type { JsonObject, JsonValue } from "@alknet/core/operations";
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { needs } from "../../../support/programs.ts";
import { commit, git, makeRepository } from "../repositories.ts";
import { ownedNode, PEOPLE } from "./node.ts";

const needed = needs("git", "linux");
const { "token-ada": ADA, "token-bob": BOB, "token-cy": CY, "token-root": ROOT } = PEOPLE;
const NOBODY: Identity = { id: "nobody", scopes: [], resources: {} };

/** A node whose repository `r` has a history. */
async function historied(options: Parameters<typeof ownedNode>[0] = {}) {
  const node = await ownedNode(options);
  await Deno.remove(node.bare, { recursive: true });
  await Deno.remove(node.work, { recursive: true });
  await makeRepository(node.work, node.bare);
  return node;
}

Deno.test({
  name: "git/log, commit, tree, blob and refs: what git log, diff-tree, ls-tree, cat-file and for-each-ref say",
  ...needed,
  async fn() {
    await using node = await historied();
    const asked = async (operation: string, input: JsonObject) =>
      await node.call(operation, { repo: "r", ...input }, BOB) as Record<string, never>;
    const log = (await git(node.bare, "log", "--format=%H", "main")).split("\n");
    const oids = (answer: { commits?: { oid: string }[] }): string[] => answer.commits!.map(({ oid }) => oid);
    const first = await asked("git/log", { limit: 4 });
    deepEqual([oids(first), first.more], [log.slice(0, 4), true]);
    const rest = await asked("git/log", { after: log[3] });
    deepEqual([oids(rest), rest.more], [log.slice(4), false]);
    const { changes, more, message, parents } = await asked("git/commit", { rev: "main~1" });
    const raw = await git(node.bare, "diff-tree", "-r", "--no-renames", "--name-status", "main~2", "main~1");
    deepEqual(
      (changes as { change: string; path: string }[]).map(({ change, path }) => `${change[0].toUpperCase()}\t${path}`),
      raw.split("\n"),
    );
    deepEqual([more, (parents as string[]).length], [false, 2]);
    match(message, /^Merge branch /);
    const tree = await asked("git/tree", { rev: "main", recursive: true });
    const listed = (await git(node.bare, "-c", "core.quotePath=false", "ls-tree", "-r", "main")).split("\n");
    deepEqual(
      (tree.entries as { mode: string; type: string; oid: string; path: string }[]).map(({ mode, type, oid, path }) =>
        `${mode} ${type} ${oid}\t${path}`
      ),
      listed,
    );
    const folder = await asked("git/tree", { rev: "v1", path: "a folder" });
    equal((folder.entries as unknown[]).length, 3);
    const file: JsonObject = await asked("git/blob", { rev: "main", path: "main" });
    deepEqual(file, {
      oid: await git(node.bare, "rev-parse", "main:main"),
      size: 5,
      encoding: "utf8",
      content: "main\n",
      truncated: false,
    });
    deepEqual(await asked("git/blob", { oid: String(file.oid) }), file);
    const refs = await asked("git/refs", { prefix: "refs/tags/" });
    deepEqual(
      (refs.refs as { name: string; oid: string }[]).map(({ name, oid }) => `${oid} ${name}`),
      (await git(node.bare, "for-each-ref", "--format=%(objectname) %(refname)", "refs/tags")).split("\n"),
    );
    const some = await asked("git/refs", { limit: 2, after: "refs/heads/main" });
    equal((some.refs as { name: string }[])[0].name, "refs/heads/side/日本");
    deepEqual(some.more, true);
    deepEqual(await node.call("git/repos", null, BOB), [{
      name: "r",
      description: "",
      head: "main",
      public: false,
      right: "read",
      bytes: (await Deno.stat(
        `${node.bare}/objects/pack/${
          [...Deno.readDirSync(`${node.bare}/objects/pack`)].find(({ name }) => name.endsWith(".pack"))!.name
        }`,
      )).size,
    }]);
  },
});

Deno.test({
  name: "git/blob: bytes that are no text in base64; of a large file its first MiB, no character cut",
  ...needed,
  async fn() {
    await using node = await ownedNode();
    const large = "é".repeat(600_000);
    await commit(node.work, "large", `x${large}`, 1_700_000_010);
    await Deno.writeFile(`${node.work}/bytes`, Uint8Array.of(0xff, 0, 1));
    await commit(node.work, "g", "g", 1_700_000_011);
    await git(node.work, "push", "-q", node.bare, "main");
    const asked = async (path: string) => await node.call("git/blob", { repo: "r", path }, BOB) as JsonObject;
    const { size, content, truncated, encoding } = await asked("large");
    deepEqual([size, truncated, encoding], [1_200_001, true, "utf8"]);
    equal(content, `x${"é".repeat(1024 * 512 - 1)}`);
    deepEqual(await asked("bytes"), {
      oid: await git(node.work, "rev-parse", "main:bytes"),
      size: 3,
      encoding: "base64",
      content: "/wAB",
      truncated: false,
    });
  },
});

Deno.test({
  name: "git/…: who has no right is told what is told of what is not there; what no shown ref reaches is not there",
  ...needed,
  async fn() {
    await using node = await historied();
    const lost = await git(node.bare, "commit-tree", "-m", "lost", "main^{tree}");
    await git(node.bare, "update-ref", "refs/secret/x", await git(node.bare, "commit-tree", "-m", "h", "main^{tree}"));
    await git(node.bare, "config", "transfer.hideRefs", "refs/secret");
    const secret = await git(node.bare, "rev-parse", "refs/secret/x");
    const inputs: [operation: string, input: JsonObject][] = [
      ["git/refs", {}],
      ["git/log", {}],
      ["git/commit", {}],
      ["git/tree", {}],
      ["git/blob", { path: "main" }],
      ["git/update-refs", { updates: [{ name: "refs/heads/x", new: lost }] }],
      ["git/settings", {}],
      ["git/remove", {}],
      ["git/maintain", {}],
      ["git/stats", {}],
    ];
    const failure = async (operation: string, input: JsonValue, who: Identity | undefined) => {
      const error = await node.call(operation, input, who).then(() => undefined, (error) => error);
      return `${error?.code}: ${error?.message}`;
    };
    for (const [operation, input] of inputs) {
      for (const who of [undefined, NOBODY, CY]) {
        equal(
          await failure(operation, { repo: "r", ...input }, who),
          'NO_SUCH_REPOSITORY: there is no repository "r"',
          operation,
        );
        match(await failure(operation, { repo: "../r", ...input }, ROOT), /^NO_SUCH_REPOSITORY/);
      }
    }
    for (const operation of ["git/settings", "git/remove", "git/maintain", "git/stats"]) {
      match(await failure(operation, { repo: "r" }, ADA), /^FORBIDDEN: no right to admin in r$/);
    }
    match(
      await failure("git/update-refs", { repo: "r", updates: [{ name: "refs/heads/x", new: null }] }, BOB),
      /FORBIDDEN/,
    );
    match(await failure("git/create", { repo: "mine" }, BOB), /^FORBIDDEN/);
    for (const rev of [lost, lost.slice(0, 8), secret, `${secret}~1`, "refs/secret/x"]) {
      match(await failure("git/commit", { repo: "r", rev }, BOB), /^NO_SUCH_REVISION/, rev);
    }
    deepEqual(await node.call("git/repos", {}, NOBODY), []);
    match(await failure("git/blob", { repo: "r", path: "nothing" }, BOB), /^NO_SUCH_PATH/);
    match(await failure("git/blob", { repo: "r", oid: lost, path: "x" }, BOB), /^INVALID_INPUT/);
  },
});

Deno.test({
  name: "git/update-refs: moves as a push would: old values, protection, hooks, atomically unless told otherwise",
  ...needed,
  async fn() {
    await using node = await historied({
      hooks: { update: (_, ref) => Promise.resolve(ref.endsWith("/no") ? "no" : undefined) },
    });
    const [tip, before] = [await git(node.bare, "rev-parse", "main"), await git(node.bare, "rev-parse", "main~1")];
    const move = async (updates: JsonValue, atomic?: boolean) =>
      await node.call("git/update-refs", { repo: "r", updates, ...(atomic !== undefined && { atomic }) }, ADA);
    deepEqual(await move([{ name: "refs/heads/new", old: null, new: before }]), [{ name: "refs/heads/new" }]);
    deepEqual(await move([{ name: "refs/heads/new", new: tip }, { name: "refs/tags/t", new: before }]), [
      { name: "refs/heads/new" },
      { name: "refs/tags/t" },
    ]);
    equal(await git(node.bare, "rev-parse", "new"), tip);
    deepEqual(await move([{ name: "refs/heads/new", old: before, new: null }, { name: "refs/heads/a", new: tip }]), [
      { name: "refs/heads/new", refused: "stale info" },
      { name: "refs/heads/a", refused: "atomic push failure" },
    ]);
    const mixed = [
      { name: "refs/heads/main", new: before },
      { name: "refs/heads/no", new: tip },
      { name: "refs/heads/bad name", new: tip },
      { name: "refs/heads/missing", new: "12".repeat(20) },
      { name: "refs/heads/tree", new: await git(node.bare, "rev-parse", "main^{tree}") },
      { name: "refs/heads/a", new: tip },
    ];
    deepEqual((await move(mixed, false) as JsonObject[]).map(({ refused }) => refused ?? "ok"), [
      "protected",
      "hook declined",
      "funny refname",
      "missing necessary objects",
      "not a commit",
      "ok",
    ]);
    match(await Deno.readTextFile(`${node.bare}/logs/refs/heads/a`), / ada <> /);
    await rejects(move([{ name: "refs/heads/b", new: tip }, { name: "refs/heads/b", new: null }]), {
      code: "REF_CONFLICT",
    });
    await git(node.bare, "config", "alknet.requireSigned", "true");
    deepEqual(await move([{ name: "refs/heads/b", new: tip }]), [
      { name: "refs/heads/b", refused: "signature required" },
    ]);
    await git(node.bare, "fsck", "--strict");
  },
});

Deno.test({
  name: "git/create, settings, stats, maintain and remove: what owners do, and the folder says so",
  ...needed,
  async fn() {
    await using node = await ownedNode();
    deepEqual(await node.call("git/create", { repo: "team/x", description: "mine", head: "trunk" }, CY), {
      name: "team/x",
      urls: ["https://n.example/team/x"],
    });
    const bare = `${node.folder}/git/team/x.git`;
    equal(await git(bare, "symbolic-ref", "HEAD"), "refs/heads/trunk");
    const again = await node.call("git/create", { repo: "team/x" }, CY).catch((error) => error);
    deepEqual([again.code, again.message], ["REPOSITORY_EXISTS", "there is a repository of that name"]);
    await rejects(node.call("git/create", { repo: "a/../b" }, CY), { code: "INVALID_NAME" });
    const set = { description: "ours", public: true, protected: ["refs/heads/x"], quota: 1000 };
    deepEqual(await node.call("git/settings", { repo: "team/x", set }, CY), {
      name: "team/x",
      ...set,
      owner: "cy",
      requireSigned: false,
    });
    equal(await git(bare, "config", "alknet.description"), "ours");
    // Public: now whoever is known reads it.
    equal((await node.call("git/refs", { repo: "team/x" }, NOBODY) as JsonObject).more, false);
    const back = await node.call("git/settings", { repo: "team/x", set: { quota: null } }, CY) as JsonObject;
    equal(back.quota, 10 * 1024 ** 3);
    await rejects(node.call("git/settings", { repo: "team/x", set: { protected: ["main"] } }, CY), {
      code: "INVALID_SETTING",
    });
    await git(node.work, "push", "-q", node.bare, "main");
    const stats = await node.call("git/stats", { repo: "r" }, ROOT) as JsonObject;
    deepEqual([stats.refs, stats.closure, stats.packs, Number(stats.objects) > 0], [1, false, 0, true]);
    const upkeep = await node.call("git/maintain", { repo: "r", full: true }, ROOT) as JsonObject;
    deepEqual([upkeep.packs, upkeep.loose, upkeep.closure, typeof upkeep.ms], [1, 0, true, "number"]);
    const removed = await node.call("git/remove", { repo: "team/x" }, CY) as JsonObject;
    equal(removed.removed, "team/x");
    ok(Date.parse(String(removed.until)) > Date.now() + 13 * 86_400_000);
    await rejects(node.call("git/refs", { repo: "team/x" }, ROOT), { code: "NO_SUCH_REPOSITORY" });
    equal((await node.call("git/create", { repo: "team/x" }, ROOT) as JsonObject).name, "team/x");
  },
});

Deno.test({
  name: "git/push: fifty pushes reach one who takes none until all are done, in order, and no push waits (row 55)",
  ...needed,
  async fn() {
    await using node = await ownedNode();
    await git(node.work, "push", "-q", node.bare, "main");
    const tip = await git(node.work, "rev-parse", "main");
    await git(node.bare, "config", "transfer.hideRefs", "refs/secret");
    const subscribe = (input: JsonValue, identity?: Identity) =>
      node.dispatcher.subscribe({ operation: "git/push", input, identity });
    const slow = subscribe({ repo: "r", refs: ["refs/heads/b*"] }, BOB);
    const all = subscribe(null, BOB);
    const stranger = subscribe(null, NOBODY);
    const [first, other] = [slow.next(), all.next()];
    let strangers = 0;
    stranger.next().then(({ done }) => strangers += done ? 0 : 1, () => {});
    await rejects(subscribe({ repo: "r" }, NOBODY).next(), { code: "NO_SUCH_REPOSITORY" });
    const stock = await node.stock("push", "-o", "x", node.url("r"), "main:refs/heads/b/0", "main:refs/heads/b0");
    match(stock.stderr, /D\/F conflict|new branch/);
    const names = Array.from({ length: 50 }, (_, i) => `refs/heads/b${i + 100}`);
    await node.call("git/update-refs", { repo: "r", updates: [{ name: "refs/secret/a", new: tip }] }, ADA);
    // As many at once as one may have.
    for (let at = 0; at < names.length; at += 8) {
      await Promise.all(
        names.slice(at, at + 8).map(async (name) => {
          deepEqual(await node.call("git/update-refs", { repo: "r", updates: [{ name, new: tip }] }, ROOT), [{ name }]);
        }),
      );
    }
    const seen: string[] = [];
    const firstEvent = (await first).value as JsonObject;
    deepEqual([firstEvent.identity, firstEvent.options, firstEvent.repo], ["ada", ["x"], "r"]);
    while (seen.length < names.length) {
      const { updates, identity } = (await slow.next()).value as { updates: { name: string }[]; identity: string };
      equal(identity, "root");
      seen.push(...updates.map(({ name }) => name));
    }
    deepEqual(seen.toSorted(), names);
    const journal = await Promise.all(
      names.map(async (name) => ({ name, at: (await Deno.stat(`${node.bare}/logs/${name}`)).mtime!.getTime() })),
    );
    const times = new Map(journal.map(({ name, at }) => [name, at]));
    for (let i = 1; i < seen.length; i++) {
      ok(times.get(seen[i - 1])! <= times.get(seen[i])!, `${seen[i - 1]} ${seen[i]}`);
    }
    const { value } = await other;
    ok(!JSON.stringify(value).includes("secret"));
    equal(strangers, 0);
    for (const one of [slow, all, stranger]) await one.return?.();
  },
});
