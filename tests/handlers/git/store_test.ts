/**
 * Folders as stock git makes them: settings, hidden refs, what is not opened, what stock git does meanwhile; and rights
 * (git.md §6, §7; rows 47, 49).
 *
 * @module
 */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import type { Identity } from "@alknet/core/handler";
import { git as gitOf, rightOf } from "../../../handlers/git/mod.ts";
import { GitConfig } from "../../../handlers/git/store/folder/git_config.ts";
import { needs } from "../../support/programs.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { answers, fetched, gitNode, joined, READER, request, requestLine, textOf } from "./client.ts";
import { commit, git, makeRepository } from "./repositories.ts";

const needed = needs("git", "linux");

Deno.test("rightOf(): the highest of owner, scopes, resources and public (§7)", () => {
  const right = (name: string, identity: Partial<Identity> | undefined, settings = {}, anonymous = false) =>
    rightOf(name, { public: false, ...settings }, {
      identity: identity && { id: "a", scopes: [], resources: {}, ...identity },
      anonymous,
    });
  equal(right("r", undefined), "none");
  equal(right("r", undefined, { public: true }), "none");
  equal(right("r", undefined, { public: true }, true), "read");
  equal(right("r", undefined, {}, true), "none");
  equal(right("r", {}), "none");
  equal(right("r", {}, { public: true }), "read");
  equal(right("r", {}, { owner: "a" }), "admin");
  equal(right("r", {}, { owner: "b" }), "none");
  equal(right("r", { scopes: ["admin"] }), "admin");
  equal(right("r", { scopes: ["git:read", "git:write:r"] }), "write");
  equal(right("other", { scopes: ["git:read", "git:write:r"] }), "read");
  equal(right("team/r", { scopes: ["git:write:team/*"] }), "write");
  equal(right("teams/r", { scopes: ["git:write:team/*"] }), "none");
  equal(right("team", { scopes: ["git:write:team/*"] }), "none");
  equal(right("r", { scopes: ["git:readers", "git:read:", "git:read:R"] }), "none");
  equal(right("r", { resources: { "git/r": ["read"], git: ["write"] } }), "write");
  equal(right("r", { resources: { "git/s": ["read"], git: ["reads"] } }), "none");
});

Deno.test({
  name: "GitConfig: what stock git reads of the same file",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const text = '[core] bare = true\n[Alknet]\n\tpublic\n\tdescription = "a \\"b\\" # c" d ; e\n\towner = x\\\n  y\n' +
      '[remote "A \\"B"]\n\turl = a\n\turl = "b "\n[transfer]\n hideRefs = refs/a\n hideRefs = !refs/a/b # c\n';
    const file = await folder.write("config", text);
    const config = new GitConfig(text);
    const judge = async (key: string) =>
      (await git(folder.path, "config", "--file", file, "-z", "--get-all", key)).split("\0").slice(0, -1);
    for (const key of ["alknet.description", "alknet.owner", 'remote.A "B.url', "transfer.hiderefs", "core.bare"]) {
      deepEqual(config.all(key), await judge(key), key);
    }
    ok(config.is("alknet.public") && config.is("core.bare"));
  },
});

Deno.test({
  name: "hidden refs are neither listed nor fetched (§6, §7)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const [work, bare] = [folder.join("work"), folder.join("r.git")];
    await makeRepository(work, bare);
    await commit(work, "secret", "secret\n", 1_700_002_000);
    await git(work, "push", "-q", bare, "HEAD:refs/secret/a", "HEAD:refs/secret/open");
    const oid = await git(bare, "rev-parse", "refs/secret/a");
    await using node = gitNode({ root: folder.path });
    const names = async () => {
      const sent = joined([
        requestLine("/r"),
        request("command=ls-refs", "0001", "ref-prefix refs/secret", "0000", "0000"),
      ]);
      return textOf(await answers(node, sent, READER)).filter((line) => line.startsWith(oid)).map((line) =>
        line.slice(41)
      );
    };
    deepEqual(await names(), ["refs/secret/a", "refs/secret/open"]);
    await git(bare, "config", "transfer.hideRefs", "refs/secret");
    await git(bare, "config", "--add", "transfer.hideRefs", "!refs/secret/open");
    deepEqual(await names(), ["refs/secret/open"]);
    await git(bare, "config", "uploadpack.hideRefs", "refs/secret");
    deepEqual(await names(), []);
    match((await fetched(node, "r", `want ${oid}`, "done")).lines.join(), /^ERR upload-pack: not our ref/);
  },
});

Deno.test({
  name: "folders that cannot be served are not opened: SHA-256, alternates, shallow, none (row 49)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    await makeRepository(folder.join("work"), folder.join("r.git"));
    await git(folder.path, "init", "-q", "--bare", "--object-format=sha256", "sha.git");
    await git(folder.path, "clone", "-q", "--bare", "--shared", "r.git", "borrows.git");
    await git(folder.path, "clone", "-q", "--bare", "--depth=1", `file://${folder.join("r.git")}`, "shallow.git");
    await Deno.mkdir(folder.join("none.git"));
    const { repositories } = gitOf({ root: folder.path });
    for (const [name, says] of [["sha", /objectformat/], ["borrows", /alternates/], ["shallow", /shallow/]] as const) {
      await rejects(repositories.open(name), (error: Error & { code?: string }) => {
        equal(error.code, "GIT_UNSUPPORTED");
        match(error.message, says);
        return true;
      });
    }
    for (const name of ["none", "nowhere", "r.git", "../r", "work"]) {
      equal(await repositories.open(name), undefined, name);
    }
    deepEqual(await repositories.list(), ["borrows", "r", "sha", "shallow"]);
    using opened = await repositories.open("r");
    equal(opened?.settings.public, false);
    await using node = gitNode({ root: folder.path });
    for (const name of ["sha", "borrows", "shallow"]) {
      match(textOf(await answers(node, requestLine(`/${name}`), READER)).join(), /^ERR access denied/);
    }
  },
});

Deno.test({
  name: "a repository that is open sees what stock git packs, prunes and adds meanwhile (row 47)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const [work, bare] = [folder.join("work"), folder.join("r.git")];
    await makeRepository(work, bare);
    await using node = gitNode({ root: folder.path });
    using opened = await node.served.repositories.open("r");
    const { objects, refs } = opened!;
    const loose = await git(bare, "rev-parse", "main");
    equal((await objects.info(loose))?.kind, "commit");
    await git(bare, "repack", "-a", "-d", "-q");
    await git(bare, "prune-packed");
    equal((await objects.info(loose))?.kind, "commit", "packed since");
    equal((await objects.read(await git(bare, "rev-parse", "v1")))?.kind, "tag", "in a pack that is gone");
    await commit(work, "later", "later\n", 1_700_003_000);
    await git(work, "push", "-q", bare, "main");
    await git(bare, "repack", "-d", "-q");
    const later = await git(bare, "rev-parse", "main");
    equal((await refs.snapshot()).get("refs/heads/main")?.oid, later);
    ok((await fetched(node, "r", `want ${later}`, "done")).pack.byteLength > 0);
    equal(await objects.info("1".repeat(40)), undefined);
  },
});
