import assert from "node:assert/strict";
import { NodeKey } from "../../../../../../core/identity/node_key.ts";
import { Gate } from "../../../../../../core/limits/gate.ts";
import { limitsWith } from "../../../../../../core/limits/limits.ts";
import { Acceptor } from "../../../../../../core/transports/quic/engine/admission/acceptor.ts";
import { parseLongHeader } from "../../../../../../core/transports/quic/engine/admission/packet_header.ts";
import { clientHello, cryptoFrame, hex, sealInitial } from "./initial_packets.ts";

const REMOTE = { hostname: "192.0.2.1", port: 4433 };
const DCID = hex("8394c8f03e515708");

/** An acceptor on a clock that the test turns, and what it is given. */
function accepting(maxHandshakeBytes: number) {
  const clock = { now: 0 };
  const limits = limitsWith({ maxHandshakeBytes });
  const gate = new Gate(limits, { now: () => clock.now });
  const profiles = { identity: NodeKey.generate().certificate() };
  const acceptor = new Acceptor({ gate, limits, profiles, now: () => clock.now, answer: () => {} });
  const hello = clientHello({ alpns: ["alknet/a"], fill: 2000 });
  const consider = (from: number, to: number) => {
    const payload = cryptoFrame(from, hello.subarray(from, to));
    const datagram = sealInitial({ dcid: DCID, payload });
    return acceptor.consider(datagram, parseLongHeader(datagram)!, REMOTE, "key");
  };
  return { clock, gate, acceptor, consider, length: hello.length };
}

Deno.test("Acceptor: a hello in pieces is a newcomer once it is whole, with its packets and its place", () => {
  const { gate, acceptor, consider, length } = accepting(64 * 1024);
  assert.equal(consider(0, 1000), undefined);
  assert.deepEqual([acceptor.pending, gate.handshakes], [1, 1]);
  assert.equal(consider(2000, length), undefined);
  const newcomer = consider(1000, 2000);
  assert.equal(newcomer?.datagrams.length, 3);
  assert.deepEqual([acceptor.pending, gate.handshakes], [0, 1]);
  newcomer.admission.release();
  assert.equal(gate.connections, 0);
});

Deno.test("Acceptor: a hello that takes more than maxHandshakeBytes, or too long, is dropped (core.md §13)", () => {
  const large = accepting(2 * 1200);
  for (let i = 0; i < 2; i++) large.consider(0, 1000);
  assert.equal(large.gate.connections, 1);
  large.consider(0, 1000);
  assert.deepEqual([large.acceptor.pending, large.gate.connections, large.gate.handshakes], [0, 0, 0]);

  const slow = accepting(64 * 1024);
  slow.consider(0, 1000);
  slow.clock.now = 9_999;
  slow.acceptor.sweep();
  assert.equal(slow.gate.connections, 1);
  slow.clock.now = 10_000;
  slow.acceptor.sweep();
  assert.deepEqual([slow.acceptor.pending, slow.gate.connections], [0, 0]);
});

Deno.test("Acceptor: once the answers of a second or of an address are used up, a refusal is not even sealed", () => {
  const clock = { now: 0 };
  const limits = limitsWith({ maxConnections: 1 });
  const gate = new Gate(limits, { now: () => clock.now });
  gate.close();
  let answers = 0;
  const profiles = { identity: NodeKey.generate().certificate() };
  const answer = () => void answers++;
  const acceptor = new Acceptor({ gate, limits, profiles, now: () => clock.now, answer });
  const hello = clientHello({ alpns: ["alknet/a"] });
  const datagram = sealInitial({ dcid: DCID, payload: cryptoFrame(0, hello) });
  // A refusal is addressed to the client's own id, which nothing else here looks at.
  let sealed = 0;
  const header = Object.defineProperty({ ...parseLongHeader(datagram)! }, "scid", {
    get: () => {
      sealed++;
      return new Uint8Array(8);
    },
  });
  for (let i = 0; i < 100; i++) acceptor.consider(datagram, header, REMOTE, `key ${i}`);
  assert.deepEqual([answers, sealed, gate.refused.get("shutdown")], [8, 8, 100]);
  for (let i = 0; i < 1500; i++) {
    const remote = { hostname: `198.51.${i >> 8}.${i & 0xff}`, port: 4433 };
    acceptor.consider(datagram, header, remote, `key ${i}`);
  }
  assert.deepEqual([answers, sealed], [1000, 1000]);
  clock.now = 1000;
  acceptor.consider(datagram, header, REMOTE, "key");
  assert.deepEqual([answers, sealed], [1001, 1001]);
});
