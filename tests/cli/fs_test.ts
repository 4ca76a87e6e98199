/**
 * `alknet fs`: branches on the command line, of the home's own store and of another node (fs.md §8, §11 rows 45, 51, 62).
 *
 * @module
 */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { runProgram, startAlknet } from "../support/process.ts";
import { needs } from "../support/programs.ts";
import { startPeer } from "../support/python.ts";
import { seeded } from "../support/random.ts";
import { temporaryFolder } from "../support/temp.ts";
import { sound } from "../handlers/fs/stores.ts";
import { initHome, type TestHome } from "./home.ts";

const MAIN = new URL("../../cli/main.ts", import.meta.url).pathname;
const HELLO = "8e4c7c1b99dbfd50e7a95185fead5ee1448fa904a2fdd778eaf5f2dbfd629a99";

/** Runs a command that has to do well: its lines. */
async function well(home: TestHome, ...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await home.run("fs", ...args);
  equal(code, 0, `fs ${args.join(" ")}\n${stderr}`);
  return stdout.split("\n").slice(0, -1);
}

/** The same with `--json`: its objects. */
async function told(home: TestHome, ...args: string[]): Promise<Record<string, unknown>[]> {
  return (await well(home, ...args, "--json")).map((line) => JSON.parse(line));
}

/** Runs a command that fails, and gives what it says. */
async function refused(home: TestHome, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await home.run("fs", ...args);
  notEqual(code, 0, stdout);
  return `${code} ${stderr.trim()}`;
}

Deno.test("alknet fs: folders with spaces go into a branch and come out again; nothing is overwritten without --force", async () => {
  await using home = await initHome();
  await using folder = await temporaryFolder();
  await Deno.mkdir(folder.join("my files/sub dir/empty"), { recursive: true });
  await folder.write("my files/he llo.txt", "hello\n");
  await folder.write("my files/sub dir/-x", "x");
  await Deno.chmod(folder.join("my files/sub dir/-x"), 0o755);
  await Deno.chmod(folder.join("my files/he llo.txt"), 0o644);
  await Deno.symlink("he llo.txt", folder.join("my files/link"));
  deepEqual(await well(home, "ls", "main:/"), []);
  match(await refused(home, "add", folder.join("my files"), "main:/"), /^1 alknet: .* is a folder; -r copies it/);
  deepEqual(await well(home, "add", "-r", folder.join("my files"), "main:/"), []);
  deepEqual(await well(home, "ls", "main:/"), ["my files/"]);
  deepEqual(await well(home, "ls", "-R", "main:/"), [
    "my files/",
    "my files/he llo.txt",
    "my files/link",
    "my files/sub dir/",
    "my files/sub dir/-x",
    "my files/sub dir/empty/",
  ]);
  const long = await well(home, "ls", "-l", "main:/my files");
  match(long[0], /^-rw-r--r-- +6 B {2}\d{4}-\d\d-\d\d \d\d:\d\d {2}he llo\.txt$/);
  match(long[1], /^lrwxrwxrwx .* link -> he llo\.txt$/);
  const [entry] = await told(home, "stat", "main:/my files/he llo.txt");
  deepEqual([entry.path, entry.kind, entry.hash, entry.size], ["/my files/he llo.txt", "file", HELLO, 6]);
  const cat = (...args: string[]) => home.run("fs", "cat", "main:/my files/he llo.txt", ...args);
  equal((await cat()).stdout, "hello\n");
  for (const [range, part] of [["1-2", "el"], ["3-", "lo\n"], ["-3", "lo\n"], ["0-99", "hello\n"]]) {
    equal((await cat("--range", range)).stdout, part, range);
  }
  equal((await cat("--range", "6-")).code, 1);
  equal((await cat("--range", "x")).code, 2);
  match(await refused(home, "cat", "main:/my files/link"), /is a link to "he llo.txt"/);
  match(await refused(home, "cat", "main:/my files"), /is a folder/);
  // Out again: the link is passed over, and said.
  const out = await home.run("fs", "get", "-r", "main:/my files", folder.join("out"));
  deepEqual([out.code, /link would be a link/.test(out.stderr)], [1, true]);
  equal(await Deno.readTextFile(folder.join("out/he llo.txt")), "hello\n");
  equal((await Deno.stat(folder.join("out/sub dir/-x"))).mode! & 0o777, 0o755);
  ok((await Deno.stat(folder.join("out/sub dir/empty"))).isDirectory);
  match(
    await refused(home, "get", "main:/my files/he llo.txt", folder.join("out")),
    /is there already; --force replaces/,
  );
  match(await refused(home, "add", folder.join("out/he llo.txt"), "main:/my files"), /is there already/);
  await folder.write("out/he llo.txt", "other");
  await well(home, "add", "--force", folder.join("out/he llo.txt"), "main:/my files/");
  equal((await cat()).stdout, "other");
  await well(home, "get", "--force", "main@1:/my files/he llo.txt", folder.join("out"));
  equal(await Deno.readTextFile(folder.join("out/he llo.txt")), "hello\n");
  // The same command goes on behind what it did, and over nothing else.
  await Deno.mkdir(folder.join("half/my files/sub dir"), { recursive: true });
  await folder.write("half/my files/sub dir/-x", "x");
  await home.run("fs", "get", "-r", "main@1:/my files", folder.join("half"));
  equal(await Deno.readTextFile(folder.join("half/my files/he llo.txt")), "hello\n");
  await folder.write("half/my files/sub dir/-x", "y");
  match(await refused(home, "get", "-r", "main@1:/my files", folder.join("half")), /-x is there already/);
  await well(home, "mkdir", "main:/half");
  await well(home, "cp", "main:/my files/sub dir/-x", "main:/half/");
  await well(home, "add", "-r", folder.join("my files/sub dir"), "main:/half");
  deepEqual(await well(home, "ls", "-R", "main:/half"), ["-x", "sub dir/", "sub dir/-x", "sub dir/empty/"]);
  deepEqual(await well(home, "add", "-r", folder.join("my files/sub dir"), "main:/half"), []);
  // A link in the way is not followed.
  await Deno.remove(folder.join("out/sub dir"), { recursive: true });
  await Deno.symlink(folder.path, folder.join("out/sub dir"));
  match(await refused(home, "get", "-r", "--force", "main:/my files", folder.path), /^1 /);
  await Deno.mkdir(folder.join("again"));
  await Deno.symlink(folder.path, folder.join("again/my files"));
  match(await refused(home, "get", "-r", "main:/my files", folder.join("again")), /link|no folder/);
  match(await refused(home, "cp", folder.join("a"), folder.join("b")), /^2 .*neither is a place/);
  await sound(`${home.path}/fs`);
});

Deno.test("alknet fs: mkdir, mv, cp, rm, restore, log, usage: each with --json, and what fails says what to do", async () => {
  await using home = await initHome();
  await using folder = await temporaryFolder();
  const file = await folder.write("hello.txt", "hello\n");
  deepEqual(await told(home, "add", file, "main:/a.txt"), [{ path: "/a.txt", seq: 1, hash: HELLO, files: 1, size: 6 }]);
  deepEqual(await told(home, "mkdir", "-p", "main:/x/y"), [{ path: "/x/y", seq: 2 }]);
  deepEqual(await told(home, "mkdir", "-p", "main:/x/y"), [{ path: "/x/y", seq: 2 }]);
  match(await refused(home, "mkdir", "main:/x"), /"\/x" is there already/);
  deepEqual(await told(home, "mv", "main:/a.txt", "main:/x"), [{ path: "/x/a.txt", seq: 3 }]);
  deepEqual(await told(home, "cp", "-r", "main:/x", "main:/z"), [{ path: "/z", seq: 4 }]);
  match(await refused(home, "rm", "main:/x"), /is not empty/);
  deepEqual(await told(home, "rm", "-r", "main:/x"), [{ path: "/x", seq: 5 }]);
  match(await refused(home, "rm", "main@2:/x"), /^2 .*is a version/);
  deepEqual(await told(home, "restore", "main@3:/x/a.txt"), [{ path: "/x/a.txt", seq: 6 }]);
  deepEqual(await well(home, "ls", "-R", "main:/"), ["x/", "x/a.txt", "z/", "z/a.txt", "z/y/"]);
  deepEqual((await well(home, "log", "main", "-c", "3")).map((line) => line.replace(/ {2}\d{4}-.{11} {2}/, " ")), [
    "6 local  mkdir  /x",
    "6 local  restore  /x/a.txt",
    "5 local  remove  /x",
  ]);
  deepEqual((await told(home, "log", "main:/a.txt")).map(({ seq, op }) => [seq, op]), [[3, "move"], [1, "put"]]);
  deepEqual(await told(home, "usage"), [{ owner: "local", bytes: 12, files: 2 }]);
  match(await refused(home, "ls", "main:/none"), /^1 alknet: there is nothing at "\/none"$/);
  match(await refused(home, "ls", "none:/"), /there is no branch "none"/);
  match(await refused(home, "ls", "/tmp"), /^2 .*no place in a branch; write main:\/path/);
  const { stdout, code } = await home.run("fs", "stat", "main:/none", "--json");
  deepEqual([code, JSON.parse(stdout).error.code], [1, "PATH_NOT_FOUND"]);
  // A name that would drive the terminal is shown, and does not.
  await well(home, "mkdir", "main:/\x1b[31mred");
  equal((await well(home, "ls", "main:/"))[0], "\\u001b[31mred/");
});

Deno.test("alknet fs: branches, snapshots, diff and merge", async () => {
  await using home = await initHome();
  await using folder = await temporaryFolder();
  const one = await folder.write("one", "1");
  const two = await folder.write("two", "22");
  await well(home, "add", one, "main:/f");
  deepEqual(await well(home, "branch"), ["main  1  local  private"]);
  deepEqual(await well(home, "branch", "create", "work", "main"), ["work  0  local  private  from main@1"]);
  await well(home, "add", two, "work:/g");
  await well(home, "add", "--force", two, "work:/f");
  deepEqual(await well(home, "diff", "main", "work"), ["M  /f", "A  /g"]);
  deepEqual(await well(home, "diff", "main:/f", "work"), ["M  /f"]);
  deepEqual(await well(home, "merge", "work", "main", "--dry-run"), ["would merge work into main: 2 changes"]);
  deepEqual(await well(home, "snapshot", "create", "main", "first", "--note", "before it"), [
    `first  1  ${new Date().toISOString().slice(0, 10)}  before it`,
  ]);
  deepEqual(await well(home, "merge", "work", "main"), ["merged work into main: 2 changes, commit 2"]);
  deepEqual(await well(home, "diff", "main@first", "main"), ["M  /f", "A  /g"]);
  await well(home, "rm", "main:/g");
  await well(home, "add", "--force", one, "work:/g");
  const conflict = await home.run("fs", "merge", "work", "main");
  deepEqual([conflict.code, conflict.stdout], [1, "removed  /g\n"]);
  deepEqual(
    (await well(home, "merge", "work", "main", "--policy", "theirs")).at(-1),
    "merged work into main: 1 change, commit 4",
  );
  deepEqual((await told(home, "snapshot", "main")).map(({ name, seq, note }) => [name, seq, note]), [[
    "first",
    1,
    "before it",
  ]]);
  await well(home, "snapshot", "drop", "main", "first");
  deepEqual(await well(home, "snapshot", "main"), []);
  equal((await told(home, "branch", "publish", "work"))[0].public, true);
  equal((await told(home, "branch", "publish", "work", "--off"))[0].public, false);
  await well(home, "branch", "drop", "work");
  deepEqual((await told(home, "branch")).map(({ name }) => name), ["main"]);
  match(await refused(home, "branch", "drop", "main"), /last branch/);
  match(await refused(home, "branch", "create", "x!", "main"), /^2 /);
});

Deno.test({
  name:
    "alknet fs at another node: by rights, with the files over alknet/blobs; a commit of another process is seen at once (row 62)",
  ...needs("curl"),
  fn: atAnotherNode,
});

async function atAnotherNode(): Promise<void> {
  await using provider = await initHome();
  await using getter = await initHome();
  await using folder = await temporaryFolder();
  const bytes = seeded("branch").bytes(3_000_000);
  await well(provider, "mkdir", "main:/docs");
  await well(provider, "add", await folder.write("big file", bytes), "main:/docs/");
  await using node = await provider.serve();
  const at = `${provider.nodeId}@${node.address}`;
  const forbidden = await refused(getter, "ls", `${at}/main:/`);
  match(forbidden, /^1 alknet: there is no branch "main", or not for you$/);
  equal((await refused(getter, "ls", `${at}/absent:/`)).replace("absent", "main"), forbidden);
  deepEqual(await well(getter, "branch", at), []);
  // Whoever serves it and a command beside it have the same store.
  await well(provider, "branch", "publish", "main");
  deepEqual(await well(getter, "ls", "-R", `${at}/main:/`), ["docs/", "docs/big file"]);
  for (const transport of ["quic", "tls"]) {
    await well(getter, "get", "-r", `${at}/main:/docs`, folder.join(transport), "--transport", transport);
    deepEqual(await Deno.readFile(folder.join(`${transport}/big file`)), bytes);
  }
  const { stdout } = await getter.run("fs", "cat", `${at}/main:/docs/big file`, "--range", "0-9");
  ok(stdout.length > 0);
  // Into a branch of one's own.
  await well(getter, "cp", "-r", `${at}/main:/docs`, "main:/copied");
  deepEqual(await well(getter, "ls", "-R", "main:/"), ["copied/", "copied/big file"]);
  match(await refused(getter, "mkdir", `${at}/main:/x`), /no branch "main", or not for you/);
  const { code } = await provider.run("authorize", getter.nodeId, "--name", "ada", "--scope", "fs:write");
  equal(code, 0);
  await node.child.line(/"event":"reloaded"/);
  // Followed from there, while it is changed here.
  await using watching = startAlknet(["fs", "watch", `${at}/main`, "--since", "2", "--json", "--home", getter.path]);
  await well(getter, "mkdir", `${at}/main:/x`);
  deepEqual(await watching.json(), JSON.parse(JSON.stringify((await told(provider, "log", "main"))[0])));
  await well(provider, "mv", "main:/x", "main:/y");
  const change = await watching.json<{ op: string; path: string; origin: string; actor: string }>();
  deepEqual([change.op, change.path, change.origin, change.actor], ["move", "/y", "/x", "local"]);
  watching.kill("SIGINT");
  equal((await watching.status).code, 130);
  await well(getter, "branch", "create", "mine", `${at}/main`);
  await well(getter, "rm", `${at}/mine:/y`);
  deepEqual(await well(getter, "diff", `${at}/main`, `${at}/mine`), ["D  /y"]);
  equal((await told(getter, "merge", `${at}/mine`, `${at}/main`))[0].applied, 1);
  deepEqual((await told(getter, "branch", at)).map(({ name, owner }) => [name, owner]), [["main", "local"], [
    "mine",
    "ada",
  ]]);
  await well(getter, "add", folder.join("big file"), `${at}/mine:/sent`);
  deepEqual(await well(getter, "diff", `${at}/main`, `${at}/mine`), ["A  /sent"]);
  match(await refused(getter, "share", `${at}/main:/docs/big file`), /^2 .*share it at that node/);
  // The same by REST.
  const call = JSON.stringify({ operation: "fs/list", input: { branch: "main", path: "/docs" } });
  const answer = await runProgram("curl", ["-sk", "--json", call, `https://${node.address}/call`]);
  ok(answer.stdout.includes("big file"), answer.stdout + answer.stderr);
  const ticket = (await told(provider, "share", "main:/docs/big file"))[0].ticket as string;
  equal((await getter.run("blob", "get", ticket, "-o", folder.join("shared"))).code, 0);
}

Deno.test({
  name: "alknet fs add at a terminal: progress while it runs, nothing of it afterwards; ctrl-C commits nothing",
  ...needs("python"),
  async fn() {
    await using home = await initHome();
    await using folder = await temporaryFolder();
    const file = folder.join("large");
    using large = await Deno.open(file, { create: true, write: true });
    await large.truncate(2 ** 29);
    const args = ["fs", "add", file, "main:/large", "--home", home.path];
    await using peer = startPeer("terminal.py", [Deno.execPath(), "run", "-A", MAIN, ...args], {
      env: { NO_COLOR: "1" },
    });
    const { shown } = await peer.ask<{ shown: string }>({ until: "copying large  " });
    match(shown, /copying large {2}/);
    await peer.ask({ signal: 2 });
    const end = await peer.ask<{ code: number; shown: string }>({ end: true });
    equal(end.code, 130);
    match(end.shown, /stopped at \d+ %; the same command goes on/);
    deepEqual(await well(home, "ls", "main:/"), []);
    await sound(join(home.path, "fs"));
  },
});

Deno.test("alknet fs of a store that another process keeps busy: it says so and what to do, and goes on when that lets go", async () => {
  await using home = await initHome();
  await well(home, "mkdir", "main:/a");
  {
    using other = new DatabaseSync(join(home.path, "fs", "store.db"));
    // Nobody else may read while this one has it.
    other.exec("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT");
    for (const said of await Promise.all([refused(home, "watch", "main"), refused(home, "mkdir", "main:/b")])) {
      match(
        said,
        /^1 alknet: another process keeps the store of .*fs busy; nothing was changed; wait for it or end it.*$/,
      );
    }
  }
  deepEqual(await well(home, "ls", "main:/"), ["a/"]);
});
