/**
 * Programs that the node serves itself, by OpenSSH's client (ssh.md row 15).
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Identity } from "@alknet/core/handler";
import type { SshProgram, SshProgramContext, SshProgramStreams } from "@alknet/handlers/ssh";
import { keepLogs } from "../../../support/logs.ts";
import { needs } from "../../../support/programs.ts";
import { runProgram } from "../../../support/process.ts";
import { type ClientChannel, sshClient } from "../client.ts";
import { type SshNode, sshNode, type SshNodeOptions, USER } from "../node.ts";
import { until } from "../node_process.ts";

const PROGRAMS = needs("ssh", "ssh-keygen");
const MIB = 2 ** 20;
/** What a window, pipes and sockets may hold of what nobody reads. */
const HELD = 24 * MIB;
const encoder = new TextEncoder();

type Run = (command: readonly string[], streams: SshProgramStreams, context: SshProgramContext) => Promise<number>;

/** A program of a name. */
function program(name: string, run: Run): SshProgram {
  return { name, matches: ([first]) => first === name, run };
}

async function say(to: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = to.getWriter();
  await writer.write(encoder.encode(text));
  writer.releaseLock();
}

/** Says its words and for whom it runs, then what it reads; exits with the number of its words. */
const echo = program("echo-words", async (command, { stdin, stdout, stderr }, { identity, env }) => {
  await say(stdout, `${JSON.stringify({ command, id: identity?.id, env })}\n`);
  await say(stderr, "heard\n");
  for await (const chunk of stdin) await say(stdout, new TextDecoder().decode(chunk));
  await say(stdout, "after the end\n");
  return command.length;
});

for (const transport of ["quic", "tls"] as const) {
  Deno.test({
    name:
      `alknet/ssh over ${transport}: a program runs for who may run nothing else; words, input, streams, exit code ` +
      "(ssh.md row 15)",
    ...PROGRAMS,
    async fn() {
      await using node = await sshNode({ transport, programs: [echo] });
      const more = ["-o", "SetEnv=GIT_PROTOCOL=version=2 SECRET=1"];
      const { code, stdout, stderr } = await node.ssh(more, [`echo-words '/x y' "a\\"b" c\\ d`], "in\n");
      assert.deepEqual([code, stderr], [4, "heard\n"]);
      const [said, ...rest] = stdout.split("\n");
      assert.deepEqual(JSON.parse(said), {
        command: ["echo-words", "/x y", 'a"b', "c d"],
        id: USER,
        env: { GIT_PROTOCOL: "version=2" },
      });
      assert.deepEqual(rest, ["in", "after the end", ""]);
      for (const command of [["true"], ["echo-words a; true"], ["echo-words 'a"], []]) {
        const { code, stdout } = await node.ssh([], command, "");
        assert.deepEqual([code === 0, stdout], [false, ""], `${command}`);
      }
    },
  });
}

Deno.test({
  name:
    "alknet/ssh: what is no program's is the policy's, a line that only a shell understands among it (ssh.md row 15)",
  ...PROGRAMS,
  async fn() {
    await using node = await sshNode({ policy: { exec: true }, programs: [echo] });
    assert.equal((await node.ssh([], ["echo other"])).stdout, "other\n");
    assert.equal((await node.ssh([], ["echo-words() { echo mine; }; echo-words"])).stdout, "mine\n");
    assert.match((await node.ssh([], ["echo-words ';'"], "")).stdout, /^\{"command":\["echo-words",";"\]/);
  },
});

Deno.test({
  name: "alknet/ssh: a program says whose it is; the first that does gets the command (ssh.md row 15)",
  ...PROGRAMS,
  async fn() {
    const seen: unknown[] = [];
    const only = (id: string, code: number): SshProgram => ({
      name: id,
      matches(command: readonly string[], identity?: Identity) {
        seen.push([command, identity?.id]);
        return identity?.id === id;
      },
      run: () => Promise.resolve(code),
    });
    await using node = await sshNode({ programs: [only("other", 3), only(USER, 4), only(USER, 5)] });
    assert.equal((await node.ssh([], ["a b"])).code, 4);
    assert.deepEqual(seen, [[["a", "b"], USER], [["a", "b"], USER]]);
  },
});

Deno.test({
  name:
    "alknet/ssh: a program that ends before its input does, one that fails, and codes that are none (ssh.md row 15)",
  ...PROGRAMS,
  async fn() {
    await using logs = await keepLogs();
    const give = program("give", ([, code]) => Promise.resolve(Number(code)));
    const fail = program("fail", () => Promise.reject(new Error("a reason")));
    const burst = program("burst", async (_command, { stdout, stderr }) => {
      // Nobody waits for these: all of it goes out before the exit code.
      const [out, error] = [stdout.getWriter(), stderr.getWriter()];
      for (let at = 0; at < 500; at++) out.write(new Uint8Array(10_000)).catch(() => {});
      error.write(encoder.encode("last\n")).catch(() => {});
      await out.ready;
      return 0;
    });
    await using node = await sshNode({ programs: [give, fail, burst] });
    assert.equal((await node.ssh([], ["give 7"], new Uint8Array(8 * MIB))).code, 7);
    for (const code of ["-1", "256", "1.5", "x"]) assert.equal((await node.ssh([], [`give '${code}'`])).code, 255);
    assert.deepEqual(await node.ssh([], ["fail"]), { code: 255, stdout: "", stderr: "fail: failed at the node\n" });
    assert.ok(logs.lines.some((line) => line.includes("fail") && line.includes("a reason")), "the log has the cause");
    const { code, stdout, stderr } = await node.ssh([], ["burst"]);
    assert.deepEqual([code, stdout.length, stderr], [0, 5_000_000, "last\n"]);
  },
});

Deno.test({
  name: "alknet/ssh: a program waits for who does not read, and who sends waits for it (ssh.md row 15)",
  ...PROGRAMS,
  async fn() {
    const size = 96 * MIB;
    let written = 0;
    const block = new Uint8Array(MIB).map((_, at) => (at * 2654435761) >>> 24);
    const source = program("source", async (_command, { stdout }) => {
      const writer = stdout.getWriter();
      for (; written < size; written += MIB) await writer.write(block);
      await writer.close();
      return 0;
    });
    const { promise: go, resolve: letGo } = Promise.withResolvers<void>();
    const taken = createHash("sha256");
    const sink = program("sink", async (_command, { stdin }) => {
      await go;
      for await (const chunk of stdin) taken.update(chunk);
      return 0;
    });
    const whole = createHash("sha256");
    for (let at = 0; at < size; at += MIB) whole.update(block);
    const digest = whole.digest("hex");
    await using node = await sshNode({ programs: [source, sink] });
    const ssh = (command: string) => {
      const args = [...node.options, "anyone@node", command];
      return new Deno.Command("ssh", { args, stdin: "piped", stdout: "piped", stderr: "inherit" }).spawn();
    };
    const reading = ssh("source");
    await reading.stdin.close();
    await standstill(() => written);
    assert.ok(written > 0 && written < HELD, `${written}`);
    const got = createHash("sha256");
    for await (const chunk of reading.stdout) got.update(chunk);
    assert.equal(got.digest("hex"), digest);
    assert.equal((await reading.status).code, 0);

    let sent = 0;
    const sending = ssh("sink");
    const writing = (async () => {
      const writer = sending.stdin.getWriter();
      for (; sent < size; sent += MIB) await writer.write(block);
      await writer.close();
    })();
    await standstill(() => sent);
    assert.ok(sent > 0 && sent < HELD, `${sent}`);
    letGo();
    await writing;
    assert.equal((await sending.output()).code, 0);
    assert.equal(taken.digest("hex"), digest);
  },
});

Deno.test({
  name: "alknet/ssh: a program is told that the node shuts down, and its last words go out",
  ...PROGRAMS,
  async fn() {
    const begun = Promise.withResolvers<void>();
    const waiting = program("wait", async (_command, { stdout }, { draining }) => {
      begun.resolve();
      await new Promise((resolve) => draining.addEventListener("abort", resolve, { once: true }));
      await say(stdout, "until the end\n");
      return 7;
    });
    await using node = await sshNode({ programs: [waiting] });
    const client = node.ssh([], ["wait"]);
    await begun.promise;
    // Longer than a test may take: who does not end by itself is seen.
    await node.shutdown(600_000);
    assert.deepEqual(await client, { code: 7, stdout: "until the end\n", stderr: "" });
  },
});

/** Waits until a number that has begun to grow grows no more: many looks, well apart, at the same. */
async function standstill(value: () => number): Promise<void> {
  let [last, same] = [-1, 0];
  await until(() => {
    same = value() === last && last > 0 ? same + 1 : 0;
    last = value();
    return same > 25;
  }, "a standstill");
}

Deno.test({
  name: "alknet/ssh: a client that disappears aborts its program, whose reads and writes fail (ssh.md row 15)",
  ...PROGRAMS,
  async fn() {
    const ends: string[] = [];
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const wait = program("wait", async (_command, { stdin, stdout }, { signal }) => {
      await say(stdout, "up\n");
      const reading = stdin.getReader().read().then(() => "read", () => "no reading");
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      ends.push(
        signal.reason.message,
        await reading,
        await say(stdout, "late").then(() => "written", () => "no writing"),
      );
      resolve();
      return 0;
    });
    await using node = await sshNode({ programs: [wait] });
    await using ssh = node.start([], ["wait"]);
    await ssh.line(/^up$/);
    ssh.kill("SIGKILL");
    await ssh.status;
    await over;
    assert.deepEqual(ends, ["the client has gone", "no reading", "no writing"]);
  },
});

/** A node, and a client of it that can do what OpenSSH's cannot. */
async function withClient(
  options: SshNodeOptions,
): Promise<AsyncDisposable & { exec(line: string): Promise<ClientChannel> }> {
  await using stack = new AsyncDisposableStack();
  const node: SshNode = stack.use(await sshNode(options));
  const address = `${node.nodeId}@127.0.0.1:${node.port}`;
  const peer = stack.use(await sshClient({ address, key: `${node.folder}/user` }));
  await peer.ready;
  const held = stack.move();
  return { exec: (line) => peer.exec(line), [Symbol.asyncDispose]: () => held.disposeAsync() };
}

Deno.test({
  name: "alknet/ssh: a signal that ends programs aborts one that the node serves; others do not (RFC 4254 §6.9)",
  ...needs("ssh-keygen"),
  async fn() {
    const wait = program("wait", async (_command, { stdout }, { signal }) => {
      await say(stdout, "up\n");
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      await say(stdout, signal.reason.message);
      return 9;
    });
    await using peer = await withClient({ programs: [wait] });
    const channel = await peer.exec("wait") as ClientChannel & { signal(name: string): void };
    let said = "";
    const code = new Promise((resolve) => channel.once("exit", resolve));
    const closed = new Promise((resolve) => channel.once("close", resolve));
    channel.on("data", (data: Uint8Array) => {
      if (said === "") { for (const name of ["USR1", "TERM"]) channel.signal(name); }
      said += new TextDecoder().decode(data);
    });
    assert.equal(await code, 9);
    await closed;
    assert.equal(said, "up\nthe client has sent TERM");
  },
});

Deno.test({
  name: "alknet/ssh: programs count among the 64 sessions of a connection, and give their place back (ssh.md row 15)",
  ...needs("ssh-keygen"),
  async fn() {
    const { promise: go, resolve: letGo } = Promise.withResolvers<void>();
    const wait = program("wait", () => go.then(() => 0));
    await using peer = await withClient({ programs: [wait] });
    const channels: ClientChannel[] = [];
    for (let at = 0; at < 64; at++) channels.push(await peer.exec("wait"));
    await assert.rejects(peer.exec("wait"), /open failure/i);
    letGo();
    await Promise.all(channels.map((channel) => new Promise((resolve) => channel.resume().once("close", resolve))));
    (await peer.exec("wait")).resume();
  },
});

Deno.test({
  name: "alknet/ssh: a program by OpenSSL and OpenSSH alone (ssh.md rows 15, 16)",
  ...needs("ssh", "ssh-keygen", "openssl"),
  async fn() {
    await using node = await sshNode({ programs: [echo] });
    const proxy = `openssl s_client -quiet -verify_quiet -alpn alknet/ssh -servername ${node.nodeId}.alknet ` +
      `-connect 127.0.0.1:${node.port}`;
    const [before, after] = [node.options.slice(0, 2), node.options.slice(4)];
    const args = [...before, "-o", `ProxyCommand=${proxy}`, ...after, "anyone@node", "echo-words 'a b'"];
    const { code, stdout } = await runProgram("ssh", args, { stdin: "in\n" });
    assert.equal(code, 2);
    assert.match(stdout, /^\{"command":\["echo-words","a b"\],"id":"me","env":\{\}\}\nin\nafter the end\n$/);
  },
});
