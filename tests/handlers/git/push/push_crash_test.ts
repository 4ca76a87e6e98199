/**
 * Pushes that end in the middle: killed at each step, a disk that is full, programs that work side by side (git.md §5.6,
 * §6; rows 31, 32, 48, 62). Stock git pushes, and stock git judges.
 *
 * @module
 */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { FLUSH, pktLine } from "../../../../handlers/git/wire/pkt_line.ts";
import { type Output, runProgram, start } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { type TemporaryFolder, temporaryFolder } from "../../../support/temp.ts";
import { joined } from "../client.ts";
import { bytesOf, oidOf, packOf } from "../packs.ts";
import { commit, git, GIT_ENV, lines } from "../repositories.ts";

const needed = needs("git", "linux");
const PROGRAM = new URL("./receive_program.ts", import.meta.url).pathname;

/** How git starts the program that dies at a step. */
function program(step: string, nth = 1, before = ""): string {
  return `${before}${Deno.execPath()} run -A -q --no-check --cached-only ${PROGRAM} ${step} ${nth}`;
}

async function push(work: string, bare: string, receive: string, ...refs: readonly string[]): Promise<Output> {
  return await runProgram("git", ["push", `--receive-pack=${receive}`, bare, ...refs], { cwd: work, env: GIT_ENV });
}

/** A folder with branches, some of them packed, and a working copy that is ahead. */
async function world(folder: TemporaryFolder): Promise<{ work: string; bare: string }> {
  const [work, bare] = [folder.join("work"), folder.join("r.git")];
  await git(".", "init", "-q", "--bare", "--initial-branch=main", bare);
  await git(".", "init", "-q", "--initial-branch=main", work);
  await commit(work, "f", lines(0), 1_700_000_000);
  await git(work, "push", "-q", bare, "main", "main:refs/heads/packed", "main:refs/heads/moved", "main:refs/tags/gone");
  await git(bare, "pack-refs", "--all");
  await git(work, "push", "-q", bare, "main:refs/heads/loose");
  await commit(work, "f", lines(1), 1_700_000_001);
  return { work, bare };
}

const UPDATES = [
  "main",
  "main:refs/heads/moved",
  "main:refs/heads/new/branch",
  ":refs/heads/packed",
  ":refs/tags/gone",
  ":refs/heads/loose",
];

async function refs(bare: string): Promise<string> {
  return await git(bare, "for-each-ref", "--format=%(refname) %(objectname)");
}

/** Nothing of a push is left lying in a folder, and stock git finds it sound. */
async function sound(bare: string): Promise<void> {
  await git(bare, "fsck", "--strict", "--no-dangling");
  const left: string[] = [];
  const look = async (path: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(path)) {
      if (/^tmp_|\.lock$|\.keep$|^refs\.(?:prepare|commit)$|^[0-9a-f]{16}(?:-[0-9]+)?$/.test(name)) left.push(name);
      if (isDirectory) await look(`${path}/${name}`);
    }
  };
  await look(bare);
  deepEqual(left, []);
}

/** Steps of a push in their order, and how often each comes before the one that is killed. */
const STEPS: readonly (readonly [step: string, nth: number, moved: boolean])[] = [
  ["quarantine", 1, false],
  ["receiving", 1, false],
  ["received", 1, false],
  ["indexed", 1, false],
  ["keep", 1, false],
  ["pack renamed", 1, false],
  ["rev renamed", 1, false],
  ["idx renamed", 1, false],
  ["committed", 1, false],
  ["refs.prepare", 1, false],
  ["locked", 1, false],
  ["journal", 1, false],
  ["refs.commit", 1, true],
  ["packed-refs", 1, true],
  ["deleted", 1, true],
  ["deleted", 3, true],
  ["moved", 1, true],
  ["moved", 3, true],
  ["applied", 1, true],
  ["done", 1, true],
];

Deno.test({
  name: "a push that is killed at any step has moved all refs or none, and the next one clears up (row 31)",
  ...needed,
  async fn() {
    for (const [step, nth, moved] of STEPS) {
      const what = `${step} ${nth}`;
      await using folder = await temporaryFolder();
      const { work, bare } = await world(folder);
      const before = await refs(bare);
      const killed = await push(work, bare, program(`'${step}'`, nth), ...UPDATES);
      notEqual(killed.code, 0, what);
      // The step is one that a push comes to: somebody was killed there.
      const [holder, ...others] = [...Deno.readDirSync(`${bare}/alknet/holders`)].map(({ name }) => name);
      deepEqual(others, [], what);
      if (step === "keep") {
        // It says whose it is from its first moment: an empty one would be nobody's, and stay.
        const { ino } = Deno.statSync(`${bare}/alknet/holders/${holder}`);
        const keeps = [...Deno.readDirSync(`${bare}/objects/pack`)].filter(({ name }) => name.endsWith(".keep"));
        deepEqual(keeps.map(({ name }) => Deno.statSync(`${bare}/objects/pack/${name}`).ino), [ino]);
      }
      const head = await git(work, "rev-parse", "main");
      const next = await push(work, bare, program("-"), "main:refs/heads/next");
      equal(next.code, 0, `${what}: ${next.stderr}`);
      const after = (await refs(bare)).split("\n").filter((line) => !line.startsWith("refs/heads/next ")).join("\n");
      const all = ["refs/heads/main", "refs/heads/moved", "refs/heads/new/branch"].map((name) => `${name} ${head}`);
      equal(after, moved ? all.join("\n") : before, what);
      await sound(bare);
      if (moved) {
        const log = (await git(bare, "reflog", "show", "moved")).split("\n");
        equal(log.filter((line) => line.includes("push")).length, 1, what);
        continue;
      }
      const again = await push(work, bare, program("-"), ...UPDATES);
      equal(again.code, 0, `${what}: ${again.stderr}`);
      await sound(bare);
    }
  },
});

Deno.test({
  name: "a disk that is full at any size leaves refs and objects as they were, and says so (row 32)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const { work, bare } = await world(folder);
    await Deno.writeFile(`${work}/large`, crypto.getRandomValues(new Uint8Array(60_000)));
    await commit(work, "g", "g\n", 1_700_000_002);
    const before = await refs(bare);
    const packs = () => [...Deno.readDirSync(`${bare}/objects/pack`)].map(({ name }) => name).sort();
    const held = packs();
    const said = new Set<string>();
    // No file may become larger than so many blocks; the signal for it is not taken.
    for (const blocks of [0, 1, 2, 3, 8, 32, 100]) {
      const limit = `trap '' XFSZ; ulimit -f ${blocks}; `;
      const { code, stderr } = await push(work, bare, program("-", 1, limit), ...UPDATES);
      equal(code, 1, stderr);
      for (const words of stderr.match(/remote unpack failed: [^\n]*|failed to lock/g) ?? []) said.add(words);
      equal(await refs(bare), before);
      deepEqual(packs(), held);
    }
    const gone = await push(work, bare, program("-", 1, "trap '' XFSZ; ulimit -f 0; "), ":refs/heads/loose");
    equal(gone.code, 1);
    match(gone.stderr, /loose \(failed to lock\)/);
    equal(await refs(bare), before);
    ok(said.has("remote unpack failed: disk full"), [...said].join(", "));
    const { code, stderr } = await push(work, bare, program("-"), ...UPDATES);
    equal(code, 0, stderr);
    await sound(bare);
  },
});

Deno.test({
  name: "what a living program has begun is left to it while others push beside it, stock git too (row 62)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const { work, bare } = await world(folder);
    const blob = bytesOf("slow\n");
    const tree = joined([bytesOf("100644 f\0"), Uint8Array.fromHex(oidOf("blob", blob))]);
    const who = "A <a@example.org> 1700000000 +0000";
    const tip = bytesOf(`tree ${oidOf("tree", tree)}\nauthor ${who}\ncommitter ${who}\n\nx\n`);
    const pack = packOf([{ type: 1, data: tip }, { type: 2, data: tree }, { type: 3, data: blob }]);
    const line = `${"0".repeat(40)} ${oidOf("commit", tip)} refs/heads/slow\0 report-status`;
    await using slow = start(Deno.execPath(), [
      "run",
      "-A",
      "-q",
      "--no-check",
      "--cached-only",
      PROGRAM,
      "-",
      "1",
      bare,
    ]);
    await slow.line(/capabilities|refs\/tags\/gone/);
    await slow.write(joined([pktLine(bytesOf(line)), FLUSH, pack.subarray(0, 60)]));
    // Its folder is there once it receives.
    const receiving = () => [...Deno.readDirSync(`${bare}/objects`)].some(({ name }) => name.startsWith("incoming-"));
    while (!receiving()) await new Promise((resolve) => setTimeout(resolve, 10));
    equal((await push(work, bare, program("-"), "main:refs/heads/beside")).code, 0);
    notEqual((await push(work, bare, program("refs.commit"), "main:refs/heads/dead")).code, 0);
    // Stock git knows nothing of the one that died; who of ours comes next brings its push to its end.
    await git(work, "push", "-q", bare, "main:refs/heads/stock");
    equal((await push(work, bare, program("-"), "main:refs/heads/after")).code, 0);
    ok(receiving(), "what the living one receives is there still");
    await slow.write(pack.subarray(60));
    await slow.line(/unpack ok/);
    match(await slow.line(/refs\/heads\/slow/), /ok refs\/heads\/slow/);
    equal((await slow.status).code, 0);
    const names = (await git(bare, "for-each-ref", "--format=%(refname:short)", "refs/heads")).split("\n");
    for (const name of ["after", "beside", "dead", "slow", "stock"]) ok(names.includes(name), name);
    await sound(bare);
  },
});
