/**
 * Operations on zones: who may, what comes of them, what is refused (row 70 of dns.md §11).
 *
 * @module
 */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { Dispatcher, type JsonObject, type JsonValue, nodeRegistry } from "@alknet/core/operations";
import { dnsOperations, parseName } from "../../../../handlers/dns/mod.ts";
import { partsOver, storeWith } from "../zone.ts";

const SCOPES: Readonly<Record<string, readonly string[] | null>> = {
  "dns/zones/list": ["dns:read", "admin"],
  "dns/zones/export": ["dns:read", "admin"],
  "dns/zones/create": ["dns:write", "admin"],
  "dns/zones/remove": ["dns:write", "admin"],
  "dns/zones/import": ["dns:write", "admin"],
  "dns/records/list": ["dns:read", "admin"],
  "dns/records/change": ["dns:write", "admin"],
  "dns/query": null,
  "dns/stats": ["dns:read", "admin"],
  "dns/cache/flush": ["dns:write", "admin"],
};
const ZONE = { zone: "home.example" };

function running(lines: readonly string[] = ["www 60 A 192.0.2.7"], rate = 500) {
  const [store] = storeWith("home.example", lines);
  const parts = partsOver(store, { queryRate: { perSecond: rate, burst: rate } });
  const registrations = dnsOperations({ ...parts, zones: store.zones });
  const dispatcher = new Dispatcher({ registry: nodeRegistry(registrations) });
  const as = (scopes: readonly string[]) => ({ id: "tester", scopes: [...scopes], resources: {} });
  return {
    store,
    registrations,
    call: async (operation: string, input: JsonValue = null, scopes = ["dns:read", "dns:write"]) =>
      await dispatcher.call({ operation, input, identity: as(scopes) }) as JsonObject,
    anonymous: (operation: string, input: JsonValue) => dispatcher.call({ operation, input }),
    subscribe: (operation: string, input: JsonValue) =>
      dispatcher.subscribe({ operation, input, identity: as(["dns:read"]) }),
  };
}

Deno.test("operations of dns: each asks for its scopes, dns/query for none", async () => {
  const { registrations, call, anonymous } = running();
  const declared = registrations.map(({ spec }) => [spec.name, spec.access_control.required_scopes_any ?? null]);
  deepEqual(Object.fromEntries(declared), SCOPES);
  for (const [name, scopes] of Object.entries(SCOPES)) {
    if (!scopes || name === "dns/zones/export") continue;
    const other = scopes.includes("dns:read") ? "dns:write" : "dns:read";
    await rejects(anonymous(name, null), { code: "FORBIDDEN" }, name);
    await rejects(call(name, null, [other]), { code: "FORBIDDEN" }, name);
  }
});

Deno.test("zones: made, listed, imported, exported, removed", async () => {
  const { call, subscribe } = running();
  const made = await call("dns/zones/create", {
    name: "new.example",
    ns: ["ns", "ns.other."],
    mail: "a.b@new.example",
  });
  deepEqual([made.name, made.kind, made.records], ["new.example", "primary", 3]);
  const { zones } = await call("dns/zones/list") as { zones: JsonObject[] };
  deepEqual(zones.map(({ name }) => name), ["home.example", "new.example"]);
  const text = "$TTL 60\n@ SOA ns mail 5 1 2 3 4\n@ NS ns\n";
  const input = { zone: "third.example.", text };
  equal((await call("dns/zones/import", { ...input, dryRun: true })).added, 2);
  await rejects(call("dns/records/list", { zone: "third.example" }), { code: "NO_SUCH_ZONE" });
  deepEqual(await call("dns/zones/import", input), { added: 2, removed: 0, serial: 5 });
  let exported = "";
  for await (const piece of subscribe("dns/zones/export", { zone: "third.example" })) exported += piece;
  equal(
    exported,
    "third.example. 60 IN SOA ns.third.example. mail.third.example. 5 1 2 3 4\n" +
      "third.example. 60 IN NS ns.third.example.\n",
  );
  deepEqual(await call("dns/zones/remove", { zone: "third.example" }), { records: 2 });
});

Deno.test("records: changed at once or not at all, by serial, and listed page by page", async () => {
  const { call } = running(Array.from({ length: 25 }, (_, n) => `h${n} 60 A 192.0.2.${n}`));
  const add = [
    { name: "www", type: "A", ttl: 60, data: "192.0.2.7" },
    { name: "www.home.example", type: "TXT", ttl: 60, data: '"a b" c' },
    { name: "far", type: "CNAME", ttl: 60, data: "other." },
  ];
  const first = await call("dns/records/change", { ...ZONE, add });
  deepEqual([first.added, first.removed], [3, 0]);
  deepEqual(await call("dns/records/change", { ...ZONE, add, expectSerial: first.serial }), { ...first, added: 0 });
  const remove: JsonObject[] = [{ name: "www", type: "A", data: "192.0.2.7" }, { name: "h3" }, { name: "nope" }];
  deepEqual((await call("dns/records/change", { ...ZONE, remove })).removed, 2);
  const names: string[] = [];
  let pages = 0;
  let after: JsonValue | undefined;
  do {
    const page = await call("dns/records/list", { ...ZONE, limit: 4, ...(after !== undefined && { after }) });
    names.push(...(page.records as JsonObject[]).map(({ name, type }) => `${name} ${type}`));
    after = page.next;
    pages++;
  } while (after !== undefined);
  equal(pages, 7);
  equal(new Set(names).size, names.length);
  equal(names.length, 28);
  const texts = await call("dns/records/list", { ...ZONE, name: "www", type: "TXT" });
  deepEqual(texts, { records: [{ name: "www.home.example.", type: "TXT", ttl: 60, data: '"a b" "c"' }] });
  equal(((await call("dns/records/list", { ...ZONE, type: "CNAME" })).records as JsonValue[]).length, 1);
});

Deno.test("a page goes on behind the record that ended the last, within a set too", async () => {
  const { call } = running(Array.from({ length: 9 }, (_, n) => `www 60 TXT text${n}`));
  const seen: JsonValue[] = [];
  let after: JsonValue | undefined;
  do {
    const page = await call("dns/records/list", {
      ...ZONE,
      name: "www",
      limit: 2,
      ...(after !== undefined && { after }),
    });
    seen.push(...page.records as JsonValue[]);
    after = page.next;
  } while (after !== undefined);
  equal(new Set(seen.map((one) => JSON.stringify(one))).size, 9);
  equal(seen.length, 9);
});

Deno.test("dns/query: as a resolver's JSON, for everyone, but not too often; dns/stats counts", async () => {
  const { anonymous, call } = running(["www 60 A 192.0.2.7"], 3);
  deepEqual(await anonymous("dns/query", { name: "WWW.home.example" }), {
    Status: 0,
    TC: false,
    RD: true,
    RA: false,
    AD: false,
    CD: false,
    Question: [{ name: "WWW.home.example.", type: 1 }],
    Answer: [{ name: "WWW.home.example.", type: 1, TTL: 60, data: "192.0.2.7" }],
  });
  const negative = await anonymous("dns/query", { name: "nope.home.example.", type: "AAAA" }) as JsonObject;
  deepEqual([negative.Status, (negative.Authority as JsonObject[])[0].type], [3, 6]);
  const foreign = await anonymous("dns/query", { name: "elsewhere.example", dnssec: true }) as JsonObject;
  equal(foreign.Status, 5);
  match(String(foreign.Comment), /^EDE 18: /);
  await rejects(anonymous("dns/query", { name: "www.home.example" }), { code: "DNS_BUSY" });
  const stats = await call("dns/stats");
  deepEqual([stats.queries, stats.zones, stats.rcodes, stats.refused], [3, 1, { 0: 1, 3: 1, 5: 1 }, {
    "query-rate": 1,
  }]);
});

const REFUSED: readonly (readonly [operation: string, input: JsonObject, code: string])[] = [
  ["dns/zones/create", { name: "home.example" }, "ZONE_EXISTS"],
  ["dns/zones/create", { name: "a..b" }, "DNS_SYNTAX"],
  ["dns/zones/create", { name: "new.example", mail: "a..b" }, "DNS_SYNTAX"],
  ["dns/zones/create", { name: "new.example", kind: "secondary" }, "INVALID_INPUT"],
  ["dns/zones/remove", { zone: "www.home.example" }, "NO_SUCH_ZONE"],
  ["dns/zones/import", { ...ZONE, text: "@ 60 NS ns\n" }, "DNS_RULE"],
  ["dns/zones/import", { ...ZONE, text: "$INCLUDE /etc/passwd\n" }, "DNS_SYNTAX"],
  ["dns/zones/import", { ...ZONE, text: "a".repeat(6 * 1024 * 1024 + 1) }, "INVALID_INPUT"],
  ["dns/records/list", { ...ZONE, limit: 1001 }, "INVALID_INPUT"],
  ["dns/records/list", { ...ZONE, after: "AAA" }, "DNS_SYNTAX"],
  ["dns/records/list", { ...ZONE, type: "NONSENSE" }, "DNS_SYNTAX"],
  ["dns/records/change", { ...ZONE, expectSerial: 99 }, "DNS_SERIAL"],
  ["dns/records/change", { ...ZONE, add: [{ name: "www", type: "CNAME", ttl: 1, data: "x" }] }, "DNS_RULE"],
  ["dns/records/change", { ...ZONE, add: [{ name: "www", type: "A", ttl: 1, data: "x" }] }, "DNS_SYNTAX"],
  ["dns/records/change", { ...ZONE, add: [{ name: "www", type: "A", ttl: -1, data: "192.0.2.1" }] }, "INVALID_INPUT"],
  ["dns/records/change", { ...ZONE, remove: [{ name: "www", data: "192.0.2.1" }] }, "DNS_SYNTAX"],
  ["dns/query", { name: "a..b" }, "DNS_SYNTAX"],
  ["dns/query", { name: "www", type: "NONSENSE" }, "DNS_SYNTAX"],
];

Deno.test("wrong input has the code of what is wrong, and changes nothing", async () => {
  const { call, store } = running();
  const before = store.zones.find(parseName("home.example."));
  for (const [operation, input, code] of REFUSED) {
    await rejects(call(operation, input), (error: { code?: string; message: string }) => {
      equal(error.code, code, `${operation} ${JSON.stringify(input).slice(0, 80)}: ${error.message}`);
      ok(!error.message.includes("dns.db"));
      return true;
    });
  }
  deepEqual(store.zones.find(parseName("home.example.")), before);
  equal(store.zones.list().length, 1);
});
