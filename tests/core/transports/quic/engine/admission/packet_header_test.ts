import assert from "node:assert/strict";
import {
  parseLongHeader,
  readVarint,
  varintLength,
} from "../../../../../../core/transports/quic/engine/admission/packet_header.ts";
import vectors from "../../../../../vectors/quic-initial.json" with { type: "json" };
import { bytes, concat, hex, toHex, varint } from "./initial_packets.ts";

const DCID = hex("8394c8f03e515708");
const SCID = hex("f067a5502a4262b5");

Deno.test("readVarint: the examples of RFC 9000 A.1", () => {
  const examples: [string, number][] = [
    ["c2197c5eff14e88c", 151_288_809_941_952_652],
    ["9d7f3e7d", 494_878_333],
    ["7bbd", 15_293],
    ["25", 37],
    ["4025", 37],
  ];
  for (const [text, value] of examples) {
    const data = hex(text);
    assert.equal(readVarint(data, 0, data.length), value, text);
    assert.equal(varintLength(data, 0), data.length, text);
    for (let end = 0; end < data.length; end++) assert.equal(readVarint(data, 0, end), -1, `${text} cut at ${end}`);
  }
});

Deno.test("parseLongHeader: the client Initial of RFC 9001 A.2", () => {
  const packet = hex(vectors.vectors.initial.packet);
  const header = parseLongHeader(packet);
  assert(header);
  assert.equal(header.type, "initial");
  assert.equal(header.version, 1);
  assert.equal(toHex(header.dcid), vectors.vectors.initial.dcid);
  assert.equal(header.scid.length, 0);
  assert.equal(header.token.length, 0);
  assert.equal(header.payload, 18);
  assert.equal(header.end, 1200);
  assert.equal(header.dcid.buffer, packet.buffer, "a view, not a copy");
});

Deno.test("parseLongHeader: each type of version 1, and others (RFC 9000 §17.2, RFC 8999 §5.1)", () => {
  const ids = concat(bytes(8), DCID, bytes(8), SCID);
  const cids = { dcid: toHex(DCID), scid: toHex(SCID) };
  const cases: [string, Uint8Array, unknown][] = [
    ["initial", concat(hex("c000000001"), ids, bytes(2, 7, 7, 3, 1, 2, 3)), {
      ...{ type: "initial", version: 1, ...cids, token: "0707", payload: 27, end: 30 },
    }],
    ["0-RTT", concat(hex("d000000001"), ids, bytes(1, 9)), {
      ...{ type: "0rtt", version: 1, ...cids, token: "", payload: 24, end: 25 },
    }],
    ["handshake, coalesced with more", concat(hex("e000000001"), ids, bytes(1, 9, 0x40, 0)), {
      ...{ type: "handshake", version: 1, ...cids, token: "", payload: 24, end: 25 },
    }],
    ["retry", concat(hex("f000000001"), ids, bytes(5, 6), new Uint8Array(16)), {
      ...{ type: "retry", version: 1, ...cids, token: "0506", payload: 25, end: 41 },
    }],
    ["negotiation", concat(hex("8000000000"), ids, hex("00000001")), {
      ...{ type: "negotiation", version: 0, ...cids, token: "", payload: 23, end: 27 },
    }],
    ["another version, without the fixed bit", concat(hex("8afacade0a"), ids), {
      ...{ type: "unknown", version: 0xfacade0a, ...cids, token: "", payload: 23, end: 23 },
    }],
    [
      "another version, IDs of 255 bytes",
      concat(hex("c0fafafafa"), bytes(255), new Uint8Array(255), bytes(255), new Uint8Array(255)),
      {
        ...{ type: "unknown", version: 0xfafafafa, dcid: "00".repeat(255), scid: "00".repeat(255) },
        ...{ token: "", payload: 517, end: 517 },
      },
    ],
  ];
  for (const [name, datagram, expected] of cases) {
    const header = parseLongHeader(datagram);
    assert(header, name);
    const { dcid, scid, token } = header;
    assert.deepEqual({ ...header, dcid: toHex(dcid), scid: toHex(scid), token: toHex(token) }, expected, name);
    const shifted = parseLongHeader(concat(bytes(1, 2, 3), datagram), 3);
    assert.equal(shifted?.end, header.end + 3, `${name} at an offset`);
  }
});

Deno.test("parseLongHeader: nothing where the header does not hold together", () => {
  const whole = concat(
    hex("c000000001"),
    bytes(8),
    DCID,
    bytes(8),
    SCID,
    bytes(2, 7, 7),
    varint(5, 2),
    new Uint8Array(5),
  );
  assert(parseLongHeader(whole));
  for (let end = 0; end < whole.length; end++) {
    assert.equal(parseLongHeader(whole.subarray(0, end)), undefined, `${end}`);
  }
  const cases: [string, Uint8Array][] = [
    ["a short header", concat(bytes(0x40), DCID, new Uint8Array(20))],
    ["no fixed bit in version 1", concat(hex("8000000001"), whole.subarray(5))],
    ["a destination ID of 21 bytes", concat(hex("e000000001"), bytes(21), new Uint8Array(21), bytes(0, 1, 0))],
    ["a source ID of 21 bytes", concat(hex("e000000001"), bytes(0, 21), new Uint8Array(21), bytes(1, 0))],
    ["a Retry shorter than its tag", concat(hex("f000000001"), bytes(0, 0), new Uint8Array(15))],
    ["a token of 2^62-1 bytes", concat(hex("c000000001"), bytes(0, 0), hex("ffffffffffffffff"), new Uint8Array(40))],
  ];
  for (const [name, datagram] of cases) assert.equal(parseLongHeader(datagram), undefined, name);
});
