import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { loadQuiche } from "../../../../../../core/transports/quic/engine/binding.ts";
import { ClientHelloReader } from "../../../../../../core/transports/quic/engine/admission/client_hello.ts";
import { parseLongHeader } from "../../../../../../core/transports/quic/engine/admission/packet_header.ts";
import {
  encodeRetry,
  encodeVersionNegotiation,
  RetryTokens,
  TOKEN_KEY_PERIOD,
  TOKEN_LIFETIME,
} from "../../../../../../core/transports/quic/engine/admission/retry.ts";
import { Random } from "../../../../../support/random.ts";
import vectors from "../../../../../vectors/quic-initial.json" with { type: "json" };
import { bytes, concat, hex, sealInitial, toHex } from "./initial_packets.ts";

const ODCID = hex("8394c8f03e515708");
const SCID = hex("00112233445566778899aabbccddeeff");
const ADDRESS = { hostname: "192.0.2.1", port: 4433 };
const START = 1_700_000_000_000.25;

/** Tokens on a clock that the test turns. */
function onClock(options?: ConstructorParameters<typeof RetryTokens>[2]) {
  const clock = { now: START };
  return { clock, tokens: new RetryTokens(() => clock.now, undefined, options) };
}

Deno.test("encodeRetry: the packet of RFC 9001 A.4", () => {
  const { odcid, dcid, scid, token, packet } = vectors.vectors.retry;
  assert.equal(
    toHex(encodeRetry({ odcid: hex(odcid), dcid: hex(dcid), scid: hex(scid), token: hex(token) })),
    packet,
  );
});

Deno.test("encodeRetry: the binding's client answers with the token, to the new connection ID (RFC 9000 §17.2.5.2)", async () => {
  const quiche = await loadQuiche();
  const config = quiche.Config.withBoringSslCtx(false, true, null, null, null, "ed25519");
  config.setApplicationProtos(["alknet/echo"]);
  const here = { host: "127.0.0.1", port: 4433 };
  const client = quiche.Connection.connect("x.example", new Uint8Array(16).fill(7), here, here, config);
  const room = new Uint8Array(1500);
  const next = () => {
    const sent = client.send(room);
    return sent && new Uint8Array(room.subarray(0, sent[0]));
  };
  const first = parseLongHeader(next()!)!;
  const { tokens } = onClock();
  const token = tokens.mint({ address: ADDRESS, odcid: first.dcid, scid: SCID });
  const retry = encodeRetry({ dcid: first.scid, scid: SCID, odcid: first.dcid, token });
  assert.equal(parseLongHeader(retry)?.type, "retry");
  const spoiled = new Uint8Array(retry);
  spoiled[spoiled.length - 1] ^= 1;
  client.recv(spoiled, { from: here, to: here });
  assert.equal(next(), null, "a spoiled tag is passed over");

  client.recv(new Uint8Array(retry), { from: here, to: here });
  const again = next();
  assert(again);
  const second = parseLongHeader(again)!;
  assert.equal(toHex(second.dcid), toHex(SCID));
  assert.equal(toHex(second.token), toHex(token));
  assert.deepEqual(tokens.open(second.token, ADDRESS, second.dcid), { odcid: first.dcid });
  // The keys of the second Initial derive from our connection ID (RFC 9001 §5.2).
  assert.deepEqual(new ClientHelloReader().feed(again), { alpns: ["alknet/echo"], serverName: "x.example" });
});

Deno.test("RetryTokens: a token is good for its address, port, connection ID and time (RFC 9000 §8.1.4)", () => {
  const { clock, tokens } = onClock();
  for (const odcid of [bytes(), ODCID, new Uint8Array(20).fill(9)]) {
    const token = tokens.mint({ address: ADDRESS, odcid, scid: SCID });
    assert.deepEqual(tokens.open(token, { ...ADDRESS }, new Uint8Array(SCID)), { odcid });
    const others: [string, () => unknown][] = [
      ["another address", () => tokens.open(token, { ...ADDRESS, hostname: "192.0.2.2" }, SCID)],
      ["another family", () => tokens.open(token, { ...ADDRESS, hostname: "::ffff:192.0.2.1" }, SCID)],
      ["another port", () => tokens.open(token, { ...ADDRESS, port: 4434 }, SCID)],
      ["a port 256 higher", () => tokens.open(token, { ...ADDRESS, port: 4433 + 256 }, SCID)],
      ["another connection ID", () => tokens.open(token, ADDRESS, SCID.toReversed())],
      ["the original connection ID", () => tokens.open(token, ADDRESS, ODCID)],
      ["a shorter connection ID", () => tokens.open(token, ADDRESS, SCID.subarray(1))],
      ["a connection ID too long", () => tokens.open(token, ADDRESS, new Uint8Array(300))],
      ["another process", () => onClock().tokens.open(token, ADDRESS, SCID)],
    ];
    for (const [name, open] of others) assert.equal(open(), undefined, name);
  }
  const token = tokens.mint({ address: ADDRESS, odcid: ODCID, scid: SCID });
  clock.now = START + TOKEN_LIFETIME - 0.25;
  assert(tokens.open(token, ADDRESS, SCID), "at the end of its life");
  clock.now += 1;
  assert.equal(tokens.open(token, ADDRESS, SCID), undefined, "past it");
  clock.now = START - 1000;
  assert.equal(tokens.open(token, ADDRESS, SCID), undefined, "from the future");
});

Deno.test("RetryTokens: the host and what stands before it cannot be shifted into each other", () => {
  const { tokens } = onClock();
  const token = tokens.mint({ address: { hostname: "12.0.0.1", port: 0x3130 }, odcid: ODCID, scid: bytes(1, 2) });
  assert.equal(tokens.open(token, { hostname: "2.0.0.1", port: 0x3031 }, bytes(1, 2, 0x31)), undefined);
});

Deno.test("RetryTokens: the key before is accepted, the one before that is not", () => {
  const { clock, tokens } = onClock({ lifetime: 10 * TOKEN_KEY_PERIOD });
  const mint = () => tokens.mint({ address: ADDRESS, odcid: ODCID, scid: SCID });
  const old = mint();
  clock.now += TOKEN_KEY_PERIOD;
  const young = mint();
  assert(tokens.open(old, ADDRESS, SCID), "after one rotation");
  assert(tokens.open(young, ADDRESS, SCID));
  clock.now += TOKEN_KEY_PERIOD;
  assert.equal(tokens.open(old, ADDRESS, SCID), undefined, "after two rotations");
  assert(tokens.open(young, ADDRESS, SCID));
  const last = mint();
  clock.now += 2 * TOKEN_KEY_PERIOD;
  assert.equal(tokens.open(last, ADDRESS, SCID), undefined, "after a quiet time of two periods");
});

Deno.test("RetryTokens: a token changed in any bit, cut or lengthened, and random bytes, give nothing", () => {
  const { tokens } = onClock();
  const token = tokens.mint({ address: ADDRESS, odcid: ODCID, scid: SCID });
  for (let bit = 0; bit < token.length * 8; bit++) {
    const changed = new Uint8Array(token);
    changed[bit >> 3] ^= 1 << (bit & 7);
    assert.equal(tokens.open(changed, ADDRESS, SCID), undefined, `bit ${bit}`);
  }
  for (let end = 0; end < token.length; end++) {
    assert.equal(tokens.open(token.subarray(0, end), ADDRESS, SCID), undefined);
  }
  assert.equal(tokens.open(concat(token, bytes(0)), ADDRESS, SCID), undefined);
  const random = new Random(8);
  for (let i = 0; i < 2000; i++) assert.equal(tokens.open(random.bytes(random.below(80)), ADDRESS, SCID), undefined);
});

Deno.test("RetryTokens: what open gives is a copy, of a Buffer too, and mint refuses a connection ID over 20 bytes", () => {
  const { tokens } = onClock();
  const token = Buffer.from(tokens.mint({ address: ADDRESS, odcid: ODCID, scid: SCID }));
  const { odcid } = tokens.open(token, ADDRESS, SCID)!;
  token.fill(0);
  assert.deepEqual(odcid, ODCID);
  assert.throws(() => tokens.mint({ address: ADDRESS, odcid: new Uint8Array(21), scid: SCID }), RangeError);
});

Deno.test("encodeVersionNegotiation: offers version 1 with the connection IDs swapped (RFC 9000 §17.2.1)", () => {
  const datagram = concat(hex("cafacade0a"), bytes(8), ODCID, bytes(2, 5, 6), new Uint8Array(1200 - 17));
  const answer = encodeVersionNegotiation(datagram, parseLongHeader(datagram)!);
  assert.equal(answer && toHex(answer), `c000000000${"02"}0506${"08"}${toHex(ODCID)}00000001`);
});

Deno.test("encodeVersionNegotiation: no answer below 1200 bytes, to version 1 or to a version negotiation (RFC 9000 §6.1)", () => {
  const unknown = concat(hex("cafacade0a"), bytes(8), ODCID, bytes(0), new Uint8Array(1200));
  const silent: [string, Uint8Array][] = [
    ["1199 bytes", unknown.subarray(0, 1199)],
    ["version 1", sealInitial({ dcid: ODCID, payload: bytes(1) })],
    ["version negotiation", Uint8Array.from(unknown, (byte, i) => i > 0 && i < 5 ? 0 : byte)],
  ];
  for (const [name, datagram] of silent) {
    assert.equal(encodeVersionNegotiation(datagram, parseLongHeader(datagram)!), undefined, name);
  }
  const widest = concat(hex("c0fafafafa"), bytes(255), new Uint8Array(255), bytes(255), new Uint8Array(1000));
  assert(encodeVersionNegotiation(widest, parseLongHeader(widest)!)!.length < widest.length);
});
