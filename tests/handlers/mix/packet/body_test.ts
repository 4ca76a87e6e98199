/**
 * What is in a packet for its recipient, and what makes no packet (msg.md §5.1).
 *
 * @module
 */
import assert from "node:assert/strict";
import { joined, systemBytes } from "../../../../core/crypto/mod.ts";
import {
  dropRecipient,
  type MixRequest,
  queueRecipient,
  readAnswer,
  readBody,
  readRecipient,
  readRequest,
  writeAnswer,
  writeBody,
  writeRequest,
} from "../../../../handlers/mix/packet/body.ts";
import { DEFAULT_GEOMETRY, geometryHash, layoutOf } from "../../../../handlers/mix/packet/geometry.ts";
import { makePacket, type Route } from "../../../../handlers/mix/packet/packet.ts";
import { schemeOf } from "../../../../handlers/mix/packet/scheme.ts";
import { answerSurb, makeSurb, SurbKeys } from "../../../../handlers/mix/packet/surb.ts";
import { seeded } from "../../../support/random.ts";
import { along, back, nodes, through, times } from "../paths.ts";

const random = systemBytes;
const BAD = { code: "BAD_BODY" };

Deno.test("request: each reads as it was written; other operations, dirty zeros and what is cut do not", () => {
  const requests: MixRequest[] = [
    { op: "none" },
    { op: "send", scap: random(32), envelope: random(2048) },
    { op: "take", scap: random(32) },
  ];
  for (const request of requests) {
    const user = writeRequest(request);
    assert.equal(user.byteLength, 2150);
    assert.deepEqual(readRequest(user), request);
    assert.throws(() => readRequest(user.with(2149, 1) as Uint8Array), BAD);
  }
  for (const op of [3, 0x80, 0xff]) {
    assert.throws(() => readRequest(new Uint8Array(2150).with(0, op) as Uint8Array), BAD);
  }
  assert.throws(() => readRequest(writeRequest(requests[1]).subarray(0, 2080)), /is cut/);
  assert.throws(() => readRequest(new Uint8Array()), BAD);
  assert.throws(() => writeRequest({ op: "take", scap: random(31) }), RangeError);
  assert.throws(() => writeRequest({ op: "send", scap: random(32), envelope: random(1024) }), RangeError);
});

Deno.test("answer: a status, and bytes as far as there is room", () => {
  for (const [status, length] of [[0, 0], [0, 1483], [2, 0], [255, 2147]]) {
    const answer = { status, bytes: random(length) };
    assert.deepEqual(readAnswer(writeAnswer(answer)), answer);
  }
  assert.throws(() => writeAnswer({ status: 0, bytes: random(2148) }), RangeError);
  for (const status of [-1, 256, 0.5]) assert.throws(() => writeAnswer({ status, bytes: random(1) }), RangeError);
  const short = writeAnswer({ status: 0, bytes: random(9) });
  assert.throws(() => readAnswer(short.with(12, 1) as Uint8Array), BAD);
  assert.throws(() => readAnswer(short.with(1, 0xff) as Uint8Array), /is cut/);
  assert.throws(() => readAnswer(new Uint8Array(2)), BAD);
});

Deno.test("body: with a reply block and without, which look alike in length; flags that are not known", () => {
  const user = random(2150);
  const surb = random(540);
  assert.deepEqual(readBody(writeBody({ surb, user }, random)), { surb, user });
  const without = writeBody({ user }, random);
  assert.deepEqual(readBody(without), { user });
  assert.ok(without.subarray(2, 542).some((byte) => byte !== 0), "random bytes stand where no reply block is");
  for (const [at, value] of [[0, 2], [0, 0x81], [1, 1]]) {
    assert.throws(() => readBody(without.with(at, value) as Uint8Array), BAD);
  }
  assert.throws(() => readBody(without.subarray(1)), BAD);
  assert.throws(() => writeBody({ user: random(2149) }, random), RangeError);
  assert.throws(() => writeBody({ surb: random(541), user }, random), RangeError);
});

Deno.test("recipient: nobody, a queue; all else is none", () => {
  const sid = random(24);
  assert.deepEqual(readRecipient(queueRecipient(sid)), sid);
  assert.equal(readRecipient(dropRecipient()), "drop");
  for (const other of [times(1), queueRecipient(sid).with(0, 2), queueRecipient(sid).with(7, 1), times(0, 31)]) {
    assert.equal(readRecipient(other as Uint8Array), undefined);
  }
  assert.equal(readRecipient(queueRecipient(sid).with(0, 0) as Uint8Array), undefined);
  assert.throws(() => queueRecipient(random(23)), RangeError);
});

Deno.test("bodies and requests: no bytes throw anything but BAD_BODY, and what reads writes the same again", () => {
  const seed = seeded("mix bodies");
  const layout = layoutOf({ ...DEFAULT_GEOMETRY, user: 2100 });
  for (let round = 0; round < 3000; round++) {
    const written = seed.pick([
      writeRequest({ op: "take", scap: seed.bytes(32) }, layout),
      writeRequest({ op: "send", scap: seed.bytes(32), envelope: seed.bytes(2048) }, layout),
      writeAnswer({ status: seed.below(256), bytes: seed.bytes(seed.below(200)) }, layout),
    ]);
    const user = seed.mutate(written);
    for (
      const again of [
        () => writeRequest(readRequest(user), layout),
        () => writeAnswer(readAnswer(user), layout),
        () => readBody(user, layout),
      ]
    ) {
      try {
        const made = again();
        if (made instanceof Uint8Array && user.byteLength === layout.user) assert.deepEqual(made, user);
      } catch (error) {
        // What is longer than the user part may be read, and does not fit again.
        if (error instanceof RangeError) assert.ok(user.byteLength > layout.user);
        else assert.equal((error as { code?: string }).code, "BAD_BODY", String(error));
      }
    }
  }
});

Deno.test("geometry: others carry packets as well; what is none is refused", async () => {
  for (const change of [{ hops: 1, user: 1 }, { hops: 8, user: 4000 }, { hops: 16, user: 60_000 }]) {
    const geometry = { ...DEFAULT_GEOMETRY, ...change };
    const scheme = schemeOf(geometry);
    assert.notDeepEqual(geometryHash(geometry), geometryHash(DEFAULT_GEOMETRY));
    const path = nodes(geometry.hops);
    const body = writeBody({ user: random(geometry.user) }, random, scheme.layout);
    const packet = makePacket(through(path, times(1)), body, { random, scheme });
    assert.equal(packet.bytes.byteLength, scheme.layout.packet);
    assert.deepEqual(await along(path, packet, scheme), { kind: "deliver", recipient: times(1), body });
  }
  for (
    const change of [{ gamma: 16 }, { id: 20 }, { tag: 0 }, { hops: 0 }, { hops: 17 }, { user: 0 }, { user: 60_001 }]
  ) {
    assert.throws(() => layoutOf({ ...DEFAULT_GEOMETRY, ...change }), RangeError, JSON.stringify(change));
  }
});

Deno.test("packet: what is wrong with a route or a body is named; a node's key of low order makes none", () => {
  const path = nodes(3);
  const route = through(path, times(1));
  const body = random(2692);
  const wrong: [Partial<Route>, RegExp][] = [
    [{ hops: [] }, /1 to 5 nodes/],
    [{ hops: [...route.hops, ...route.hops] }, /1 to 5 nodes, not 6/],
    [{ delays: [1] }, /2 delays, not 1/],
    [{ delays: [1, 600_001] }, /0 to 600000, not 600001/],
    [{ delays: [1, -1] }, /a delay/],
    [{ delays: [1, 0.5] }, /a delay/],
    [{ epoch: -1 }, /an epoch/],
    [{ recipient: random(31) }, /a recipient has 32 bytes, not 31/],
    [{ surbId: random(15) }, /reply block has 16 bytes, not 15/],
    [{ hops: route.hops.with(1, { id: random(31), key: random(32) }) }, /the id of node 1/],
    [{ hops: route.hops.with(2, { id: random(32), key: random(33) }) }, /the key of node 2/],
  ];
  for (const [change, message] of wrong) {
    assert.throws(() => makePacket({ ...route, ...change }, body, { random }), { name: "RangeError", message });
  }
  assert.throws(() => makePacket(route, body.subarray(1), { random }), /2692 bytes, not 2691/);
  const low = { ...route, hops: route.hops.with(1, { id: random(32), key: new Uint8Array(32) }) };
  assert.throws(() => makePacket(low, body, { random }), { code: "LOW_ORDER" });
});

Deno.test("reply block: of another length or version, and keys that are none", () => {
  const { surb, keys } = makeSurb(back(nodes(2), times(1), random(16)), { random });
  const body = random(2692);
  for (const other of [surb.subarray(1), joined(surb, times(0, 1)), new Uint8Array(), surb.with(0, 1) as Uint8Array]) {
    assert.throws(() => answerSurb(other, body), { code: "BAD_SURB" });
  }
  assert.throws(() => answerSurb(surb, body.subarray(1)), RangeError);
  assert.equal(keys.toBytes().byteLength, 96);
  for (const length of [0, 32, 33, 95, 7 * 32]) assert.throws(() => SurbKeys.fromBytes(random(length)), RangeError);
});
