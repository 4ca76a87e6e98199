/**
 * A branch for clients of SFTP as people have them: OpenSSH's `sftp` and `scp`, `sshfs`, paramiko, asyncssh (fs.md §11 row 42).
 *
 * @module
 */
import assert from "node:assert/strict";
import { storeOpener } from "../../../cli/mounts/open.ts";
import { treeStore } from "../../handlers/fs/tree/trees.ts";
import { sshNode } from "../../handlers/ssh/node.ts";
import { runAlknet, runProgram, start } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { startPeer } from "../../support/python.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { initHome } from "../home.ts";

const MAIN = new URL("../../../cli/main.ts", import.meta.url).pathname;
const PROGRAMS = needs("linux", "ssh", "ssh-keygen", "scp");
/** Names that trip programs up. */
const NAMES = ["with spaces", 'quo"te', "apo'strophe", "ünï ☃", "new\nline", "back\\slash", "*glob?[x]", "-rf", ".dot"];
const TIME = new Date("2011-12-13T14:15:16Z");

/** A tree of such names, modes and times, an empty folder and an empty file. */
async function makeTree(folder: string): Promise<void> {
  await Deno.mkdir(`${folder}/deep er/deepest`, { recursive: true });
  for (const [at, name] of NAMES.entries()) {
    for (const place of ["", "deep er/"]) {
      const file = `${folder}/${place}${name}`;
      await Deno.writeFile(file, Uint8Array.from({ length: at * 70_000 }, (_, byte) => (byte * 31 + at) & 0xff));
      await Deno.chmod(file, [0o640, 0o755, 0o444, 0o600][at % 4]);
      await Deno.utime(file, TIME, new Date(TIME.getTime() + at * 1000));
    }
  }
}

/** Everything in a tree: names, types, modes, content, and of files the times. */
async function described(folder: string): Promise<string> {
  const script =
    `find . \\( -type f -printf '%P %m %s %Ts\\n' -exec sha256sum -z {} \\; \\) -o -printf '%P %y\\n' | LC_ALL=C sort`;
  const { code, stdout, stderr } = await runProgram("sh", ["-c", script], { cwd: folder });
  assert.equal(code, 0, stderr);
  return stdout;
}

/** A node whose user has a branch over SSH. */
async function branchNode() {
  await using started = new AsyncDisposableStack();
  const store = started.use(await treeStore({ blobs: 0 }));
  const node = started.use(
    await sshNode({
      policy: { sftp: { root: "fs:main" } },
      scopes: ["fs:write:main"],
      openFiles: storeOpener(store.fs),
    }),
  );
  const stack = started.move();
  return {
    ...store,
    node,
    async sftp(...lines: string[]) {
      const { code, stdout, stderr } = await runProgram("sftp", ["-q", "-b", "-", ...node.options, "anyone@node"], {
        cwd: node.folder,
        stdin: lines.join("\n") + "\n",
      });
      assert.equal(code, 0, `${stdout}\n${stderr}`);
      return stdout;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

Deno.test({
  name: "sftp and scp on fs:BRANCH: a tree of odd names goes there and comes back, with modes and times (row 42)",
  ...PROGRAMS,
  async fn() {
    await using branch = await branchNode();
    const { node, tree } = branch;
    await makeTree(`${node.folder}/one`);
    const expected = await described(`${node.folder}/one`);
    await branch.sftp("put -pR one two", "get -pR two three");
    assert.equal(await described(`${node.folder}/three`), expected);
    const scp = async (...args: string[]) => {
      const { code, stderr } = await runProgram("scp", ["-q", "-s", "-p", "-r", ...node.options, ...args]);
      assert.equal(code, 0, stderr);
    };
    await scp(`${node.folder}/one`, "anyone@node:four");
    await scp("anyone@node:four", `${node.folder}/five`);
    assert.equal(await described(`${node.folder}/five`), expected);
    // What came twice is there once.
    const differences = await Array.fromAsync(tree.diff("main", "main"));
    assert.deepEqual(differences, []);
    const [two, four] = await Promise.all(
      ["/two/ünï ☃", "/four/ünï ☃"].map(async (path) => (await tree.at("main")).stat(path)),
    );
    assert.equal(two?.hash, four?.hash);
  },
});

Deno.test({
  name: "sftp on fs:BRANCH: renames, links, modes, df, reput and reget; each version before is there still (row 42)",
  ...PROGRAMS,
  async fn() {
    await using branch = await branchNode();
    const { node, tree } = branch;
    const whole = Uint8Array.from({ length: 1_500_000 }, (_, at) => (at * 2654435761) >>> 24);
    await Deno.writeFile(`${node.folder}/whole`, whole);
    await Deno.writeFile(`${node.folder}/part`, whole.slice(0, 700_001));
    const listed = await branch.sftp(
      "put part far",
      "mkdir 'a folder'",
      "ln -s far link",
      "chmod 640 far",
      "ls -l",
      "rename far 'a folder/ü'",
      "rename 'a folder/ü' far",
      "df",
    );
    assert.match(listed, /^-rw-r-----\s.*\bfar$/m);
    assert.match(listed, /^lrwxrwxrwx\s.*\blink$/m);
    assert.match(listed, /%/);
    const before = (await tree.branch("main")).head;
    await branch.sftp("reput whole far", "get link through", "rmdir 'a folder'");
    assert.deepEqual(new Uint8Array(await Deno.readFile(`${node.folder}/through`)), whole);
    assert.equal((await (await tree.at(`main@${before}`)).stat("/far"))?.size, 700_001);
    await Deno.writeFile(`${node.folder}/near`, whole.slice(0, 333_333));
    await branch.sftp("reget far near");
    assert.deepEqual(new Uint8Array(await Deno.readFile(`${node.folder}/near`)), whole);
  },
});

Deno.test({
  name: "sshfs on fs:BRANCH: cp, rsync, append, in place, truncate, mv, rm and df as on a disk (row 42)",
  ...needs("linux", "ssh", "ssh-keygen", "sshfs", "fuse", "rsync"),
  async fn() {
    await using branch = await branchNode();
    const { node, tree } = branch;
    const { folder } = node;
    await makeTree(`${folder}/one`);
    await Deno.symlink("with spaces", `${folder}/one/link`);
    const script = async (text: string, cwd = folder): Promise<string> => {
      const { code, stdout, stderr } = await runProgram("sh", ["-exc", text], { cwd });
      assert.equal(code, 0, `${text}\n${stderr}`);
      return stdout;
    };
    // What `ssh` is told on the command line elsewhere.
    const said = node.options.filter((_, at) => node.options[at - 1] === "-o").map((one) => one.replace("=", " "));
    await Deno.writeTextFile(`${folder}/config`, `Host node\nIdentityFile ${folder}/user\n${said.join("\n")}\n`);
    await Deno.mkdir(`${folder}/mount`);
    await script("sshfs -F $PWD/config anyone@node:/ mount </dev/null >log 2>&1 || { cat log >&2; exit 1; }");
    try {
      await script("cp -rp --no-preserve=ownership one mount/cp");
      // sshfs cannot set the time of a link itself.
      await script("rsync -rlptJ one/ mount/rsync; rsync -rlptJ --inplace --whole-file one/ mount/cp");
      await script("diff -r --no-dereference one mount/cp; diff -r --no-dereference one mount/rsync");
      const changed = await script("echo more >>one/.dot; rsync -rlptJ --itemize-changes one/ mount/rsync");
      assert.match(changed, /^>f\S+ \.dot$/m);
      assert.equal(changed.trimEnd().split("\n").length, 1, changed);
      await script(
        [
          "printf one >a; printf two >>a; test $(cat a) = onetwo",
          "printf XX | dd of=a bs=1 seek=1 conv=notrunc 2>/dev/null; test $(cat a) = oXXtwo",
          "truncate -s 4 a; test $(cat a) = oXXt",
          "mkdir d; mv a d/b; mv d e; test $(cat e/b) = oXXt",
          "ln -s e/b l; test $(cat l) = oXXt",
          "! ln e/b hard 2>/dev/null",
          "! mkdir e 2>/dev/null; ! rmdir e 2>/dev/null",
          "rm -r cp; ! test -e cp",
          "df . >/dev/null",
        ].join("\n"),
        `${folder}/mount`,
      );
    } finally {
      await script("umount mount");
    }
    const names = (await (await tree.at("main")).list("/")).map(({ name }) => name);
    assert.deepEqual(names, ["e", "l", "rsync"]);
  },
});

for (const [library, refused] of [["asyncssh", "SFTPPermissionDenied"], ["paramiko", "PermissionError"]]) {
  Deno.test({
    name: `${library} on fs:BRANCH puts, gets, lists, renames, and is kept in it (row 42)`,
    ...needs("linux", "ssh-keygen", "python"),
    async fn() {
      await using branch = await branchNode();
      const { node } = branch;
      await using folder = await temporaryFolder();
      const content = Uint8Array.from({ length: 1_000_003 }, (_, at) => (at * 2654435761) >>> 24);
      await folder.write("near", content, { mode: 0o640 });
      await Deno.chmod(folder.join("near"), 0o640);
      await using peer = startPeer("sftp_client.py");
      const answer = await peer.ask({
        library,
        proxy: node.proxy,
        key: `${node.folder}/user`,
        user: "anyone",
        hostKey: (await Deno.readTextFile(`${node.folder}/host.pub`)).trim(),
        folder: folder.path,
      });
      assert.deepEqual(answer, {
        ...{ names: [".", "..", "d"], size: content.length, mode: 0o640, real: "/d/far", room: true, refused },
      });
      assert.deepEqual(new Uint8Array(await Deno.readFile(folder.join("back"))), content);
    },
  });
}

Deno.test({
  name:
    "alknet serve with fs:BRANCH in handlers.sftp: rights are the branch's; a put that is killed stands, and reput goes on",
  ...PROGRAMS,
  async fn() {
    await using home = await initHome();
    await using other = await initHome();
    const config = await home.config() as { handlers: Record<string, unknown> };
    config.handlers.sftp = { policies: { friend: { root: "fs:main" }, guest: { root: "fs:" } } };
    await home.writeConfig(config);
    const authorized = await home.run("authorize", other.nodeId, "--name", "friend", "--scope", "fs:write:main");
    assert.equal(authorized.code, 0, authorized.stderr);
    const guest = await initHome();
    await using _guest = guest;
    assert.equal((await home.run("authorize", guest.nodeId, "--name", "guest")).code, 0);
    await using node = await home.serve();
    const address = `${home.nodeId}@${node.address}`;
    const dial = async (folder: string): Promise<readonly string[]> => {
      const script = `#!/bin/sh\nexec ${Deno.execPath()} run -A ${MAIN} dial alknet/sftp ${address} --home ${folder}\n`;
      await Deno.writeTextFile(`${folder}/dial`, script, { mode: 0o700 });
      return ["-q", "-b", "-", "-D", `${folder}/dial`];
    };
    const [friend, stranger] = [await dial(other.path), await dial(guest.path)];
    const sftp = (args: readonly string[], stdin: string) => runProgram("sftp", args, { stdin, cwd: other.path });
    const whole = Uint8Array.from({ length: 3_000_000 }, (_, at) => (at * 2654435761) >>> 24);
    await Deno.writeFile(`${other.path}/whole`, whole);
    {
      // As slow as to be in the middle of it for long, it is killed once some of it is there.
      await using watching = start(Deno.execPath(), [
        ...["run", "-A", MAIN, "fs", "watch", "main:/", "--count", "1", "--home", home.path],
      ]);
      await using slow = start("sftp", ["-l", "2000", ...friend], { cwd: other.path, signal: "SIGKILL" });
      await slow.write("put whole far\n");
      await using files = await temporaryWrites(`${home.path}/fs/tmp`);
      await files.some;
      await slow[Symbol.asyncDispose]();
      await watching.line(/put {2}\/far/);
    }
    const part = await home.run("fs", "stat", "main:/far", "--json");
    const { size } = JSON.parse(part.stdout);
    assert.ok(size > 0 && size < whole.length, `${size}`);
    const again = await sftp(friend, "reput whole far\nget far back\n");
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual(new Uint8Array(await Deno.readFile(`${other.path}/back`)), whole);
    // A policy gives no right to a branch.
    assert.equal((await sftp(stranger, "ls main\n")).code, 1);
    assert.equal((await home.run("fs", "branch", "publish", "main")).code, 0);
    assert.equal((await sftp(stranger, "ls main\nget main/far guest\n")).code, 0);
    assert.equal((await sftp(stranger, "rm main/far\n")).code, 1);
    assert.match(await node.child.errorLine(/not allowed/), /what=sftp key=\S+ reason=this branch may only be read/);
  },
});

Deno.test({
  name: "alknet serve with fs:BRANCH in a policy of handlers.ssh: scp and sftp reach the branch by its rights",
  ...PROGRAMS,
  async fn() {
    await using home = await initHome();
    const { path } = home;
    await runProgram("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", `${path}/user`]);
    const config = await home.config() as { handlers: Record<string, unknown> };
    config.handlers.ssh = { policies: { ada: { sftp: { root: "fs:main", read_only: true } } } };
    await home.writeConfig(config);
    const key = await Deno.readTextFile(`${path}/user.pub`);
    const authorized = await home.run("authorize", key, "--name", "ada", "--scope", "fs:write:main");
    assert.equal(authorized.code, 0, authorized.stderr);
    await Deno.writeTextFile(`${path}/hello`, "hello");
    assert.equal((await home.run("fs", "add", `${path}/hello`, "main:/hello")).code, 0);
    await using node = await home.serve();
    const dial = `${Deno.execPath()} run -A ${MAIN} dial alknet/ssh ${home.nodeId}@${node.address} --home ${path}`;
    const options = [
      ...["-F", "none", "-i", `${path}/user`, "-o", `ProxyCommand=${dial}`, "-o", "BatchMode=yes"],
      ...["-o", "StrictHostKeyChecking=no", "-o", `UserKnownHostsFile=${path}/known`, "-o", "LogLevel=ERROR"],
    ];
    const got = await runProgram("scp", ["-q", "-s", ...options, "any@node:hello", `${path}/got`]);
    assert.equal(got.code, 0, got.stderr);
    assert.equal(await Deno.readTextFile(`${path}/got`), "hello");
    // The policy lets less than the branch would.
    const put = await runProgram("scp", ["-q", "-s", ...options, `${path}/got`, "any@node:put"]);
    assert.equal(put.code === 0, false);
  },
});

Deno.test("alknet serve with fs: in handlers.sftp: what is no branch, or has no store, is one line that names it", async () => {
  await using home = await initHome();
  for (
    const [handlers, says] of [
      [{ fs: {}, sftp: { policies: { ada: { root: "fs:no such" } } } }, /policies\.ada\.root: fs:no such is no branch/],
      [{ sftp: { policies: { ada: { root: "fs:main" } } } }, /policies\.ada\.root: fs:main needs the handler fs/],
    ] as const
  ) {
    const config = await home.config();
    config.handlers = handlers;
    await home.writeConfig(config);
    const { code, stderr } = await runAlknet(["serve", "--json", "--home", home.path, "--listen", "127.0.0.1:0"]);
    assert.equal(code === 0, false);
    assert.match(stderr, says);
  }
});

/** Resolves when a file of a session is written to. */
async function temporaryWrites(folder: string): Promise<{ readonly some: Promise<void> } & AsyncDisposable> {
  const watcher = Deno.watchFs(folder);
  const some = (async () => {
    for await (const { paths, kind } of watcher) {
      if (kind === "modify" && paths.some((path) => /-\d+$/.test(path))) return;
    }
  })();
  return await Promise.resolve({
    some,
    async [Symbol.asyncDispose]() {
      try {
        watcher.close();
      } catch { /* it was closed with the loop */ }
      await some;
    },
  });
}
