/**
 * Bytes through sessions: whole, in order, and never more of them in memory than they are worth (ssh.md row 3).
 * `ALKNET_SSH_MIB` sets how much goes through; the row wants 1024.
 *
 * @module
 */
import "../node.ts";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { residentMemory } from "../../../support/proc.ts";
import { needs } from "../../../support/programs.ts";
import { runProgram } from "../../../support/process.ts";
import { sshClient } from "../client.ts";
import { sshNode } from "../node.ts";
import { sshProcess, until } from "../node_process.ts";

const MIB = 1024 * 1024;
const SIZE = Number(Deno.env.get("ALKNET_SSH_MIB") ?? 160) * MIB;
/** What a node may gain (ssh.md row 3). */
const GAIN = 64 * MIB;
/** A slow reader takes so much, then nothing for so many milliseconds. */
const GULP = 16 * MIB;
const REST = 150;
/** Each piece of what is sent is this block with its own number in front. */
const BLOCK = new Uint8Array(64 * 1024);
for (const at of BLOCK.keys()) BLOCK[at] = (at * 2654435761) >>> 24;

/** Resident memory of a process, looked at all the while. */
function watchMemory(pid: number): Disposable & { highest: number } {
  const watch = { highest: residentMemory(pid), [Symbol.dispose]: () => clearInterval(timer) };
  const timer = setInterval(() => watch.highest = Math.max(watch.highest, residentMemory(pid)), 20);
  return watch;
}

/** Sends and reads at once; gives the hashes of both. */
async function through(options: readonly string[], size: number, rest: number): Promise<[string, string]> {
  const ssh = new Deno.Command("ssh", {
    args: [...options, "anyone@node", "cat"],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const [sent, got] = [createHash("sha256"), createHash("sha256")];
  const sending = (async () => {
    const writer = ssh.stdin.getWriter();
    for (let at = 0; at < size; at += BLOCK.byteLength) {
      const block = Buffer.from(BLOCK);
      block.writeUInt32BE(at / BLOCK.byteLength);
      sent.update(block);
      await writer.write(block);
    }
    await writer.close();
  })();
  let read = 0;
  for await (const chunk of ssh.stdout) {
    got.update(chunk);
    if (Math.floor(read / GULP) !== Math.floor((read += chunk.byteLength) / GULP)) {
      await new Promise((resolve) => setTimeout(resolve, rest));
    }
  }
  await sending;
  assert.equal((await ssh.status).code, 0);
  return [sent.digest("hex"), got.digest("hex")];
}

for (const transport of ["tls", "quic"] as const) {
  Deno.test({
    name:
      `alknet/ssh over ${transport}: ${
        SIZE / MIB
      } MiB through stdin and stdout at once to who reads slowly come back ` +
      "as they were, and the node does not grow (ssh.md row 3)",
    ...needs("ssh", "ssh-keygen", "linux"),
    async fn() {
      await using node = await sshProcess(transport);
      // What has been used once is not what grows.
      await through(node.options, 48 * MIB, 0);
      const before = residentMemory(node.pid);
      using memory = watchMemory(node.pid);
      const [sent, got] = await through(node.options, SIZE, REST);
      assert.equal(got, sent);
      const gain = memory.highest - before;
      console.log(
        `${transport}: the node grew by ${(gain / MIB).toFixed(1)} MiB from ${(before / MIB).toFixed(0)} MiB`,
      );
      assert.ok(gain < GAIN, `${gain / MIB} MiB`);
    },
  });
}

Deno.test({
  name:
    "alknet/ssh: a client that grants 4 GiB and reads nothing is not written to, and the node does not grow (ssh.md row 3)",
  ...needs("ssh-keygen", "linux"),
  async fn() {
    await using node = await sshProcess();
    await using peer = await sshClient(node);
    await peer.ready;
    const before = residentMemory(node.pid);
    using memory = watchMemory(node.pid);
    const pidFile = `${node.folder}/pid`;
    const channel = await peer.exec(`echo $$ > ${pidFile}; exec cat /dev/zero`);
    peer.socket.pause();
    peer.protocol.channelWindowAdjust(channel.outgoing.id, 2 ** 32 - 1 - 4 * MIB);
    await until(() => Deno.stat(pidFile).then(({ size }) => size > 0, () => false), "the program");
    const pid = Number(await Deno.readTextFile(pidFile));
    const written = (): string => /^wchar: (\d+)$/m.exec(Deno.readTextFileSync(`/proc/${pid}/io`))![1];
    // It writes until nobody takes it: twice the same count, well apart.
    let last = "";
    let same = 0;
    await until(() => {
      same = written() === last ? same + 1 : 0;
      last = written();
      return same > 20;
    }, "a standstill");
    assert.ok(memory.highest - before < GAIN, `${(memory.highest - before) / MIB} MiB`);
  },
});

Deno.test({
  name:
    "alknet/ssh: standard output and standard error at once, more than the window of each, come as they were (RFC 4254 §5.2)",
  ...needs("ssh", "ssh-keygen"),
  async fn() {
    await using node = await sshNode({ policy: { exec: true } });
    const size = 24 * MIB;
    for (const [name, byte] of [["one", 3], ["two", 5]] as const) {
      await Deno.writeFile(`${node.folder}/${name}`, Uint8Array.from({ length: size }, (_, at) => (at * byte) >>> 3));
    }
    const command = `cd '${node.folder}'; cat one & cat two >&2; wait`;
    const ssh = ["ssh", ...node.options, "anyone@node", command].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
    const { code, stderr } = await runProgram("sh", ["-c", `${ssh.join(" ")} > one.out 2> two.out`], {
      cwd: node.folder,
    });
    assert.equal(code, 0, stderr);
    for (const name of ["one", "two"]) {
      assert.equal((await runProgram("cmp", [`${node.folder}/${name}`, `${node.folder}/${name}.out`])).stdout, "");
    }
  },
});

Deno.test({
  name:
    "alknet/ssh: a client whose packets may have no byte is served all the same, and holds nobody up (ssh.md row 10)",
  ...needs("ssh-keygen"),
  async fn() {
    await using node = await sshProcess();
    await using peer = await sshClient(node);
    await peer.ready;
    const inside = peer.protocol as unknown as {
      session(channel: number, window: number, packet: number): void;
    };
    const { session } = inside;
    inside.session = (channel, window) => session.call(inside, channel, window, 0);
    const channel = await peer.exec("head -c 100000 /dev/zero");
    let got = 0;
    await new Promise<void>((resolve) => {
      channel.on("data", (data: Uint8Array) => got += data.byteLength).on("close", () => resolve());
    });
    assert.equal(got, 100_000);
  },
});
