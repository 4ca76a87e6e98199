/**
 * What a push may move: settings of the repository, histories, and time (git.md §6, §7, §11; rows 19, 29, 58, 59).
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { AlknetError, type Identity } from "@alknet/core/handler";
import type { PushSettings, RefSnapshot } from "../../../../handlers/git/mod.ts";
import { isProtected, refusals } from "../../../../handlers/git/serve/push/policy.ts";
import { formatJournal, parseJournal, reflogText } from "../../../../handlers/git/store/folder/journal.ts";
import { readSettings } from "../../../../handlers/git/store/folder/repository.ts";
import { FLUSH, pktLine, PktReader } from "../../../../handlers/git/wire/pkt_line.ts";
import { readPushRequest } from "../../../../handlers/git/wire/push_request.ts";
import { descriptors } from "../../../support/proc.ts";
import { needs } from "../../../support/programs.ts";
import { seeded } from "../../../support/random.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { answers, gitNode, joined, requestLine, textOf } from "../client.ts";
import { bytesOf, indexed, packOf } from "../packs.ts";
import { commit, git, gitWith, lines, makeRepository } from "../repositories.ts";

const needed = needs("git", "linux");
const WRITER: Identity = { id: "writer", scopes: ["git:write"], resources: {} };
const ZERO = "0".repeat(40);
const [A, B] = ["1".repeat(40), "2".repeat(40)];

const SETTINGS: PushSettings = {
  hidden: [],
  protected: ["HEAD"],
  checkedOut: [],
  denyNonFastForwards: false,
  denyDeletes: false,
  denyDeleteCurrent: true,
  requireSigned: false,
  fsckObjects: true,
  fsck: {},
};

function snapshot(...names: readonly string[]): RefSnapshot {
  const refs = names.map((name) => ({ name, oid: A }));
  return {
    head: { symref: "refs/heads/main", oid: A },
    get: (name) => refs.find((ref) => ref.name === name),
    list: () => refs,
  };
}

Deno.test("isProtected(): the last pattern that fits, HEAD, one part for a star, ! takes away (§6)", () => {
  const is = (name: string, ...patterns: string[]) => isProtected(name, patterns, snapshot());
  ok(is("refs/heads/main", "HEAD"));
  ok(!is("refs/heads/other", "HEAD"));
  ok(!is("refs/heads/main", "HEAD", "!HEAD"));
  ok(!is("refs/heads/main", "HEAD", "!refs/heads/main"));
  ok(is("refs/heads/r/1", "refs/heads/r/*"));
  ok(!is("refs/heads/r/1/2", "refs/heads/r/*"));
  ok(is("refs/heads/r/1/2", "refs/heads/r/*/*"));
  ok(!is("refs/heads/r", "refs/heads/r/*"));
  ok(!is("refs/heads/rx1", "refs/heads/r.1"));
  ok(is("refs/tags/v1", "refs/tags/*", "!refs/heads/*"));
  ok(is("refs/tags/v1", "!refs/tags/v1", "refs/tags/v*"));
});

Deno.test("refusals(): D/F conflicts count what the same push deletes, stale information comes before (§6)", () => {
  const judged = (
    refs: RefSnapshot,
    settings: Partial<PushSettings>,
    ...moves: [string, string | null, string | null][]
  ) =>
    [...refusals(moves.map(([name, old, new_]) => ({ name, old, new: new_ })), { ...SETTINGS, ...settings }, refs)]
      .map(([name, { reason }]) => `${name.slice("refs/heads/".length)}: ${reason}`);
  const a = snapshot("refs/heads/a", "refs/heads/main");
  deepEqual(judged(a, {}, ["refs/heads/a/b", null, B]), ["a/b: D/F conflict"]);
  deepEqual(judged(a, {}, ["refs/heads/a/b", null, B], ["refs/heads/a", A, null]), []);
  deepEqual(judged(a, {}, ["refs/heads/a/b", null, B], ["refs/heads/a", B, null]), ["a: stale info"]);
  deepEqual(judged(snapshot("refs/heads/a/b"), {}, ["refs/heads/a", null, B]), ["a: D/F conflict"]);
  deepEqual(judged(snapshot(), {}, ["refs/heads/x", null, B], ["refs/heads/x/y", null, B]), [
    "x: D/F conflict",
    "x/y: D/F conflict",
  ]);
  deepEqual(judged(a, {}, ["refs/heads/a", null, B]), ["a: stale info"]);
  deepEqual(judged(a, {}, ["refs/heads/none", A, null]), ["none: stale info"]);
  deepEqual(judged(a, {}, ["refs/heads/none", null, null]), []);
  deepEqual(judged(a, {}, ["refs/heads/main", A, null]), ["main: protected"]);
  deepEqual(judged(a, { protected: [] }, ["refs/heads/main", A, null]), ["main: deletion prohibited"]);
  deepEqual(judged(a, { protected: [], denyDeleteCurrent: false }, ["refs/heads/main", A, null]), []);
  deepEqual(judged(a, { denyDeletes: true }, ["refs/heads/a", A, null]), ["a: deletion prohibited"]);
  deepEqual(judged(a, { checkedOut: ["refs/heads/a"] }, ["refs/heads/a", A, B]), [
    "a: branch is currently checked out",
  ]);
});

Deno.test({
  name: "readSettings(): what the config says of pushes, and branches that working trees have (§6)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const [work, bare] = [folder.join("work"), folder.join("bare.git")];
    await git(".", "init", "-q", "--initial-branch=trunk", work);
    await git(".", "init", "-q", "--bare", bare);
    deepEqual({ ...readSettings(bare).push, maxInputSize: 1, quota: 1 }, { ...SETTINGS, maxInputSize: 1, quota: 1 });
    const set = async (key: string, value: string) => await git(bare, "config", "--add", key, value);
    await set("alknet.quota", "3m");
    await set("receive.maxInputSize", "2k");
    await set("alknet.protected", "refs/heads/a");
    await set("alknet.protected", "!HEAD");
    await set("receive.hideRefs", "refs/a");
    await set("transfer.hideRefs", "refs/b");
    await set("receive.fsck.zeroPaddedDate", "error");
    await set("receive.fsck.hasDotgit", "ignore");
    await set("receive.fsck.nonsense", "error");
    await set("transfer.fsckObjects", "false");
    await set("receive.denyDeleteCurrent", "warn");
    await set("alknet.requireSigned", "yes");
    deepEqual(readSettings(bare).push, {
      hidden: ["refs/b", "refs/a"],
      protected: ["HEAD", "refs/heads/a", "!HEAD"],
      checkedOut: [],
      denyNonFastForwards: false,
      denyDeletes: false,
      denyDeleteCurrent: false,
      maxInputSize: 2048,
      quota: 3 * 1024 * 1024,
      requireSigned: true,
      fsckObjects: false,
      fsck: { zeropaddeddate: "error", hasdotgit: "ignore" },
    });
    await commit(work, "f", "f\n", 1_700_000_000);
    await git(work, "worktree", "add", "-q", folder.join("tree"), "-b", "beside");
    deepEqual(readSettings(`${work}/.git`).push.checkedOut, ["refs/heads/trunk", "refs/heads/beside"]);
    await git(work, "config", "receive.denyCurrentBranch", "ignore");
    deepEqual(readSettings(`${work}/.git`).push.checkedOut, []);
  },
});

/** What a node says of a push: the report's lines, without side band. */
async function pushed(
  node: ReturnType<typeof gitNode>,
  pack: Uint8Array,
  ...updates: readonly string[]
): Promise<string[]> {
  const parts = updates.map((update, i) => pktLine(bytesOf(i === 0 ? `${update}\0 report-status` : update)));
  const packets = await answers(
    node,
    joined([requestLine("/r", 0, "git-receive-pack"), ...parts, FLUSH, pack]),
    WRITER,
  );
  return textOf(packets.slice(packets.indexOf("flush") + 1));
}

Deno.test({
  name: "a fast-forward is one whatever the clocks said, and what is none is refused where it is protected (row 19)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const bare = folder.join("r.git");
    await git(".", "init", "-q", "--bare", "--initial-branch=main", bare);
    const tree = await gitWith(bare, "", "mktree");
    let last = "";
    const commits: string[] = [];
    for (const seconds of [1_700_000_000, 1_600_000_000, 1_750_000_000, 1_500_000_000, 1_500_000_001, 1_800_000_000]) {
      const who = `A <a@example.org> ${seconds} +0000`;
      const text = `tree ${tree}\n${last && `parent ${last}\n`}author ${who}\ncommitter ${who}\n\nx\n`;
      last = await gitWith(bare, text, "hash-object", "-t", "commit", "-w", "--stdin");
      commits.push(last);
    }
    await using node = gitNode({ root: folder.path });
    let at = commits[0];
    deepEqual((await pushed(node, packOf([]), `${ZERO} ${at} refs/heads/main`))[1], "ok refs/heads/main");
    for (const next of commits.slice(1)) {
      equal((await pushed(node, packOf([]), `${next} ${at} refs/heads/main`))[1], "ng refs/heads/main stale info");
      equal((await pushed(node, packOf([]), `${at} ${next} refs/heads/main`))[1], "ok refs/heads/main");
      equal((await pushed(node, packOf([]), `${next} ${at} refs/heads/main`))[1], "ng refs/heads/main protected");
      at = next;
    }
    equal((await git(bare, "reflog", "show", "main")).split("\n").length, commits.length);
  },
});

Deno.test({
  name: "a working copy that is served: its checked-out branch stays, others move (§7)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const work = folder.join("work");
    await git(".", "init", "-q", "--initial-branch=main", work);
    await commit(work, "f", lines(0), 1_700_000_000);
    const head = await git(work, "rev-parse", "main");
    await using node = gitNode({ root: folder.join("none"), repositories: { r: work } });
    equal(
      (await pushed(node, packOf([]), `${head} ${head} refs/heads/main`))[1],
      "ng refs/heads/main branch is currently checked out",
    );
    equal((await pushed(node, packOf([]), `${ZERO} ${head} refs/heads/other`))[1], "ok refs/heads/other");
    equal(await git(work, "rev-parse", "other"), head);
  },
});

Deno.test({
  name: "a push that takes longer than it may is out of time; a client that stops in its pack is cut (§11, row 58)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const bare = folder.join("r.git");
    await git(".", "init", "-q", "--bare", bare);
    const pack = packOf([{ type: 3, data: bytesOf("a blob that is nowhere used\n") }]);
    const line = pktLine(bytesOf(`${ZERO} ${A} refs/heads/a\0 report-status`));
    const sent = joined([requestLine("/r", 0, "git-receive-pack"), line, FLUSH, pack.subarray(0, 20)]);
    const told = async (limits: Record<string, number>) => {
      await using node = gitNode({ root: folder.path, limits });
      await using connection = node.connect(WRITER);
      const stream = await connection.open(sent);
      const reader = new PktReader(stream.readable);
      const said: string[] = [];
      try {
        for (let next = await reader.next(); next !== undefined; next = await reader.next()) {
          said.push(...textOf([next]));
        }
      } catch (error) {
        said.push(`cut: ${(error as { code?: string }).code ?? (error as Error).name}`);
      }
      return said.slice(said.indexOf("flush") + 1);
    };
    deepEqual(await told({ pushTime: 50, transferStall: 3000 }), [
      "unpack out of time",
      "ng refs/heads/a unpacker error",
      "flush",
    ]);
    match((await told({ transferStall: 50 })).join(), /^cut: /);
    deepEqual([...Deno.readDirSync(`${bare}/objects`)].map(({ name }) => name).sort(), ["info", "pack"]);
  },
});

Deno.test("journals: what is nearly one is none, and a name in the reflog has no line end (§6)", () => {
  const journal = {
    holder: "5f0c1e9a3b7d2468",
    by: "laptop <> 1700000000 +0000\tpush",
    moves: [{ name: "refs/heads/main", old: A, new: B }],
  };
  const text = formatJournal(journal);
  equal(text.split("\n")[0], "alknet-refs 1");
  deepEqual(parseJournal(text), journal);
  const random = seeded("git journals");
  for (let round = 0; round < 3000; round++) {
    const changed = new TextDecoder().decode(random.mutate(bytesOf(text)));
    if (changed !== text) equal(parseJournal(changed), undefined, changed);
  }
  match(reflogText("a\nb <c>\x1b"), /^ab c <> \d+ \+0000\tpush$/);
});

Deno.test({
  name: "pushes that are nearly git's end, move nothing that is not whole, and the node serves on (row 59)",
  ...needed,
  async fn() {
    const random = seeded("git pushes");
    await using folder = await temporaryFolder();
    const bare = folder.join("r.git");
    await makeRepository(folder.join("work"), folder.join("other.git"));
    await git(".", "init", "-q", "--bare", "--initial-branch=main", bare);
    const head = await git(folder.join("other.git"), "rev-parse", "main");
    const { stdout: pack } = await new Deno.Command("git", {
      args: ["pack-objects", "--stdout", "--all", "-q", "--delta-base-offset"],
      cwd: folder.join("other.git"),
      stdin: "null",
    }).output();
    const line = pktLine(bytesOf(`${ZERO} ${head} refs/heads/main\0 report-status side-band-64k atomic`));
    const request = joined([line, pktLine(`${ZERO} ${head} refs/heads/other`), FLUSH]);
    for (let round = 0; round < 3000; round++) {
      try {
        const reader = new PktReader(ReadableStream.from([random.mutate(request)]));
        await readPushRequest(reader, { commands: 10, bytes: 10_000, pushOptions: 2, optionBytes: 10, signed: true });
      } catch (error) {
        ok(error instanceof AlknetError, (error as Error).stack);
      }
    }
    for (let round = 0; round < 300; round++) {
      try {
        await indexed(folder.join(`p${round}`), random.mutate(pack), { piece: 4096 });
      } catch (error) {
        ok(error instanceof AlknetError, (error as Error).stack);
      }
    }
    const before = descriptors(Deno.pid);
    await using node = gitNode({ root: folder.path });
    const first = requestLine("/r", 0, "git-receive-pack");
    for (let round = 0; round < 150; round++) {
      await answers(node, joined([first, random.mutate(joined([request, pack]))]), WRITER);
    }
    equal(descriptors(Deno.pid), before);
    await git(bare, "fsck", "--strict", "--no-dangling");
    equal(
      (await pushed(node, pack, `${ZERO} ${head} refs/heads/whole`)).slice(0, 2).join(),
      "unpack ok,ok refs/heads/whole",
    );
    deepEqual([...Deno.readDirSync(`${bare}/alknet/tmp`)], []);
  },
});
