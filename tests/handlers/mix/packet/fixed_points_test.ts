/**
 * Every byte of packets and reply blocks, as the specification has it (msg.md §5.1, row 39).
 *
 * @module
 */
import assert from "node:assert/strict";
import { joined } from "../../../../core/crypto/mod.ts";
import {
  queueRecipient,
  readAnswer,
  readBody,
  readRequest,
  writeAnswer,
  writeBody,
  writeRequest,
} from "../../../../handlers/mix/packet/body.ts";
import { DEFAULT_GEOMETRY, geometryHash, layoutOf } from "../../../../handlers/mix/packet/geometry.ts";
import { makePacket } from "../../../../handlers/mix/packet/packet.ts";
import { SCHEME } from "../../../../handlers/mix/packet/scheme.ts";
import { answerSurb, makeSurb } from "../../../../handlers/mix/packet/surb.ts";
import { unwrap } from "../../../../handlers/mix/packet/unwrap.ts";
import { firstOf } from "../../msg/agreement/pair.ts";
import { along, at, back, drawing, fixedNodes, forwarded, point, through, times } from "../paths.ts";

const SURB_ID = times(0x51, 16);
const SID = times(0xc2, 24);

/** The reply block of the fixed points, of hops 2 to 5, and what its maker keeps. */
function fixedSurb() {
  const route = back(fixedNodes().slice(1), times(0x32), SURB_ID);
  return makeSurb(route, { random: drawing(times(0x22), times(0x61, 82), times(0x71)) });
}

Deno.test("geometry: 3200 bytes, and the hash that the ends of a link compare", () => {
  assert.deepEqual(layoutOf(DEFAULT_GEOMETRY), {
    hops: 5,
    beta: 410,
    gammaAt: 444,
    header: 476,
    body: 2692,
    delta: 2724,
    surb: 540,
    payloadKey: 32,
    user: 2150,
    packet: 3200,
  });
  assert.equal(geometryHash(DEFAULT_GEOMETRY).subarray(0, 4).toHex(), "9092f964");
});

Deno.test("packet: of five hops, and what the first passes on", async () => {
  const path = fixedNodes();
  const body = times(0x42, 2692);
  const packet = makePacket(through(path, times(0x31)), body, { random: drawing(times(0x21)) });
  assert.equal(packet.bytes.byteLength, 3200);
  assert.equal(point(packet.bytes), "1106efeeeba5e67698ae349bef98dee5");
  const tags: string[] = [];
  const { key } = path[0];
  const spying = {
    epoch: 0,
    agree: (alpha: Uint8Array) => key.agree(alpha),
    fresh: (tag: Uint8Array) => Promise.resolve(tags.push(tag.toHex()) > 0),
  };
  const first = await unwrap(packet, { keys: { live: () => spying }, now: 0 });
  assert.equal(tags[0].slice(0, 8), "a7e14459");
  assert.ok(first.kind === "forward");
  assert.deepEqual([first.next, first.delay], [path[1].id, 1000]);
  assert.equal(point(first.packet.bytes), "b0219e4a4d7085b15c11d28e0fb95a37");
  assert.deepEqual(await along(path, packet), { kind: "deliver", recipient: times(0x31), body });
});

Deno.test("reply block: its bytes, a packet with it, the answer as it is sent and as it lies at the last node", async () => {
  const { surb, keys } = fixedSurb();
  assert.equal(point(surb), "3825e2bb16759c411594b33ddf8b8472");
  const { envelope } = firstOf();
  const user = writeRequest({ op: "send", scap: times(0x72), envelope });
  const body = writeBody({ surb, user }, drawing());
  const path = fixedNodes();
  const packet = makePacket(through(path, queueRecipient(SID)), body, { random: drawing(times(0x21)) });
  assert.equal(point(packet.bytes), "fdffaf39c109aeaa7ffd6b6e8eabbb02");

  const came = await along(path, packet);
  assert.ok(came.kind === "deliver");
  const read = readBody(came.body);
  assert.deepEqual(read.surb, surb);
  assert.deepEqual(readRequest(read.user), { op: "send", scap: times(0x72), envelope });

  const answer = { status: 0, bytes: new Uint8Array() };
  const answerBody = writeBody({ user: writeAnswer(answer) }, drawing(times(0x73, 540)));
  const { packet: sent, next } = answerSurb(surb, answerBody);
  assert.deepEqual(next, path[1].id);
  assert.equal(point(sent.bytes), "69f8b401ba29a840830fcf3faa2d96c7");
  let going = sent;
  for (const node of path.slice(1, 4)) going = (await forwarded(node, going)).packet;
  const item = await at(path[4], going);
  assert.ok(item.kind === "reply");
  assert.deepEqual([item.recipient, item.surbId], [times(0x32), SURB_ID]);
  assert.equal(point(joined(item.surbId, item.delta)), "6be0f7c17a64b018b7bfe68c007a6178");
  const opened = keys.open(item.delta);
  assert.deepEqual(opened, answerBody);
  assert.deepEqual(readAnswer(readBody(opened).user), answer);
  assert.equal(SCHEME.layout.delta, item.delta.byteLength);
});
