/**
 * Signed packets that are kept: the newest of each key, not too many, not for ever (dns.md §7.2).
 *
 * @module
 */
import { deepEqual, equal, throws } from "node:assert/strict";
import { NodeKey } from "@alknet/core/identity";
import { DatabaseSync } from "node:sqlite";
import { openDnsStore } from "../../../../handlers/dns/mod.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { KEY, now, packet, TIME } from "./packets.ts";

const DAY = 86_400_000;

Deno.test("the newest packet of a key stays, over a restart too (row 61)", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/dns.db`;
  const [a, b] = ["a", "b"].map((text) => packet(`x 300 TXT ${text}`));
  {
    using store = openDnsStore(file, { now });
    const puts = [a, a, b, a, packet("x 300 TXT a", TIME + 1n), b].map((one) => store.packets.put(one));
    deepEqual(puts, ["stored", "same", "stored", "older", "stored", "older"]);
    equal(store.packets.size, 1);
  }
  using store = openDnsStore(file, { now });
  equal(store.packets.size, 1);
  deepEqual(store.packets.get(KEY.id)?.timestamp, TIME + 1n);
  deepEqual(store.packets.get(KEY.id)?.toRelayPayload(), packet("x 300 TXT a", TIME + 1n).toRelayPayload());
  equal(store.packets.get(NodeKey.generate().id), undefined);
  throws(() => store.packets.get("nonsense"), { code: "INVALID_NODE_ID" });
});

Deno.test("a flood of keys takes the place of what was sent longest ago, and a packet is kept for 7 days", () => {
  let time = now();
  using store = openDnsStore(":memory:", { now: () => time, maxPackets: 8 });
  const { packets } = store;
  const keys = Array.from({ length: 20 }, () => NodeKey.generate());
  for (const key of keys.slice(0, 8)) {
    packets.put(packet("x 300 TXT a", TIME, key));
    time += 1000;
  }
  // Sent again: it is no longer the oldest.
  equal(packets.put(packet("x 300 TXT a", TIME, keys[0])), "same");
  for (const key of keys.slice(8)) {
    time += 1000;
    equal(packets.put(packet("x 300 TXT a", TIME, key)), "stored");
    equal(packets.size, 8);
    if (key === keys[14]) equal(packets.get(keys[0].id)?.nodeId, keys[0].id);
  }
  deepEqual(keys.filter(({ id }) => packets.get(id)), keys.slice(12));
  time += 7 * DAY - 1000;
  deepEqual(keys.filter(({ id }) => packets.get(id)), keys.slice(18));
  time += DAY;
  deepEqual(keys.filter(({ id }) => packets.get(id)), []);
  packets.put(packet("x 300 TXT a", TIME, keys[0]));
  equal(packets.size, 1);
});

Deno.test("while another program writes, a packet is refused and can be sent again", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/dns.db`;
  using store = openDnsStore(file, { now, busyTimeout: 20 });
  const other = new DatabaseSync(file);
  other.exec("BEGIN IMMEDIATE");
  throws(() => store.packets.put(packet("x 300 TXT a")), { code: "DNS_BUSY" });
  equal(store.packets.size, 0);
  other.exec("ROLLBACK");
  other.close();
  equal(store.packets.put(packet("x 300 TXT a")), "stored");
});
