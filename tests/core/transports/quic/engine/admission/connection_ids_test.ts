import assert from "node:assert/strict";
import {
  CID_LENGTH,
  connectionIdKey,
  newConnectionId,
} from "../../../../../../core/transports/quic/engine/admission/connection_ids.ts";
import { seeded } from "../../../../../support/random.ts";

Deno.test("connectionIdKey is the low 53 bits of the id, wherever it stands", () => {
  const random = seeded("connectionIdKey");
  for (let i = 0; i < 5000; i++) {
    const at = random.below(20);
    const bytes = random.bytes(at + CID_LENGTH + random.below(5));
    if (random.chance(0.1)) bytes.fill(0xff);
    const big = BigInt(`0x${bytes.subarray(at, at + CID_LENGTH).toHex()}`) & (2n ** 53n - 1n);
    assert.equal(connectionIdKey(bytes, at), Number(big));
  }
});

Deno.test("newConnectionId gives ids of one length that do not repeat (RFC 9000 §5.1)", () => {
  const ids = new Set(Array.from({ length: 10_000 }, () => newConnectionId().toHex()));
  assert.equal(ids.size, 10_000);
  for (const id of ids) assert.equal(id.length, 2 * CID_LENGTH);
});
