/**
 * What a node drops, and what it cannot tell (msg.md rows 40, 41, 42, 46).
 *
 * @module
 */
import assert from "node:assert/strict";
import { inspect } from "node:util";
import { ctr, hmac, joined, systemBytes, x25519, x25519Public } from "../../../../core/crypto/mod.ts";
import { writeLast, writeRelay } from "../../../../handlers/mix/packet/commands.ts";
import { makePacket } from "../../../../handlers/mix/packet/packet.ts";
import { SCHEME } from "../../../../handlers/mix/packet/scheme.ts";
import { answerSurb, makeSurb, SurbKeys } from "../../../../handlers/mix/packet/surb.ts";
import { unwrap, type Unwrapped } from "../../../../handlers/mix/packet/unwrap.ts";
import { decipherWide, encipherWide } from "../../../../handlers/mix/packet/wide_block.ts";
import { seeded } from "../../../support/random.ts";
import { along, at, back, flipped, forwarded, nodes, type TestNode, through, times } from "../paths.ts";

const random = systemBytes;
const { header: HEADER, delta: DELTA, gammaAt: GAMMA_AT, body: BODY } = SCHEME.layout;

/** Statistics repeat: of one seed they are as they are. */
const SEED = 1;

/** Refused, and why. */
function why(out: Unwrapped): string {
  return out.kind === "refused" ? out.why : out.kind;
}

/** Takes every packet for new, in every epoch: so that nothing hides what else is wrong. */
const taking = ({ key }: TestNode) => ({
  live: () => ({ epoch: 0, agree: (alpha: Uint8Array) => key.agree(alpha), fresh: () => Promise.resolve(true) }),
});

Deno.test("a header with any of its 3808 bits turned is dropped by the first node (row 40)", async () => {
  const path = nodes(5);
  const { bytes } = makePacket(through(path, times(1)), random(BODY), { random });
  const reasons: Record<string, number> = {};
  for (let bit = 0; bit < HEADER * 8; bit++) {
    const altered = { bytes: flipped(bytes, bit) };
    const reason = why(await at(path[0], altered));
    reasons[reason] = (reasons[reason] ?? 0) + 1;
    // Also where the epoch that it names now is one that is taken.
    if (bit < 16) {
      assert.equal(why(await unwrap(altered, { keys: taking(path[0]), now: 0 })), bit < 8 ? "epoch" : "mac");
    }
  }
  assert.deepEqual(reasons, { epoch: 16, mac: HEADER * 8 - 16 });
  assert.equal((await at(path[0], { bytes })).kind, "forward", "none of them was taken for it");
  for (const length of [0, 1, 475, 476, 3199, 3201]) {
    const other = { bytes: joined(bytes, times(0)).subarray(0, length) };
    assert.equal(why(await at(path[0], other)), "epoch");
  }
});

Deno.test("any bit of a body turned at the first node: refused by the last, and by then every byte is another's (row 40)", async () => {
  const seed = seeded("mix tagging", SEED);
  const draw = (length: number) => seed.bytes(length);
  const path = nodes(3, draw);
  const packet = makePacket(through(path, times(1)), draw(BODY), { random: draw });
  const whole = (await unwrap(packet, { keys: taking(path[0]), now: 0 })) as Extract<Unwrapped, { kind: "forward" }>;
  let [changed, bytes] = [0, 0];
  const bits = [0, 255, 256, DELTA * 8 - 1, ...Array.from({ length: 196 }, () => seed.below(DELTA * 8))];
  for (const bit of bits) {
    const altered = { bytes: flipped(packet.bytes, HEADER * 8 + bit) };
    let going = altered;
    for (const node of path.slice(0, -1)) {
      const out = await unwrap(going, { keys: taking(node), now: 0 });
      assert.ok(out.kind === "forward");
      if (node === path[0]) {
        assert.deepEqual(out.packet.bytes.subarray(0, HEADER), whole.packet.bytes.subarray(0, HEADER));
        for (let i = HEADER; i < HEADER + DELTA; i++) if (out.packet.bytes[i] !== whole.packet.bytes[i]) changed++;
        bytes += DELTA;
      }
      going = out.packet;
    }
    assert.equal(why(await unwrap(going, { keys: taking(path[2]), now: 0 })), "tag", `bit ${bit}`);
  }
  near(changed, bytes, 255 / 256);
});

Deno.test("wide block: either way every bit of a block changes all of it; its inverse; no block of 32 bytes (row 40)", () => {
  const seed = seeded("mix wide block", SEED);
  const [key, block] = [seed.bytes(32), seed.bytes(200)];
  for (const [there, again] of [[encipherWide, decipherWide], [decipherWide, encipherWide]]) {
    const whole = there(key, block);
    assert.deepEqual(again(key, whole), block);
    let changed = 0;
    for (let bit = 0; bit < block.byteLength * 8; bit++) {
      const other = there(key, flipped(block, bit));
      changed += other.reduce((sum, byte, i) => sum + (byte === whole[i] ? 0 : 1), 0);
    }
    near(changed, block.byteLength ** 2 * 8, 255 / 256);
    assert.throws(() => there(key, block.subarray(0, 32)), RangeError);
  }
});

/** A count is within four standard deviations of what is expected. */
function near(count: number, of: number, probability: number): void {
  const deviation = Math.sqrt(of * probability * (1 - probability));
  assert.ok(Math.abs(count - of * probability) < 4 * deviation, `${count} of ${of}`);
}

Deno.test("the last of three nodes sees nothing of how long its path was: what is unused of beta is random (row 41)", () => {
  const seed = seeded("mix unused beta", SEED);
  const draw = (length: number) => seed.bytes(length);
  const path = nodes(3, draw);
  const counts = new Array<number>(256).fill(0);
  let total = 0;
  for (let round = 0; round < 200; round++) {
    const { bytes } = makePacket(through(path, draw(32)), draw(BODY), { random: draw });
    let [alpha, beta] = [bytes.subarray(2, 34), bytes.subarray(34, GAMMA_AT)];
    for (const [i, { secret }] of path.entries()) {
      const hop = SCHEME.hopKeys(x25519(secret, alpha));
      const shifted = ctr(hop.stream, hop.iv, joined(beta, new Uint8Array(82)));
      [alpha, beta] = [x25519(hop.blinding, alpha), shifted.subarray(82)];
      if (i < 2) continue;
      // Behind its commands: two hops that were not used, and what the first two nodes shifted in.
      for (const byte of shifted.subarray(82)) counts[byte]++;
      total += 410;
    }
  }
  const expected = total / 256;
  const chi = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // p > 0.001 with 255 degrees of freedom.
  assert.ok(chi < 330.5, `chi-square ${chi}`);
});

Deno.test("a reply block answers once: its second answer is a replay, its maker opens no other (row 42)", async () => {
  const way = nodes(4);
  const { surb, keys } = makeSurb(back(way, times(2), times(3, 16)), { random });
  const stored = keys.toBytes();
  const [first, second] = [random(BODY), random(BODY)];
  const came = await along(way, answerSurb(surb, first).packet);
  assert.ok(came.kind === "reply");
  assert.equal(why(await at(way[0], answerSurb(surb, second).packet)), "replay");
  assert.deepEqual(keys.open(came.delta), first);
  assert.throws(() => keys.open(came.delta), { code: "SURB_USED" });
  assert.throws(() => keys.toBytes(), { code: "SURB_USED" });
  // One that was altered, cut, or came by another reply block, takes the keys with it.
  for (const delta of [flipped(came.delta, 9999), came.delta.subarray(1), random(DELTA)]) {
    const again = SurbKeys.fromBytes(stored);
    assert.throws(() => again.open(delta), { code: "BAD_ANSWER" });
    assert.throws(() => again.open(came.delta), { code: "SURB_USED" });
  }
  const printed = SurbKeys.fromBytes(stored);
  for (const text of [inspect(printed), Deno.inspect(printed), JSON.stringify(printed)]) {
    assert.match(text, /^"?SurbKeys \[redacted\]"?$/);
  }
});

Deno.test("a node in the middle tells a reply from any other packet by no field (row 42)", async () => {
  const way = nodes(5);
  const { surb } = makeSurb(back(way, times(2), times(3, 16)), { random });
  const reply = await forwarded(way[0], answerSurb(surb, random(BODY)).packet);
  const other = await forwarded(way[0], makePacket(through(way, times(4)), random(BODY), { random }));
  const shape = ({ kind, packet, next, delay, ...rest }: typeof reply) => {
    assert.deepEqual(rest, {});
    return { kind, delay, next, length: packet.bytes.byteLength, ad: packet.bytes.slice(0, 2) };
  };
  assert.deepEqual(shape(reply), shape(other));
  assert.deepEqual(shape(await forwarded(way[1], reply.packet)), shape(await forwarded(way[1], other.packet)));
});

/** A packet for one node that says what it is told to, with a right gamma. */
function saying(node: TestNode, commands: Uint8Array): { readonly bytes: Uint8Array } {
  const secret = random(32);
  const hop = SCHEME.hopKeys(x25519(secret, node.key.publicKey));
  const stream = ctr(hop.stream, hop.iv, new Uint8Array(410));
  const beta = joined(commands, random(410 - commands.byteLength)).map((byte, i) => byte ^ stream[i]);
  const before = joined(new Uint8Array(2), x25519Public(secret), beta);
  return { bytes: joined(before, hmac(hop.mac, before), encipherWide(hop.payload, new Uint8Array(DELTA))) };
}

Deno.test("commands: two nexts, unknown, another order, a dirty end, a delay too long, a node that may not follow (row 46)", async () => {
  const [node] = nodes(1);
  const [next, gamma] = [times(7), times(8)];
  const relay = writeRelay({ delay: 600_000, next, gamma });
  const last = writeLast({ recipient: times(9) });
  const reply = writeLast({ recipient: times(9), surbId: times(1, 16) });
  const cases: [Uint8Array, string][] = [
    [relay, "forward"],
    [last, "deliver"],
    [reply, "reply"],
    [writeRelay({ delay: 600_001, next, gamma }), "command"],
    [writeRelay({ delay: 2 ** 32 - 1, next, gamma }), "command"],
    [new Uint8Array(82), "command"],
    [joined(relay.subarray(5, 70), relay.subarray(0, 5), new Uint8Array(12)), "command"],
    [joined(relay.subarray(5, 70), new Uint8Array(17)), "command"],
    [joined(last.subarray(0, 33), relay.subarray(0, 5), new Uint8Array(44)), "command"],
    [joined(reply.subarray(33, 50), last.subarray(0, 33), new Uint8Array(32)), "command"],
    [joined(last.subarray(0, 33), last.subarray(0, 33), new Uint8Array(16)), "command"],
    [joined(reply.subarray(0, 50), reply.subarray(33, 50), new Uint8Array(15)), "command"],
    // The rest of a second next has no room; its first byte is enough.
    ...[1, 2, 3, 4, 0x7f, 0x80, 0xff].map((
      byte,
    ): [Uint8Array, string] => [relay.with(70, byte) as Uint8Array, "command"]),
    ...[1, 2, 4, 0x80].map((byte): [Uint8Array, string] => [last.with(33, byte) as Uint8Array, "command"]),
    ...[relay, last, reply].map((one): [Uint8Array, string] => [one.with(81, 1) as Uint8Array, "command"]),
    ...[4, 5, 0x7f, 0x81].map((byte): [Uint8Array, string] => [last.with(0, byte) as Uint8Array, "command"]),
  ];
  for (const [commands, expected] of cases) {
    assert.equal(why(await at(node, saying(node, commands))), expected, commands.toHex());
  }
  const follows = (id: Uint8Array) => id[0] === 6;
  const options = { keys: node.key, now: 0, follows };
  assert.equal(why(await unwrap(saying(node, relay), options)), "command");
  const allowed = writeRelay({ delay: 1, next: times(6), gamma });
  assert.equal(why(await unwrap(saying(node, allowed), options)), "forward");
});

Deno.test("alpha: points of low order are dropped, and one with its highest bit set is altered (row 46)", async () => {
  const [node] = nodes(1);
  const { bytes } = makePacket(through([node], times(1)), random(BODY), { random });
  const withAlpha = (alpha: Uint8Array) => ({ bytes: joined(bytes.subarray(0, 2), alpha, bytes.subarray(34)) });
  // RFC 7748 §6.1, and what https://cr.yp.to/ecdh.html#validate names.
  for (
    const point of [
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ]
  ) assert.equal(why(await at(node, withAlpha(Uint8Array.fromHex(point)))), "key", point);
  const alpha = bytes.slice(2, 34);
  alpha[31] |= 0x80;
  assert.equal(why(await at(node, withAlpha(alpha))), "mac");
  assert.equal(why(await at(node, { bytes })), "deliver");
});
