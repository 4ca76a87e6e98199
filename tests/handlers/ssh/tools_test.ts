/**
 * Programs that use SSH: scp, rsync, git, asyncssh, paramiko, and ssh-audit's opinion (ssh.md rows 7, 8, 12, 14).
 *
 * @module
 */
import { connect as dial } from "../../../core/endpoint/dial.ts";
import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { join } from "../../../handlers/ssh/forwarding/join.ts";
import { StreamSocket } from "../../../handlers/ssh/protocol/stream_socket.ts";
import { runProgram } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { startPeer, VENV } from "../../support/python.ts";
import { type SshNode, sshNode } from "./node.ts";

const POLICY = { shell: true, exec: true } as const;

/** `ssh` with all its options as one word of a shell. */
function sshWord({ options }: SshNode): string {
  return ["ssh", ...options].map((part) => `'${part}'`).join(" ");
}

/** A tree with what trees have: folders, spaces, modes, an empty file, a link. */
async function tree(folder: string): Promise<void> {
  await Deno.mkdir(`${folder}/a folder/deeper`, { recursive: true });
  await Deno.writeTextFile(`${folder}/a folder/file with spaces`, "content\n");
  await Deno.writeTextFile(`${folder}/a folder/deeper/ünïcode`, "");
  await Deno.writeFile(`${folder}/bytes`, Uint8Array.from({ length: 300_000 }, (_, at) => at % 251), { mode: 0o755 });
  await Deno.symlink("bytes", `${folder}/link`);
}

async function same(a: string, b: string): Promise<void> {
  const { code, stdout } = await runProgram("diff", ["-r", a, b]);
  assert.equal(code, 0, stdout);
}

Deno.test({
  name: "alknet/ssh: rsync copies a tree there and back (ssh.md row 8)",
  ...needs("ssh", "ssh-keygen", "rsync"),
  async fn() {
    await using node = await sshNode({ policy: POLICY });
    const { folder } = node;
    await tree(`${folder}/one`);
    for (const [from, to] of [["one/", "anyone@node:two/"], ["anyone@node:two/", "three/"]]) {
      const places = [from, to].map((place) => place.replace(/(^|:)(?=(one|two|three))/, `$1${folder}/`));
      const { code, stderr } = await runProgram("rsync", ["-a", "-e", sshWord(node), ...places]);
      assert.equal(code, 0, stderr);
    }
    await same(`${folder}/one`, `${folder}/three`);
    assert.equal((await Deno.stat(`${folder}/three/bytes`)).mode! & 0o777, 0o755);
  },
});

Deno.test({
  name: "alknet/ssh: scp in its own protocol copies a tree there and back (ssh.md row 7)",
  ...needs("ssh", "ssh-keygen", "scp"),
  async fn() {
    await using node = await sshNode({ policy: POLICY });
    const { folder, options } = node;
    await tree(`${folder}/one`);
    for (
      const places of [[`${folder}/one`, `anyone@node:${folder}/two`], [`anyone@node:${folder}/two`, `${folder}/three`]]
    ) {
      const { code, stderr } = await runProgram("scp", ["-O", "-q", "-r", ...options, ...places]);
      assert.equal(code, 0, stderr);
    }
    await same(`${folder}/one`, `${folder}/three`);
  },
});

Deno.test({
  name: "alknet/ssh: git clones and pushes (ssh.md row 8)",
  ...needs("ssh", "ssh-keygen", "git"),
  async fn() {
    await using node = await sshNode({ policy: POLICY });
    const { folder } = node;
    const env = {
      ...{ GIT_SSH_COMMAND: sshWord(node), GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" },
      ...{ GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@example.org", GIT_COMMITTER_NAME: "a" },
      ...{ GIT_COMMITTER_EMAIL: "a@example.org" },
    };
    const git = async (...args: string[]) => {
      const { code, stderr, stdout } = await runProgram("git", args, { env });
      assert.equal(code, 0, stderr);
      return stdout.trim();
    };
    await git("init", "-q", "--bare", `${folder}/far.git`);
    await git("clone", "-q", `anyone@node:${folder}/far.git`, `${folder}/near`);
    await tree(`${folder}/near`);
    await git("-C", `${folder}/near`, "add", "-A");
    await git("-C", `${folder}/near`, "commit", "-q", "-m", "one");
    await git("-C", `${folder}/near`, "push", "-q", "origin", "HEAD:main");
    await git("clone", "-q", "-b", "main", `anyone@node:${folder}/far.git`, `${folder}/again`);
    const [near, again] = [
      await git("-C", `${folder}/near`, "rev-parse", "HEAD"),
      await git("-C", `${folder}/again`, "rev-parse", "HEAD"),
    ];
    assert.equal(near, again);
  },
});

for (const library of ["asyncssh", "paramiko"]) {
  Deno.test({
    name: `alknet/ssh: ${library} logs in, runs a command with input, and gets its exit code (ssh.md row 14)`,
    ...needs("ssh-keygen", "python"),
    async fn() {
      await using node = await sshNode({ policy: POLICY });
      await using peer = startPeer("ssh_client.py");
      const answer = await peer.ask({
        library,
        proxy: node.proxy,
        key: `${node.folder}/user`,
        user: "anyone",
        hostKey: (await Deno.readTextFile(`${node.folder}/host.pub`)).trim(),
        command: "cat; echo err >&2; exit 5",
        input: "in\n",
      });
      assert.deepEqual(answer, { code: 5, stdout: "in\n", stderr: "err\n" });
    },
  });
}

Deno.test({
  name:
    "alknet/ssh: ssh-audit finds no failure, and warns of nothing but quanta, which ssh2 knows no answer to (ssh.md row 12)",
  ...needs("ssh-keygen", "python"),
  async fn() {
    await using node = await sshNode({ policy: POLICY });
    // ssh-audit wants a port: each of its connections becomes one to the node.
    const server = createServer({ allowHalfOpen: true }, async (socket) => {
      socket.on("error", () => {});
      const connection = await dial(`${node.nodeId}@127.0.0.1:${node.port}`, "alknet/ssh", { transport: "tls" });
      await join(socket, new StreamSocket(await connection.open()));
      connection.close();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const args = ["--skip-rate-test", "--no-colors", "-p", `${port}`, "127.0.0.1"];
    const { stdout } = await runProgram(`${VENV}/bin/ssh-audit`, args);
    await new Promise((resolve) => server.close(resolve));
    assert.match(stdout, /chacha20-poly1305@openssh\.com/);
    assert.match(stdout, /kex-strict-s-v00@openssh\.com/);
    assert.deepEqual(stdout.match(/.*\[fail\].*/g), null);
    const warnings = (stdout.match(/.*\[warn\].*/g) ?? []).filter((line) => !line.includes("post-quantum"));
    assert.deepEqual(warnings, []);
  },
});
