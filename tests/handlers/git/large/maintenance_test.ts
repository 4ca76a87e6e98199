/**
 * Maintenance: many packs and loose objects become few packs, nothing is lost, not even when it is killed, and never beside
 * git's own (git.md §5.5; rows 45, 47, 51).
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { hostname } from "node:os";
import { needs } from "../../../support/programs.ts";
import { runProgram, start } from "../../../support/process.ts";
import { type TemporaryFolder, temporaryFolder } from "../../../support/temp.ts";
import { PktReader } from "../../../../handlers/git/wire/pkt_line.ts";
import { fetched, gitNode, joined, READER, request, requestLine } from "../client.ts";
import { closure, objectsOf } from "../histories.ts";
import { commit, contentsOf, git, gitWith, lines, makeRepository } from "../repositories.ts";
import { maintained, packFiles } from "./maintained.ts";

const needed = needs("git", "linux");
const PROGRAM = new URL("maintain_program.ts", import.meta.url).pathname;

/** Packs, a kept one among them, a pack of what no ref reaches, loose objects that refs reach and that none does. */
async function world(folder: TemporaryFolder): Promise<{ work: string; bare: string; adrift: string }> {
  const [work, bare] = [folder.join("work"), folder.join("r.git")];
  await makeRepository(work, bare);
  await git(bare, "config", "receive.unpackLimit", "1");
  for (let i = 0; i < 4; i++) {
    await commit(work, `g${i}`, lines(i), 1_700_003_000 + i);
    await git(work, "push", "-q", bare, "main");
  }
  await git(work, "checkout", "-q", "-b", "adrift");
  await commit(work, "adrift", "adrift\n", 1_700_004_000);
  await git(work, "push", "-q", bare, "adrift", "adrift:refs/notes/kept");
  const adrift = await git(bare, "rev-parse", "adrift");
  await git(bare, "update-ref", "-d", "refs/heads/adrift");
  await git(work, "checkout", "-q", "main");
  await gitWith(bare, "nobody's\n", "hash-object", "-w", "--stdin");
  await git(bare, "multi-pack-index", "write");
  return { work, bare, adrift };
}

async function allObjects(bare: string): Promise<string[]> {
  const text = await git(
    bare,
    "cat-file",
    "--batch-all-objects",
    "--batch-check=%(objectname) %(objecttype) %(objectsize)",
  );
  return text.split("\n").sort();
}

Deno.test({
  name: "maintenance: packs and loose objects become two packs, with every object that was there (rows 47, 51)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const { work, bare, adrift } = await world(folder);
    const [before, contents] = [await allObjects(bare), await contentsOf(bare)];
    const [kept] = packFiles(bare, ".pack");
    await Deno.writeTextFile(`${bare}/objects/pack/${kept.replace(".pack", ".keep")}`, "mine\n");
    equal(await maintained(bare, { full: true }), "repacked");
    const packs = packFiles(bare, ".pack");
    equal(packs.length, 3);
    ok(packs.includes(kept), "what somebody keeps stays");
    deepEqual(packFiles(bare, ".idx").length, 3);
    deepEqual(await allObjects(bare), before);
    deepEqual(await contentsOf(bare), contents);
    match(await git(bare, "count-objects", "-v"), /^count: 1$/m, "of loose ones what no ref reaches stays");
    equal((await runProgram("sh", ["-c", `ls "${bare}" | grep gc.pid`])).stdout, "");
    await git(bare, "fsck", "--strict", "--full");
    for (const name of packs) await git(bare, "verify-pack", `objects/pack/${name}`);
    await Deno.remove(`${bare}/objects/pack/${kept.replace(".pack", ".keep")}`);
    equal(await maintained(bare, { full: true }), "repacked");
    equal(packFiles(bare, ".pack").length, 2);
    // Once more: the same packs come of it, and are not removed as old ones.
    const names = packFiles(bare, ".pack");
    equal(await maintained(bare, { full: true }), "repacked");
    deepEqual(packFiles(bare, ".pack"), names);
    deepEqual(await allObjects(bare), before);
    // Stock git goes on with it.
    await git(bare, "cat-file", "-e", adrift);
    for (
      const args of [["repack", "-adf", "-q"], ["commit-graph", "write", "--reachable"], ["commit-graph", "verify"]]
    ) {
      await git(bare, ...args);
    }
    await git(bare, "gc", "-q", "--prune=now");
    await git(bare, "fsck", "--strict");
    await git(work, "push", "-q", bare, "main:refs/heads/after");
    deepEqual((await contentsOf(bare)).objects, contents.objects);
    equal(await maintained(bare, { full: true }), "repacked");
    deepEqual((await contentsOf(bare)).objects, contents.objects);
  },
});

Deno.test({
  name:
    "maintenance: more than 24 packs, or 500 loose objects that refs reach, are packed; fewer only recorded (row 51)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const [work, bare] = [folder.join("work"), folder.join("r.git")];
    await makeRepository(work, bare);
    await git(bare, "config", "receive.unpackLimit", "1");
    await maintained(bare, { full: true });
    const push = async (i: number) => {
      await git(
        bare,
        "update-ref",
        `refs/heads/b${i}`,
        await gitWith(bare, "x\n", "commit-tree", "main^{tree}", "-p", "main"),
      );
      await git(bare, "repack", "-q", "-d");
      return await maintained(bare);
    };
    const outcomes: string[] = [];
    for (let i = 0; i < 26; i++) {
      await commit(work, "f", `${i}\n`, 1_700_005_000 + i);
      await git(work, "push", "-q", bare, "main");
      outcomes.push(await maintained(bare));
      ok(packFiles(bare, ".pack").length <= 24);
    }
    equal(outcomes.filter((one) => one === "merged").length, 1, outcomes.join());
    equal(outcomes.filter((one) => one === "closure").length, 25, outcomes.join());
    equal(await push(1), "closure");
    // Loose, by fast-import: 501 commits that refs reach.
    const stream = Array.from(
      { length: 501 },
      (_, i) =>
        `commit refs/heads/many\ncommitter A <a@example.org> ${1_700_006_000 + i} +0000\ndata 1\nx\n${
          i === 0 ? "from refs/heads/main^0\n" : ""
        }`,
    ).join("\n");
    await git(bare, "config", "fastimport.unpackLimit", "100000");
    await gitWith(bare, stream + "\n", "fast-import", "--quiet", "--force");
    match(await git(bare, "count-objects", "-v"), /^count: 501$/m);
    equal(await maintained(bare), "repacked");
    match(await git(bare, "count-objects", "-v"), /^count: 0$/m);
    equal(await maintained(bare), "nothing");
    await git(bare, "fsck", "--strict");
  },
});

const STEPS: readonly (readonly [step: string, nth: number])[] = [
  ["gc.pid", 1],
  ["packed", 1],
  ["new pack", 1],
  ["new rev", 1],
  ["new idx", 1],
  ["packed", 2],
  ["new pack", 2],
  ["new idx", 2],
  ["closure", 1],
  ["old idx", 1],
  ["old pack", 1],
  ["old idx", 2],
  ["old rev", 3],
  ["removed", 1],
];

Deno.test({
  name: "maintenance that is killed at any step leaves every object, and the next run clears up (row 51)",
  ...needed,
  async fn() {
    await using made = await temporaryFolder();
    const { bare: model } = await world(made);
    const [before, contents] = [await allObjects(model), await contentsOf(model)];
    for (const [step, nth] of STEPS) {
      const what = `${step} ${nth}`;
      await using folder = await temporaryFolder();
      const bare = folder.join("r.git");
      equal((await runProgram("cp", ["-a", model, bare])).code, 0);
      const args = ["run", "-A", "-q", "--no-check", "--cached-only", PROGRAM, step, `${nth}`, bare];
      const { code } = await runProgram(Deno.execPath(), args);
      ok(code !== 0, what);
      ok([...Deno.readDirSync(`${bare}/alknet/holders`)].length === 1, what);
      await git(bare, "fsck", "--strict", "--full");
      deepEqual(await allObjects(bare), before, what);
      deepEqual(await contentsOf(bare), contents, what);
      // git takes over the lock of one who died.
      if (nth === 1) await git(bare, "gc", "-q", "--prune=never");
      equal(await maintained(bare, { full: true }), "repacked", what);
      deepEqual(await allObjects(bare), before, what);
      await git(bare, "fsck", "--strict", "--full");
      for (const place of ["alknet/tmp", "alknet/holders"]) {
        deepEqual(
          [...Deno.readDirSync(`${bare}/${place}`)].filter(({ name }) => place.endsWith("tmp") || name === ""),
          [],
        );
      }
    }
  },
});

Deno.test({
  name: "maintenance declines while git's is at work, and git's while ours is (rows 47, 48)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const { bare } = await world(folder);
    const before = packFiles(bare, ".pack");
    // Somebody who lives: this process's parent would do as well.
    await using other = start("sleep", ["60"]);
    for (const text of [`${other.pid} ${hostname()}`, "1 elsewhere.example"]) {
      await Deno.writeTextFile(`${bare}/gc.pid`, text);
      equal(await maintained(bare, { full: true }), "locked", text);
      deepEqual(packFiles(bare, ".pack"), before);
    }
    // What was left twelve hours ago, or by who is dead, counts no more.
    await Deno.utime(`${bare}/gc.pid`, new Date(), new Date(Date.now() - 13 * 3_600_000));
    equal(await maintained(bare, { full: true }), "repacked");
    const { stdout: dead } = await runProgram("sh", ["-c", "echo $$"]);
    await Deno.writeTextFile(`${bare}/gc.pid`, `${dead.trim()} ${hostname()}`);
    equal(await maintained(bare, { full: true }), "repacked");
    const said: string[] = [];
    await maintained(bare, {
      full: true,
      onStep: (step) => {
        if (step !== "closure") return;
        const { stderr, code } = new Deno.Command("git", { args: ["gc"], cwd: bare, env: { LC_ALL: "C" } })
          .outputSync();
        said.push(`${code} ${new TextDecoder().decode(stderr)}`);
      },
    });
    match(said.join(), /^128 fatal: gc is already running/);
  },
});

Deno.test({
  name: "a slow clone stays whole while all is packed anew beneath it, by us and by git (row 45)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const { work, bare } = await world(folder);
    const large = crypto.getRandomValues(new Uint8Array(60_000));
    await Deno.writeFile(
      `${work}/large`,
      joined(Array.from({ length: 40 }, (_, i) => large.map((byte) => byte ^ (i * 7)))),
    );
    await commit(work, "beside", "x\n", 1_700_005_000);
    await git(work, "push", "-q", bare, "main");
    const heads = (await git(bare, "for-each-ref", "--format=%(objectname)", "refs/heads", "refs/tags")).split("\n");
    const wants = [...new Set(heads)].map((oid) => `want ${oid}`);
    const expected = [...await closure(bare, heads)].sort();
    let rounds = 0;
    for (const packing of [() => maintained(bare, { full: true }), () => git(bare, "gc", "-q", "--prune=now")]) {
      await using node = gitNode({ root: folder.path });
      await using connection = node.connect(READER);
      const stream = await connection.open(
        joined([requestLine("/r"), request("command=fetch", "0001", ...wants, "ofs-delta", "done", "0000", "0000")]),
      );
      await stream.writable.close().catch(() => {});
      const reader = new PktReader(stream.readable);
      // The pack has begun when its first line is here.
      while (await reader.next() !== "flush");
      const parts: Uint8Array[] = [];
      let begun = false;
      for (let packet = await reader.next(); packet !== undefined; packet = await reader.next()) {
        if (!begun) await packing();
        begun = true;
        if (typeof packet !== "string" && packet[0] === 1) parts.push(packet.subarray(1));
      }
      ok(parts.length > 20, "it was slow");
      deepEqual((await objectsOf(bare, joined(parts))).sort(), expected);
      const clone = folder.join(`clone${rounds++}.pack`);
      await Deno.writeFile(clone, joined(parts));
      await git(folder.path, "index-pack", "--strict", clone);
    }
  },
});

Deno.test({
  name:
    "a node looks after repositories by itself: after a clone and after pushes, and not where it is told not to (§5.5)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const { bare } = await world(folder);
    const wants = async () => [
      ...new Set(
        (await git(bare, "for-each-ref", "--format=want %(objectname)", "refs/heads", "refs/tags")).split("\n"),
      ),
    ];
    const record = () => Deno.stat(`${bare}/alknet/closure`).then(() => true, () => false);
    {
      await using node = gitNode({ root: folder.path });
      await fetched(node, "r", ...await wants(), "ofs-delta", "done");
    }
    equal(await record(), false);
    const held = (await contentsOf(bare)).objects;
    await using node = gitNode({ root: folder.path, maintenance: true });
    await fetched(node, "r", ...await wants(), "ofs-delta", "done");
    // The next clone finds what is being done, or done.
    while (!await record()) await new Promise((resolve) => setTimeout(resolve, 10));
    const { pack } = await fetched(node, "r", ...await wants(), "ofs-delta", "done");
    const sent = await objectsOf(bare, pack);
    equal(new Set(sent).size, sent.length);
    deepEqual((await contentsOf(bare)).objects, held);
  },
});
