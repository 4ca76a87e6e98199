/**
 * Modes of terminals, and programs as another user (ssh.md row 2, layer 2).
 *
 * @module
 */
import "../node.ts";
import assert from "node:assert/strict";
import type { Duplex } from "node:stream";
import { connect } from "../../../../core/endpoint/dial.ts";
import { accountOf } from "../../../../handlers/ssh/session/account.ts";
import { ssh2 } from "../../../../handlers/ssh/protocol/ssh2.ts";
import { StreamSocket } from "../../../../handlers/ssh/protocol/stream_socket.ts";
import { sttyArguments } from "../../../../handlers/ssh/session/terminal_modes.ts";
import { runProgram } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { sshNode } from "../node.ts";

const MODES: readonly (readonly [name: string, bytes: number[], words: string])[] = [
  ["nothing", [], ""],
  ["the end alone", [0], ""],
  ["a character, a switch on, one off", [3, 0, 0, 0, 8, 53, 0, 0, 0, 1, 50, 0, 0, 0, 0, 0], "erase 0x8 echo -isig"],
  ["a character that does nothing", [1, 0, 0, 0, 255, 0], "intr undef"],
  ["a first value of 2^24 and more", [1, 255, 255, 255, 255, 53, 0, 0, 0, 0, 0], "-echo"],
  ["speeds and what is not known", [128, 0, 0, 150, 0, 77, 0, 0, 0, 1, 53, 0, 0, 0, 1], "echo"],
  ["an opcode that ends the list", [160, 0, 0, 0, 1, 53, 0, 0, 0, 1], ""],
  ["a list that is cut off", [53, 0, 0, 0, 0, 50, 0, 0], "-echo"],
];
for (const [name, bytes, words] of MODES) {
  Deno.test(`sttyArguments(): ${name} (RFC 4254 §8, ssh.md row 2)`, () => {
    assert.equal(sttyArguments(Uint8Array.from(bytes)).join(" "), words);
  });
}

interface ExecClient {
  exec(command: string, options: object, done: (error: Error | undefined, channel: Duplex) => void): void;
}

Deno.test({
  name: "alknet/ssh: a terminal has its client's modes; a first value of 2^24 ends nothing (ssh.md rows 2, 10)",
  ...needs("ssh-keygen"),
  async fn() {
    await using node = await sshNode({ policy: { shell: true, exec: true } });
    const connection = await connect(`${node.nodeId}@127.0.0.1:${node.port}`, "alknet/ssh", { transport: "tls" });
    const sock = new StreamSocket(await connection.open());
    const key = await Deno.readTextFile(`${node.folder}/user`);
    const client = new ssh2.Client();
    client.on("error", () => {});
    const closed = new Promise((resolve) => client.once("close", resolve));
    const ready = new Promise<unknown>((resolve, reject) => client.once("ready", resolve).once("error", reject));
    client.connect({
      sock,
      username: "anyone",
      authHandler: [{ type: "publickey", username: "anyone", key }],
      hostVerifier: () => true,
      algorithms: { cipher: ["chacha20-poly1305@openssh.com"] },
      readyTimeout: 30_000,
      keepaliveInterval: 0,
      keepaliveCountMax: 3,
    });
    await ready;
    const stty = (modes: Record<string, number>): Promise<string> =>
      new Promise((resolve, reject) => {
        (client as unknown as ExecClient).exec("stty -a", { pty: { modes } }, (error, channel) => {
          if (error) return reject(error);
          let text = "";
          channel.on("data", (data) => text += data).on("close", () => resolve(text));
        });
      });
    const shown = await stty({ VINTR: 5, ECHO: 0 });
    assert.match(shown, /intr = \^E;/);
    assert.match(shown, /[ \n]-echo /);
    assert.match(await stty({ VINTR: 2 ** 24, ECHO: 0 }), /intr = \^C;[^]*[ \n]-echo /);
    client.end();
    await closed;
    connection.close();
  },
});

Deno.test({
  name: "accountOf(): a node that is root runs programs as another user, with that user's groups (ssh.md layer 2)",
  ...needs("linux", "root"),
  async fn() {
    const { name, prefix: [file, ...rest], home, shell } = await accountOf("nobody");
    assert.deepEqual([name, home !== "", shell !== ""], ["nobody", true, true]);
    assert.equal((await runProgram(file, [...rest, "id", "-un"])).stdout, "nobody\n");
    assert.ok(!/\broot\b/.test((await runProgram(file, [...rest, "id", "-Gn"])).stdout));
    const status = await runProgram(file, [...rest, "grep", "CapEff", "/proc/self/status"]);
    assert.match(status.stdout, /CapEff:\s+0+\n/);
    for (const wrong of ["no-such-user", "-x", "a:b", ""]) await assert.rejects(accountOf(wrong), Error, wrong);
  },
});

Deno.test({
  name: "alknet/ssh: a policy's user that is not there is refused with the reason (ssh.md layer 2)",
  ...needs("ssh", "ssh-keygen", "root"),
  async fn() {
    await using node = await sshNode({ policy: { exec: true, user: "no-such-user" } });
    const { code, stdout, stderr } = await node.ssh([], ["echo done"]);
    assert.deepEqual([code, stdout], [127, ""]);
    assert.match(stderr, /no user no-such-user/);
  },
});
