/**
 * A relay as a function: order of its checks, statuses, conditions, rates; and as operations (rows 61 to 64, 70 of dns.md §11).
 *
 * @module
 */
import { deepEqual, equal, match, rejects } from "node:assert/strict";
import type { Logger } from "@alknet/core/handler";
import { NodeKey } from "@alknet/core/identity";
import { Dispatcher, type JsonObject, nodeRegistry } from "@alknet/core/operations";
import { Buffer } from "node:buffer";
import {
  answerRelay,
  type DnsCaller,
  dnsEngine,
  dnsLimitsWith,
  dnsOperations,
  dnsRates,
  openDnsStore,
  type RelayParts,
} from "../../../../handlers/dns/mod.ts";
import { KEY, now, packet, TIME } from "../pkarr/packets.ts";

const CALLER: DnsCaller = { front: "doh", address: "192.0.2.1" };
const KNOWN = NodeKey.fromSeed(new Uint8Array(32).fill(1));
const PUBLISHER = { id: "p", scopes: ["pkarr:publish"], resources: {} };

function relay(mode: RelayParts["mode"] = "open", perSecond = 1000) {
  const store = openDnsStore(":memory:", { now });
  const lines: string[] = [];
  const log = { warn: (text: string, values: unknown) => lines.push(`${text} ${JSON.stringify(values)}`) };
  const limits = dnsLimitsWith({ publishRate: { perSecond, burst: perSecond } });
  const rates = dnsRates({ limits, log: log as unknown as Logger, now: () => 0 });
  const identityProvider = {
    resolveFingerprint: (text: string) => text === KNOWN.fingerprint ? { ...PUBLISHER, scopes: [] } : undefined,
  };
  const parts: RelayParts = { packets: store.packets, mode, rates, identityProvider, now };
  const ask = (key: string, init: RequestInit = {}, caller: DnsCaller = CALLER) =>
    answerRelay(new Request(`https://relay.example/pkarr/${key}`, init), caller, parts);
  return {
    store,
    parts,
    limits,
    lines,
    rates,
    ask,
    put: async (payload: Uint8Array, key = KEY.id, headers: HeadersInit = {}, caller: DnsCaller = CALLER) => {
      const body = payload as Uint8Array<ArrayBuffer>;
      const answer = await ask(key, { method: "PUT", body, headers }, caller);
      equal(answer.headers.get("access-control-allow-origin"), "*");
      return [answer.status, (await answer.text()).trim()];
    },
  };
}

const payload = (text: string, time = TIME, key = KEY) => packet(`x 300 TXT ${text}`, time, key).toRelayPayload();

Deno.test("PUT: new, the same, older, equal in time with a larger and a smaller message (row 61)", async () => {
  const { put } = relay();
  deepEqual(await put(payload("m")), [204, ""]);
  deepEqual(await put(payload("m")), [204, ""]);
  deepEqual(await put(payload("m", TIME - 1n)), [409, "older"]);
  deepEqual(await put(payload("n")), [204, ""]);
  deepEqual(await put(payload("m")), [409, "older"]);
});

Deno.test("PUT in place of what was there when one looked, or not at all", async () => {
  const { ask, put } = relay();
  await put(payload("m"));
  const seen = (await ask(KEY.id)).headers.get("last-modified")!;
  equal(Date.parse(seen), now());
  const condition = { "if-unmodified-since": seen };
  deepEqual(await put(payload("a", TIME + 2_000_000n), KEY.id, condition), [204, ""]);
  deepEqual(await put(payload("b", TIME + 3_000_000n), KEY.id, condition), [412, "changed"]);
  deepEqual(await put(payload("b", TIME + 3_000_000n), KEY.id, { "if-unmodified-since": "soon" }), [204, ""]);
  deepEqual(await put(payload("m", TIME, KNOWN), KNOWN.id, condition), [204, ""]);
});

Deno.test("PUT: what is no packet, and whose is not kept (row 62)", async () => {
  const { put } = relay("peers");
  const flipped = payload("a", TIME, KNOWN);
  flipped[0] ^= 1;
  deepEqual(await put(new Uint8Array(1073), KNOWN.id), [413, "size"]);
  deepEqual(await put(new Uint8Array(1073), "nonsense"), [413, "size"]);
  deepEqual(await put(payload("a"), "nonsense"), [400, "key"]);
  deepEqual(await put(payload("a"), `${KEY.id}/x`), [400, "key"]);
  deepEqual(await put(payload("a"), KEY.id.toUpperCase()), [400, "key"]);
  deepEqual(await put(flipped, KNOWN.id), [400, "signature"]);
  deepEqual(await put(payload("a", TIME + 172_800_000_000n, KNOWN), KNOWN.id), [400, "timestamp"]);
  deepEqual(await put(new Uint8Array(10), KNOWN.id), [400, "size"]);
  deepEqual(await put(payload("a")), [403, "forbidden"]);
  deepEqual(await put(payload("a", TIME, KNOWN), KNOWN.id), [204, ""]);
  deepEqual(await put(payload("a"), KEY.id, {}, { ...CALLER, identity: PUBLISHER }), [204, ""]);
  deepEqual(await put(payload("b"), KEY.id, {}, { ...CALLER, identity: { ...PUBLISHER, scopes: [] } }), [
    403,
    "forbidden",
  ]);
});

Deno.test("GET: the packet, unknown, since before and after; other methods (row 63)", async () => {
  const { ask, put } = relay();
  await put(payload("m"));
  const there = await ask(KEY.id);
  equal(there.status, 200);
  deepEqual(await there.bytes(), payload("m"));
  const { headers } = there;
  equal(headers.get("content-type"), "application/pkarr.org/relays#payload");
  equal(headers.get("cache-control"), "public, max-age=300");
  const at = (seconds: number) => new Date(now() + 1000 * seconds).toUTCString();
  const since = async (seconds: number) =>
    (await ask(KEY.id, { headers: { "if-modified-since": at(seconds) } })).status;
  deepEqual([await since(-1), await since(0), await since(1)], [200, 304, 304]);
  await put(payload("m", TIME + 1n));
  deepEqual([await since(0), await since(1)], [200, 304]);
  const statuses: readonly (readonly [string, string, number])[] = [
    ["GET", KNOWN.id, 404],
    ["GET", "nonsense", 400],
    ["HEAD", KEY.id, 200],
    ["OPTIONS", KEY.id, 204],
    ["POST", KEY.id, 405],
    ["DELETE", KEY.id, 405],
  ];
  for (const [method, key, status] of statuses) equal((await ask(key, { method })).status, status, `${method} ${key}`);
});

Deno.test("for how long a packet may be kept: its least TTL, from 5 minutes to a day", async () => {
  for (const [ttl, age] of [[30, 300], [900, 900], [1_000_000, 86_400]]) {
    const { ask, put } = relay();
    await put(packet(`x ${ttl} TXT a\ny 2000000 TXT b`).toRelayPayload());
    equal((await ask(KEY.id)).headers.get("cache-control"), `public, max-age=${age}`);
  }
  const { ask, put } = relay();
  await put(packet("").toRelayPayload());
  equal((await ask(KEY.id)).headers.get("cache-control"), "public, max-age=86400");
});

Deno.test("a flood of packets is 429 before any signature is looked at, and one line (row 64)", async () => {
  const { lines, put, rates } = relay("open", 10);
  const statuses = new Map<unknown, number>();
  for (let n = 0; n < 1000; n++) {
    const [status] = await put(n < 10 ? payload("a", TIME + BigInt(n)) : new Uint8Array(200));
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  deepEqual(Object.fromEntries(statuses), { 204: 10, 429: 990 });
  deepEqual(Object.fromEntries(rates.refused), { "publish-rate": 990 });
  equal(lines.length, 1);
  match(lines[0], /"reason":"publish-rate"/);
  // Others are not touched by it.
  deepEqual(await put(payload("z", TIME + 99n), KEY.id, {}, { ...CALLER, address: "198.51.100.1" }), [204, ""]);
});

Deno.test("pkarr/publish and pkarr/resolve: for everyone, with the relay's rules and rates (row 70)", async () => {
  const { store: { zones, packets }, parts, rates, limits } = relay("peers", 10);
  const engine = dnsEngine({ zones, rates, limits });
  const withRelay = dnsOperations({ zones, engine, rates, packets, relay: parts });
  const without = dnsOperations({ zones, engine, rates, packets });
  deepEqual(
    withRelay.slice(without.length).map(({ spec }) => [spec.name, spec.access_control.required_scopes_any ?? null]),
    [["pkarr/publish", null], ["pkarr/resolve", null]],
  );
  const dispatcher = new Dispatcher({ registry: nodeRegistry(withRelay) });
  const call = async (operation: string, input: JsonObject, identity?: typeof PUBLISHER) =>
    await dispatcher.call({ operation, input, identity }) as JsonObject;
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  const input = (text: string, time = TIME, key = KNOWN) => ({
    key: key.id,
    payload: base64(payload(text, time, key)),
  });
  await rejects(call("pkarr/resolve", { key: KNOWN.id }), { code: "NOT_FOUND" });
  deepEqual(await call("pkarr/publish", input("m")), { stored: "stored" });
  deepEqual(await call("pkarr/publish", input("m")), { stored: "same" });
  deepEqual(await call("pkarr/resolve", { key: KNOWN.id }), {
    payload: base64(payload("m", TIME, KNOWN)),
    timestamp: `${TIME}`,
  });
  await rejects(call("pkarr/publish", input("m", TIME - 1n)), { code: "DNS_SERIAL" });
  await rejects(call("pkarr/publish", input("m", TIME, KEY)), { code: "FORBIDDEN" });
  deepEqual(await call("pkarr/publish", input("m", TIME, KEY), PUBLISHER), { stored: "stored" });
  await rejects(call("pkarr/publish", { ...input("m"), payload: base64(new Uint8Array(200)) }), {
    code: "PKARR_INVALID",
    message: /signature/,
  });
  await rejects(call("pkarr/publish", { key: "y".repeat(51) + "b", payload: "" }), { code: "PKARR_INVALID" });
  await rejects(call("pkarr/publish", { ...input("m"), payload: "A".repeat(1433) }), { code: "INVALID_INPUT" });
  await rejects(call("pkarr/resolve", { key: "y".repeat(51) + "b" }), { code: "NOT_FOUND" });
  await rejects(call("pkarr/resolve", { key: "short" }), { code: "INVALID_INPUT" });
  // Ten at once, whoever calls; seven were looked at so far.
  for (let n = 0; n < 3; n++) await call("pkarr/publish", input("m"));
  await rejects(call("pkarr/publish", input("m")), { code: "DNS_BUSY" });
  const stats = await call("dns/stats", {}, { ...PUBLISHER, scopes: ["dns:read"] });
  deepEqual([stats.packets, stats.refused], [2, { "bad-packet": 2, "publish-rate": 1 }]);
});
