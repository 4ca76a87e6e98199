/**
 * Two thousand idle QUIC connections on one node.
 *
 * @module
 */
import assert from "node:assert/strict";
import { needs } from "../support/programs.ts";
import { idleCost } from "./idle.ts";

const COUNT = 2000;
/** Of our own, in bytes a connection. */
const OWN_HEAP = 64 * 1024;

Deno.test({
  name: `quic: ${COUNT} idle connections stay, cost under 64 KiB of our heap each, and an active one works`,
  ...needs("linux"),
  async fn() {
    const cost = await idleCost(COUNT);
    console.log(cost);
    assert.equal(cost.connections, COUNT);
    assert.equal(cost.lost, 0);
    assert.ok(cost.heapPerConnection > 0, "the heap was not measured");
    assert.ok(cost.heapPerConnection < OWN_HEAP, `${cost.heapPerConnection} bytes of heap a connection`);
  },
});
