import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  ClientHelloReader,
  MAX_HELLO_DATAGRAMS,
  MAX_HELLO_LENGTH,
  MAX_INITIALS_PER_DATAGRAM,
} from "../../../../../../core/transports/quic/engine/admission/client_hello.ts";
import { loadQuiche } from "../../../../../../core/transports/quic/engine/binding.ts";
import { type Random, seeded } from "../../../../../support/random.ts";
import captured from "../../../../../vectors/quic-client-hellos.json" with { type: "json" };
import rfc from "../../../../../vectors/quic-initial.json" with { type: "json" };
import {
  bytes,
  clientHello,
  concat,
  cryptoFrame,
  helloMessage,
  hex,
  type InitialPacket,
  sealInitial,
  sized,
  toHex,
  varint,
} from "./initial_packets.ts";

const DCID = hex("8394c8f03e515708");
const HELLO = clientHello({ alpns: ["alknet/echo", "h3"], serverName: "node.example" });
const ANSWER = { alpns: ["alknet/echo", "h3"], serverName: "node.example" };

/** What a reader says to one datagram, or to the last of several. */
function read(...datagrams: Uint8Array[]): unknown {
  const reader = new ClientHelloReader();
  let said: unknown;
  for (const datagram of datagrams) said = reader.feed(datagram);
  return said;
}

function seal(payload: Uint8Array, options: Partial<InitialPacket> = {}): Uint8Array {
  return sealInitial({ dcid: DCID, payload, ...options });
}

/** The datagram that carries a hello in one frame. */
function carry(hello: Uint8Array): Uint8Array {
  return seal(cryptoFrame(0, hello));
}

Deno.test("ClientHelloReader: the client Initial of RFC 9001 A.2", () => {
  const { packet, alpns, serverName } = rfc.vectors.initial;
  assert.deepEqual(read(hex(packet)), { alpns, serverName });
});

Deno.test("ClientHelloReader: the hello of RFC 8448 §3, with a server name and no ALPN", () => {
  const { hello, alpns, serverName } = rfc.vectors.rfc8448_hello;
  assert.deepEqual(read(carry(hex(hello))), { alpns, serverName });
});

for (const { client, datagrams, alpns, serverName } of captured.vectors) {
  Deno.test(`ClientHelloReader: captured from ${client}`, () => {
    const whole = datagrams.map(hex);
    const reader = new ClientHelloReader();
    const said = whole.map((datagram) => reader.feed(datagram));
    assert.deepEqual(said, [...whole.slice(1).map(() => "more"), { alpns, serverName }]);
    assert.deepEqual(whole.map(toHex), datagrams, "the datagrams are as they were");
    assert.deepEqual(read(...whole.toReversed()), { alpns, serverName }, "in the other order");
    const doubled = whole.flatMap((datagram) => [datagram, datagram]);
    assert.deepEqual(read(...doubled), { alpns, serverName }, "each twice");
    const buffers = datagrams.map((text) => Buffer.from(text, "hex"));
    assert.deepEqual(read(...buffers), { alpns, serverName }, "as Buffers, whose slice() is a view");
  });
}

Deno.test("ClientHelloReader: the binding's own client, live", async () => {
  const quiche = await loadQuiche();
  const config = quiche.Config.withBoringSslCtx(false, true, null, null, null, "ed25519");
  const alpns = Array.from({ length: 200 }, (_, i) => `alknet/test-${i}`);
  config.setApplicationProtos(alpns);
  const local = { host: "127.0.0.1", port: 1 };
  const remote = { host: "127.0.0.1", port: 2 };
  const client = quiche.Connection.connect("x.example", new Uint8Array(16).fill(7), local, remote, config);
  const room = new Uint8Array(1500);
  const reader = new ClientHelloReader();
  const said: unknown[] = [];
  for (let sent = client.send(room); sent; sent = client.send(room)) said.push(reader.feed(room.subarray(0, sent[0])));
  assert.deepEqual(said, ["more", "more", { alpns, serverName: "x.example" }]);
});

Deno.test("ClientHelloReader: any cut, order, overlap and repetition of CRYPTO frames gives the same hello (RFC 9000 §19.6)", () => {
  const random = seeded("CRYPTO frames");
  for (let round = 0; round < 1500; round++) {
    const alpns = Array.from({ length: random.below(4) }, (_, i) => `p${i}${"x".repeat(random.below(60))}`);
    const serverName = random.chance(0.5) ? "n".repeat(random.between(1, 200)) : undefined;
    const fill = random.pick([0, 0, 100, 1200, 1800, 5000]);
    const hello = clientHello({ alpns: alpns.length ? alpns : undefined, serverName, fill });
    const datagrams = random.chance(0.5) ? scattered(random, hello) : inOrder(random, hello);
    const reader = new ClientHelloReader();
    const said = datagrams.map((datagram) => reader.feed(datagram));
    const expected = serverName === undefined ? { alpns } : { alpns, serverName };
    assert.deepEqual(said.at(-1), expected, `round ${round}`);
  }
});

/** Frames that cover the hello, some of them twice or overlapping, shuffled over up to ten datagrams. */
function scattered(random: Random, hello: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < hello.length;) {
    const end = Math.min(hello.length, at + random.between(1, random.pick([3, 50, 1000])));
    const from = Math.max(0, at - random.below(20));
    frames.push(cryptoFrame(from, hello.subarray(from, Math.min(hello.length, end + random.below(20)))));
    if (random.chance(0.2)) frames.push(cryptoFrame(at, hello.subarray(at, end)));
    if (random.chance(0.2)) frames.push(random.chance(0.5) ? bytes(0x01) : new Uint8Array(random.below(9)));
    at = end;
  }
  for (let i = frames.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [frames[i], frames[j]] = [frames[j], frames[i]];
  }
  const count = random.between(1, MAX_HELLO_DATAGRAMS);
  const payloads = Array.from({ length: count }, (): Uint8Array[] => []);
  frames.forEach((frame, i) => payloads[i * count / frames.length | 0].push(frame));
  // A packet without frames would be a violation.
  return payloads.map((list, number) => seal(concat(bytes(0x01), ...list), { number }));
}

function inOrder(random: Random, hello: Uint8Array): Uint8Array[] {
  const count = random.between(1, 5);
  const size = Math.ceil(hello.length / count);
  return Array.from(
    { length: count },
    (_, i) => seal(cryptoFrame(i * size, hello.subarray(i * size, (i + 1) * size)), { number: i, numberLength: 1 }),
  );
}

Deno.test("ClientHelloReader: frames and packets around the hello (RFC 9000 §12.2, §12.4, §19)", () => {
  const hello = cryptoFrame(0, HELLO);
  // No field of it would pass for a frame type.
  const ack = bytes(0x02, 9, 9, 2, 9, 9, 9, 9, 9);
  const handshake = concat(hex("e000000001"), bytes(8), DCID, bytes(0, 3, 1, 2, 3));
  const other = seal(cryptoFrame(0, clientHello({ alpns: ["other"] })), { dcid: hex("ffffffffffffffff"), size: 0 });
  const cases: [string, Uint8Array[], unknown][] = [
    ["PADDING, PING, ACK", [seal(concat(bytes(0, 0, 1), ack, hello))], ANSWER],
    ["ACK with ECN counts", [seal(concat(bytes(0x03, 9, 0, 0, 1, 1, 2, 3), hello))], ANSWER],
    ["a token", [seal(hello, { token: new Uint8Array(300).fill(1) })], ANSWER],
    ["connection IDs of 20 bytes", [seal(hello, { dcid: new Uint8Array(20), scid: new Uint8Array(20) })], ANSWER],
    ["behind a Handshake packet", [concat(handshake, seal(hello))], ANSWER],
    ["before bytes that are no packet", [concat(seal(hello), new Uint8Array(50))], ANSWER],
    ["two Initials in a datagram", [
      concat(
        seal(cryptoFrame(0, HELLO.subarray(0, 9)), { size: 0 }),
        seal(cryptoFrame(9, HELLO.subarray(9)), { number: 1 }),
      ),
    ], ANSWER],
    ["behind another connection's Initial in the second datagram", [
      seal(cryptoFrame(0, HELLO.subarray(0, 9))),
      concat(other, seal(cryptoFrame(9, HELLO.subarray(9)), { number: 1 })),
    ], ANSWER],
    ["a forged datagram between", [
      seal(cryptoFrame(0, HELLO.subarray(0, 9))),
      seal(cryptoFrame(9, HELLO.subarray(9)), { keysOf: bytes(1) }),
      seal(cryptoFrame(9, HELLO.subarray(9)), { number: 1 }),
    ], ANSWER],
    ["a datagram below 1200 bytes between", [
      seal(cryptoFrame(0, HELLO.subarray(0, 9))),
      seal(cryptoFrame(9, HELLO.subarray(9)), { size: 1199 }),
    ], "more"],
    ["a later datagram of another connection", [
      seal(cryptoFrame(0, HELLO.subarray(0, 9))),
      seal(cryptoFrame(9, HELLO.subarray(9)), { dcid: hex("ffffffffffffffff") }),
    ], "more"],
    ["the same keys under another connection ID", [
      seal(cryptoFrame(0, HELLO.subarray(0, 9))),
      seal(cryptoFrame(9, HELLO.subarray(9)), { dcid: hex("ffffffffffffffff"), keysOf: DCID }),
    ], "more"],
    ["nothing but PING", [seal(bytes(1))], "more"],
  ];
  for (const [name, datagrams, expected] of cases) assert.deepEqual(read(...datagrams), expected, name);
});

Deno.test("ClientHelloReader: what no client may send is invalid, for good", () => {
  const hello = cryptoFrame(0, HELLO);
  const frames: [string, Uint8Array][] = [
    ["a STREAM frame", concat(bytes(0x08, 0, 0), hello)],
    ["HANDSHAKE_DONE", concat(bytes(0x1e), hello)],
    ["CONNECTION_CLOSE: the client has given up", concat(bytes(0x1c, 0, 0, 0), hello)],
    ["a frame type in two bytes", concat(bytes(0x40, 0x06), hello.subarray(1))],
    [
      "CRYPTO past the end of the packet",
      concat(new Uint8Array(1200), bytes(0x06), varint(0), varint(HELLO.length + 1), HELLO),
    ],
    ["CRYPTO beyond the bound", cryptoFrame(MAX_HELLO_LENGTH, bytes(1))],
    ["CRYPTO at 2^62-1", concat(bytes(0x06), hex("ffffffffffffffff"), bytes(1, 1))],
    ["an ACK that counts 2^62-1 ranges", concat(bytes(0x02, 0, 0), hex("ffffffffffffffff"), hello)],
    ["another message than ClientHello", cryptoFrame(0, concat(bytes(2), HELLO.subarray(1)))],
    ["a hello longer than the bound", cryptoFrame(0, concat(bytes(1, 0, 0x40, 0), HELLO.subarray(4)))],
    [
      "a byte that comes again with another value",
      concat(cryptoFrame(1, HELLO.subarray(1, 9)), cryptoFrame(0, bytes(1, 9))),
    ],
  ];
  for (const [name, payload] of frames) {
    const reader = new ClientHelloReader();
    assert.equal(reader.feed(seal(payload)), "invalid", name);
    assert.equal(reader.feed(seal(hello, { number: 1 })), "invalid", `${name}, then a good one`);
  }
  const noFrames = sealInitial({ dcid: DCID, payload: bytes(), size: 0 });
  const firsts: [string, Uint8Array][] = [
    ["nothing", bytes()],
    ["zeros", new Uint8Array(1200)],
    ["a datagram of 1199 bytes", seal(hello, { size: 1199 })],
    ["a destination connection ID of 7 bytes", seal(hello, { dcid: new Uint8Array(7) })],
    ["keys of another connection ID", seal(hello, { keysOf: bytes(1) })],
    ["a reserved bit", seal(hello, { firstBits: 0x04 })],
    ["version 2", Uint8Array.from(seal(hello), (byte, i) => i === 1 ? 0x6b : byte)],
    ["a packet without frames", concat(noFrames, new Uint8Array(1200))],
    [
      "more Initials than a datagram may hold",
      concat(
        ...Array.from(
          { length: MAX_INITIALS_PER_DATAGRAM + 1 },
          (_, number) => seal(bytes(1, 1, 1), { number, size: 300 }),
        ),
      ),
    ],
  ];
  for (const [name, datagram] of firsts) assert.equal(read(datagram), "invalid", name);
});

Deno.test("ClientHelloReader: as many Initials as a datagram may hold are read", () => {
  const count = MAX_INITIALS_PER_DATAGRAM;
  const parts = Array.from({ length: count - 1 }, (_, number) => seal(bytes(1, 1, 1), { number, size: 100 }));
  assert.deepEqual(read(concat(...parts, seal(cryptoFrame(0, HELLO), { number: count }))), ANSWER);
});

Deno.test("ClientHelloReader: at most ten datagrams, at most 16 KiB", () => {
  const reader = new ClientHelloReader();
  for (let i = 0; i < MAX_HELLO_DATAGRAMS; i++) assert.equal(reader.feed(seal(bytes(1), { number: i })), "more");
  assert.equal(reader.feed(carry(HELLO)), "invalid");

  const empty = clientHello({ alpns: ["a"], fill: 1 }).length - 1;
  const largest = clientHello({ alpns: ["a"], fill: MAX_HELLO_LENGTH - empty });
  assert.equal(largest.length, MAX_HELLO_LENGTH);
  assert.deepEqual(read(carry(largest)), { alpns: ["a"] });
  const half = MAX_HELLO_LENGTH / 2;
  const backwards = [seal(cryptoFrame(half, largest.subarray(half))), seal(cryptoFrame(0, largest.subarray(0, half)))];
  assert.deepEqual(read(...backwards), { alpns: ["a"] });
  assert.equal(read(carry(clientHello({ alpns: ["a"], fill: MAX_HELLO_LENGTH - empty + 1 }))), "invalid");
});

Deno.test("ClientHelloReader: the hello's own lengths and lists (RFC 8446 §4.1.2, RFC 7301 §3.1, RFC 6066 §3)", () => {
  const fixed = concat(bytes(3, 3), new Uint8Array(32), bytes(0), bytes(0, 2, 0x13, 1), bytes(1, 0));
  const list = (content: Uint8Array) => clientHello({ extensions: [[16, content]] });
  const name = (content: Uint8Array) => clientHello({ extensions: [[0, content]] });
  const host = (text: string) => concat(bytes(0), sized(2, Buffer.from(text)));
  const cases: [string, Uint8Array, unknown][] = [
    ["neither extension", clientHello({}), { alpns: [] }],
    ["no extensions at all", helloMessage(fixed), { alpns: [] }],
    ["empty extensions", helloMessage(concat(fixed, bytes(0, 0))), { alpns: [] }],
    ["bytes above ASCII, one character each", clientHello({ alpns: ["\xff\x80"] }), { alpns: ["\xff\x80"] }],
    ["a name of 255 bytes", clientHello({ alpns: ["a".repeat(255)] }), { alpns: ["a".repeat(255)] }],
    ["an empty body", helloMessage(bytes()), "invalid"],
    ["a cut session ID", helloMessage(fixed.subarray(0, 34)), "invalid"],
    ["a byte behind the extensions", helloMessage(concat(fixed, bytes(0, 0, 0))), "invalid"],
    ["extensions longer than the message", helloMessage(concat(fixed, bytes(0, 9, 0, 16, 0))), "invalid"],
    ["an extension longer than the extensions", helloMessage(concat(fixed, sized(2, bytes(0, 16, 0, 9)))), "invalid"],
    ["a cut extension header", helloMessage(concat(fixed, sized(2, bytes(0, 16, 0)))), "invalid"],
    ["ALPN twice", clientHello({ alpns: ["a"], extensions: [[16, bytes(0, 2, 1, 97)]] }), "invalid"],
    ["ALPN without a list", list(bytes()), "invalid"],
    ["ALPN with an empty list", list(bytes(0, 0)), "invalid"],
    ["an empty protocol name", list(bytes(0, 3, 1, 97, 0)), "invalid"],
    ["a protocol name past the list", list(bytes(0, 2, 2, 97)), "invalid"],
    ["a byte behind the list", list(bytes(0, 2, 1, 97, 0)), "invalid"],
    ["server name twice", clientHello({ serverName: "a", extensions: [[0, sized(2, host("a"))]] }), "invalid"],
    ["no server name in the list", name(bytes(0, 0)), "invalid"],
    ["an empty host name", name(sized(2, host(""))), "invalid"],
    ["two host names", name(sized(2, concat(host("a"), host("b")))), "invalid"],
    ["a name of another type", name(sized(2, bytes(1, 0, 1, 97))), "invalid"],
    ["a host name of 256 bytes", name(sized(2, host("a".repeat(256)))), "invalid"],
    ["a zero in the host name", name(sized(2, host("a\0b"))), "invalid"],
  ];
  for (const [what, hello, expected] of cases) assert.deepEqual(read(carry(hello)), expected, what);
});

Deno.test("ClientHelloReader: 20,000 mutated datagrams and payloads: no throw, an answer each", () => {
  const random = seeded("ClientHelloReader fuzz");
  const datagrams = [
    ...captured.vectors.flatMap((vector) => vector.datagrams.map(hex)),
    hex(rfc.vectors.initial.packet),
  ];
  const payloads = [cryptoFrame(0, HELLO), concat(bytes(1, 2, 9, 0, 1, 1, 1, 1), cryptoFrame(0, HELLO))];
  const tally = { more: 0, invalid: 0, hello: 0 };
  for (let i = 0; i < 20_000; i++) {
    const reader = new ClientHelloReader();
    // Half of them are sealed after the mutation, so that it reaches the frames and the hello.
    for (let n = random.between(1, 3); n > 0; n--) {
      const datagram = random.chance(0.5)
        ? random.mutate(random.pick(datagrams))
        : seal(random.mutate(random.pick(payloads)), { number: n });
      const said = reader.feed(datagram);
      tally[typeof said === "string" ? said : "hello"]++;
    }
  }
  assert(tally.more > 100 && tally.invalid > 100 && tally.hello > 100, JSON.stringify(tally));
});
