import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { parseLongHeader } from "../../../../../../core/transports/quic/engine/admission/packet_header.ts";
import {
  clientInitialKeys,
  openInitial,
} from "../../../../../../core/transports/quic/engine/admission/packet_protection.ts";
import { Random } from "../../../../../support/random.ts";
import vectors from "../../../../../vectors/quic-initial.json" with { type: "json" };
import { bytes, concat, hex, keysOf, sealInitial, toHex } from "./initial_packets.ts";

Deno.test("clientInitialKeys: the keys of RFC 9001 A.1", () => {
  const { dcid, key, iv, hp } = vectors.vectors.keys;
  const keys = clientInitialKeys(hex(dcid));
  assert.deepEqual({ key: toHex(keys.key), iv: toHex(keys.iv), hp: toHex(keys.hp) }, { key, iv, hp });
  assert.equal(toHex(keysOf(hex(dcid)).secret), vectors.vectors.keys.client_initial_secret, "the twin agrees");
});

Deno.test("clientInitialKeys: agrees with the twin for every length of connection ID", () => {
  const random = new Random(9001);
  for (let length = 0; length <= 20; length++) {
    const dcid = random.bytes(length);
    const { key, iv, hp } = clientInitialKeys(dcid);
    const twin = keysOf(dcid);
    assert.deepEqual([key, iv, hp].map(toHex), [twin.key, twin.iv, twin.hp].map(toHex));
  }
});

Deno.test("openInitial: the packet of RFC 9001 A.2, from a Uint8Array and from a Buffer, without changing either", () => {
  const { dcid, packet, payload } = vectors.vectors.initial;
  const keys = clientInitialKeys(hex(dcid));
  for (const datagram of [hex(packet), Buffer.from(packet, "hex"), hex(packet)]) {
    const opened = openInitial(keys, datagram, 0, parseLongHeader(datagram)!);
    assert(opened);
    assert.equal(opened.first, 0xc3);
    assert.equal(toHex(opened.payload), payload + "00".repeat(917));
    assert.equal(toHex(datagram), packet);
  }
});

Deno.test("sealInitial, the twin: makes the packet of RFC 9001 A.2", () => {
  const { dcid, packet, payload, packet_number } = vectors.vectors.initial;
  assert.equal(toHex(sealInitial({ dcid: hex(dcid), payload: hex(payload), number: packet_number })), packet);
});

Deno.test("openInitial: packet numbers of 1 to 4 bytes, at an offset", () => {
  const dcid = hex(vectors.vectors.initial.dcid);
  for (const [numberLength, number] of [[1, 0xfe], [2, 0xfedc], [3, 0xfedcba], [4, 0xfedcba98]]) {
    const datagram = concat(
      bytes(1, 2, 3),
      sealInitial({ dcid, number, numberLength, payload: bytes(1, 1), size: 60 }),
    );
    const opened = openInitial(clientInitialKeys(dcid), datagram, 3, parseLongHeader(datagram, 3)!);
    assert.equal(opened?.payload[0], 1, `${numberLength} bytes`);
  }
});

Deno.test("openInitial: nothing for a flipped bit anywhere, for other keys, and without room for a sample", () => {
  const dcid = hex(vectors.vectors.initial.dcid);
  const keys = clientInitialKeys(dcid);
  const datagram = sealInitial({ dcid, payload: bytes(1), size: 60 });
  const header = parseLongHeader(datagram)!;
  for (let bit = 0; bit < datagram.length * 8; bit++) {
    const changed = new Uint8Array(datagram);
    changed[bit >> 3] ^= 1 << (bit & 7);
    assert.equal(openInitial(keys, changed, 0, header), undefined, `bit ${bit}`);
  }
  assert.equal(openInitial(clientInitialKeys(hex("00")), datagram, 0, header), undefined);
  const short = concat(hex("c000000001"), bytes(8), dcid, bytes(0, 0, 19), new Uint8Array(19));
  assert.equal(openInitial(keys, short, 0, parseLongHeader(short)!), undefined);
});
