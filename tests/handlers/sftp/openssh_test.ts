/**
 * OpenSSH's `sftp` and `scp` on a node, inside of SSH and bare (ssh.md row 7).
 *
 * @module
 */
import assert from "node:assert/strict";
import { runProgram } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { sshNode } from "../ssh/node.ts";
import { sftpNode, WAYS } from "./node.ts";

const PROGRAMS = needs("linux", "ssh", "ssh-keygen", "scp");

/** Names that trip programs up. */
const NAMES = ["with spaces", 'quo"te', "apo'strophe", "ünï ☃", "new\nline", "back\\slash", "*glob?[x]", "-rf", ".dot"];
const TIME = new Date("2011-12-13T14:15:16Z");

/** A tree of such names, one that is no UTF-8, modes and times, an empty folder and an empty file. */
async function makeTree(folder: string): Promise<void> {
  await Deno.mkdir(`${folder}/deep er/deepest`, { recursive: true });
  for (const [at, name] of NAMES.entries()) {
    for (const place of ["", "deep er/"]) {
      const file = `${folder}/${place}${name}`;
      await Deno.writeFile(file, Uint8Array.from({ length: at * 40_000 }, (_, byte) => (byte * 31 + at) & 0xff));
      await Deno.chmod(file, [0o640, 0o755, 0o444, 0o600][at % 4]);
      await Deno.utime(file, TIME, new Date(TIME.getTime() + at * 1000));
    }
  }
  const { code } = await runProgram("sh", ["-c", "printf x > \"$(printf 'no utf \\377\\376')\""], { cwd: folder });
  assert.equal(code, 0);
}

/** Everything in a tree: names, types, modes, content, and of files the times. */
async function described(folder: string): Promise<string> {
  const script =
    `find . \\( -type f -printf '%P %m %s %Ts\\n' -exec sha256sum -z {} \\; \\) -o -printf '%P %y\\n' | LC_ALL=C sort`;
  const { code, stdout, stderr } = await runProgram("sh", ["-c", script], { cwd: folder });
  assert.equal(code, 0, stderr);
  return stdout;
}

for (const way of WAYS) {
  Deno.test({
    name: `sftp ${way}: a tree of odd names goes there and comes back, with modes and times (ssh.md row 7)`,
    ...PROGRAMS,
    async fn() {
      await using node = await sftpNode(way);
      await makeTree(`${node.folder}/one`);
      await node.done("put -pR one two");
      assert.equal(await described(`${node.root}/two`), await described(`${node.folder}/one`));
      await node.done("get -pR two three");
      assert.equal(await described(`${node.folder}/three`), await described(`${node.folder}/one`));
    },
  });
}

Deno.test({
  name: "sftp bare over tls: names in quotes, links, renames, modes, times, directories, and the room there is",
  ...PROGRAMS,
  async fn() {
    await using node = await sftpNode("bare over tls");
    const { root } = node;
    await Deno.writeTextFile(`${node.folder}/a`, "a");
    const listed = await node.done(
      'put a "in \\"quotes\\" and spaces"',
      "put a 'it\\'s'",
      'mkdir "a folder"',
      'rename "in \\"quotes\\" and spaces" "a folder/ü"',
      'cd "a folder"',
      "pwd",
      "ln -s ü symbolic",
      "ln ü hard",
      "chmod 640 hard",
      "ls -l",
      "rm hard",
      "cd ..",
      "df",
      "ls -1",
    );
    assert.match(listed, /Remote working directory: \/a folder\n/);
    assert.match(listed, /^-rw-r-----\s.*\bhard$/m);
    assert.match(listed, /^lrwxrwxrwx\s.*\bsymbolic$/m);
    assert.match(listed, /%/);
    assert.equal(await Deno.readTextFile(`${root}/a folder/symbolic`), "a");
    assert.equal(Deno.readLinkSync(`${root}/a folder/symbolic`), "ü");
    assert.equal(await Deno.readTextFile(`${root}/it's`), "a");
    const { code, stderr } = await node.sftp('rmdir "a folder"');
    assert.equal(code, 1);
    assert.match(stderr, /Failure|not empty/);
    await node.done("rm a\\ folder/*", 'rmdir "a folder"', "rm it*");
    assert.deepEqual([...Deno.readDirSync(root)], []);
  },
});

Deno.test({
  name: "sftp inside ssh over tls: reput and reget go on where a copy broke off (ssh.md row 7)",
  ...PROGRAMS,
  async fn() {
    await using node = await sftpNode("inside ssh over tls");
    const whole = Uint8Array.from({ length: 1_500_000 }, (_, at) => (at * 2654435761) >>> 24);
    await Deno.writeFile(`${node.folder}/whole`, whole);
    await Deno.writeFile(`${node.root}/far`, whole.slice(0, 700_001));
    await node.done("reput whole far");
    assert.deepEqual(new Uint8Array(await Deno.readFile(`${node.root}/far`)), whole);
    await Deno.writeFile(`${node.folder}/near`, whole.slice(0, 333_333));
    await node.done("reget far near");
    assert.deepEqual(new Uint8Array(await Deno.readFile(`${node.folder}/near`)), whole);
  },
});

Deno.test({
  name: "scp in its SFTP mode copies a tree there and back, and paths with ~ (ssh.md row 7)",
  ...PROGRAMS,
  async fn() {
    await using temporary = await temporaryFolder();
    const folder = temporary.path;
    const root = temporary.join("root");
    await Deno.mkdir(root);
    await using node = await sshNode({ policy: { sftp: { root } } });
    await makeTree(`${root}/one`);
    const scp = async (...args: string[]) => {
      const { code, stderr } = await runProgram("scp", ["-q", "-s", "-p", "-r", ...node.options, ...args]);
      assert.equal(code, 0, stderr);
    };
    await scp("anyone@node:one", `${folder}/two`);
    assert.equal(await described(`${folder}/two`), await described(`${root}/one`));
    await scp(`${folder}/two`, "anyone@node:~/three");
    assert.equal(await described(`${root}/three`), await described(`${root}/one`));
  },
});

Deno.test({
  name: "sftp for reading only: what is there can be read, and nothing changed",
  ...PROGRAMS,
  async fn() {
    await using node = await sftpNode("inside ssh over tls", { readOnly: true });
    await Deno.writeTextFile(`${node.root}/a`, "a");
    await node.done("get a b", "ls -l");
    for (const line of ["put b c", "rm a", "mkdir d", "chmod 777 a", "rename a e", "ln -s a f"]) {
      const { code, stderr } = await node.sftp(line);
      assert.equal(code, 1, line);
      assert.match(stderr, /[Pp]ermission denied|reading only/, line);
    }
    assert.deepEqual([...Deno.readDirSync(node.root)].map(({ name }) => name), ["a"]);
  },
});
