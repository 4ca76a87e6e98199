import assert from "node:assert/strict";
import { SeenStreams } from "../../../../../core/transports/quic/connection/seen_streams.ts";
import { seeded } from "../../../../support/random.ts";

Deno.test("SeenStreams.begin is true once for each id, in any order and of any kind (RFC 9000 §2.1)", () => {
  const random = seeded("SeenStreams");
  const seen = new SeenStreams();
  const twin = new Set<number>();
  for (let i = 0; i < 20_000; i++) {
    const id = random.below(8_000);
    assert.equal(seen.begin(id), !twin.has(id), `stream ${id}`);
    twin.add(id);
  }
});
