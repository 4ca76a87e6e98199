/**
 * Messages that ssh2 would let pass, and channels that it would forget (ssh.md row 10).
 *
 * @module
 */
import "../node.ts";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { isWhole } from "../../../../handlers/ssh/protocol/inbound.ts";
import { childrenOf } from "../../../support/proc.ts";
import { needs } from "../../../support/programs.ts";
import { sshClient, type TestClient } from "../client.ts";
import { sshNode } from "../node.ts";
import { until } from "../node_process.ts";

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const text = (value: string): Buffer => Buffer.concat([uint32(Buffer.byteLength(value)), Buffer.from(value)]);
const message = (type: number, ...fields: (Buffer | number)[]): Buffer => {
  return Buffer.concat([Buffer.of(type), ...fields.map((one) => typeof one === "number" ? uint32(one) : one)]);
};
const YES = Buffer.of(1);
const TOO_LONG = Buffer.concat([uint32(1000), Buffer.from("short")]);

const MESSAGES: readonly (readonly [what: string, payload: Buffer, isWhole: boolean])[] = [
  ["a session", message(90, text("session"), 0, 1, 1), true],
  ["a session without a size", message(90, text("session"), 0, 1), false],
  ["a kind that does not fit", message(90, TOO_LONG), false],
  ["a connection", message(90, text("direct-tcpip"), 0, 1, 1, text("host"), 22, text("from"), 1), true],
  [
    "a connection to what does not fit",
    message(90, text("direct-tcpip"), 0, 1, 1, TOO_LONG, 22, text("from"), 1),
    false,
  ],
  [
    "a connection from what does not fit",
    message(90, text("direct-tcpip"), 0, 1, 1, text("a"), 22, TOO_LONG, 1),
    false,
  ],
  ["a connection without a port", message(90, text("direct-tcpip"), 0, 1, 1, text("host")), false],
  ["a channel of another kind", message(90, text("x@y"), 0, 1, 1, Buffer.of(255)), true],
  ["a listener", message(80, text("tcpip-forward"), YES, text("localhost"), 0), true],
  ["a listener at what does not fit", message(80, text("tcpip-forward"), YES, TOO_LONG, 0), false],
  ["a request that names nothing", message(80), false],
  ["a variable", message(98, 0, text("env"), YES, text("A"), text("B")), true],
  ["a variable whose name does not fit", message(98, 0, text("env"), YES, uint32(99), text("B")), false],
  ["a terminal", message(98, 0, text("pty-req"), YES, text("vt100"), 80, 24, 0, 0, text("\0")), true],
  [
    "a terminal of a kind that does not fit",
    message(98, 0, text("pty-req"), YES, TOO_LONG, 80, 24, 0, 0, text("")),
    false,
  ],
  ["a command", message(98, 0, text("exec"), YES, text("true")), true],
  ["a command that does not fit", message(98, 0, text("exec"), YES, uint32(5), Buffer.from("true")), false],
  ["a length that is more than any", message(98, 0, uint32(0xffffffff)), false],
  ["the name of what every object has", message(98, 0, text("constructor"), YES), true],
  ["what is looked at elsewhere", message(94, 0), true],
];
for (const [what, payload, whole] of MESSAGES) {
  Deno.test(`isWhole(): ${what} (RFC 4251 §5)`, () => assert.equal(isWhole(payload), whole));
}

/** Sends a packet of one's own. */
function send({ protocol }: TestClient, payload: Buffer): void {
  const packet = protocol._cipher.allocPacket(payload.length);
  packet.set(payload, 5);
  protocol._cipher.encrypt(packet);
}

/** Calls back with each payload that comes. */
function onPayload({ protocol }: TestClient, heard: (payload: Uint8Array) => void): void {
  const { _decipher } = protocol as unknown as { _decipher: { _onPayload(payload: Uint8Array): unknown } };
  const { _onPayload } = _decipher;
  _decipher._onPayload = (payload) => {
    heard(payload);
    return _onPayload(payload);
  };
}

for (
  const [what, payload] of [
    ["a connection to a host that does not fit", MESSAGES[4][1]],
    ["a listener at a host that does not fit", MESSAGES[9][1]],
  ] as const
) {
  Deno.test({
    name: `alknet/ssh: ${what} ends the connection, and no other (ssh.md row 10)`,
    ...needs("ssh-keygen"),
    async fn() {
      await using node = await sshNode({ policy: { exec: true, forward: ["*:*"], listen: ["*:*"] } });
      const to = { address: `${node.nodeId}@127.0.0.1:${node.port}`, key: `${node.folder}/user` };
      await using beside = await sshClient(to);
      await beside.ready;
      await using peer = await sshClient(to);
      await peer.ready;
      peer.client.on("error", () => {});
      send(peer, payload);
      await peer.closed;
      (await beside.exec("true")).resume();
    },
  });
}

Deno.test({
  name: "alknet/ssh: data for which there is no window ends the connection (RFC 4254 §5.2, ssh.md row 10)",
  ...needs("ssh-keygen"),
  async fn() {
    await using node = await sshNode({ policy: { exec: true } });
    await using peer = await sshClient({
      address: `${node.nodeId}@127.0.0.1:${node.port}`,
      key: `${node.folder}/user`,
    });
    await peer.ready;
    peer.client.on("error", () => {});
    const before = childrenOf(Deno.pid).length;
    const { outgoing } = await peer.exec("sleep 1000");
    const data = message(94, outgoing.id, text("x".repeat(32 * 1024)));
    onPayload(peer, ([type]) => assert.notEqual(type, 93, "nobody reads, so there is no more window"));
    // The window is 2 MiB; this is 10.
    for (let sent = 0; sent < 320 && peer.socket.writable; sent++) send(peer, data);
    await peer.closed;
    await until(() => childrenOf(Deno.pid).length === before, "the end of what ran");
  },
});

Deno.test({
  name: "alknet/ssh: sessions in which nothing runs are 64 at most, and closed ones make room (ssh.md row 10)",
  ...needs("ssh-keygen"),
  async fn() {
    await using node = await sshNode({ policy: { exec: true } });
    await using peer = await sshClient({
      address: `${node.nodeId}@127.0.0.1:${node.port}`,
      key: `${node.folder}/user`,
    });
    await peer.ready;
    const answers: number[] = [];
    let wanted = 0;
    let come = (): void => {};
    onPayload(peer, ([type]) => {
      if (type >= 91) answers.push(type);
      if (answers.length === wanted) come();
    });
    const all = async (count: number, each: (at: number) => Buffer): Promise<number[]> => {
      const begun = answers.length;
      wanted = begun + count;
      const whole = new Promise<void>((resolve) => come = resolve);
      for (let at = 0; at < count; at++) send(peer, each(at));
      await whole;
      return answers.slice(begun);
    };
    const open = (at: number): Buffer => message(90, text("session"), 1000 + at, 1, 1);
    assert.deepEqual(await all(66, open), [...Array(64).fill(91), 92, 92]);
    assert.deepEqual(await all(64, (at) => message(97, at)), Array(64).fill(97));
    assert.deepEqual(await all(1, open), [91]);
  },
});
