import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { newZone, openDnsStore, parseName } from "../../../handlers/dns/mod.ts";
import { isAhead, nextSerial } from "../../../handlers/dns/zones/serial.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { line, record, storeWith } from "./zone.ts";

const ORIGIN = "home.example";
const of = (...lines: string[]) => lines.map((text) => record(text, ORIGIN));

Deno.test("one bad change of a hundred changes nothing; a serial that is not the zone's is DNS_SERIAL", () => {
  const [{ zones }, zone] = storeWith(ORIGIN);
  const many = Array.from({ length: 99 }, (_, n) => `n${n} 60 A 192.0.2.1`);
  const before = [...zones.read(zone)].map(line);
  throws(() => zones.apply(zone, { add: of(...many, "n5 60 CNAME other") }), { code: "DNS_RULE" });
  deepEqual([...zones.read(zone)].map(line), before);
  throws(() => zones.apply(zone, { expectSerial: 7, add: of(many[0]) }), { code: "DNS_SERIAL" });
  const { serial, records } = zones.apply(zone, { expectSerial: zone.serial, add: of(...many) });
  ok(isAhead(serial, zone.serial));
  equal(records, before.length + 99);
});

Deno.test("serials rise: three changes in a second, a clock that goes back, a wrap (RFC 1982)", () => {
  const clock = { now: 1_764_288_000_000 };
  const [{ zones }, zone] = storeWith(ORIGIN, [], { now: () => clock.now });
  const change = (n: number) => zones.apply(zone, { add: of(`n${n} 60 A 192.0.2.1`) }).serial;
  deepEqual([change(1), change(2), change(3)], [1_764_288_000, 1_764_288_001, 1_764_288_002]);
  clock.now -= 1_000_000;
  equal(change(4), 1_764_288_003);
  clock.now += 9_000_000;
  equal(change(5), 1_764_296_000);
  equal(nextSerial(0xffff_ffff, 5), 5);
  equal(nextSerial(0xffff_ffff, 0xf000_0000), 1);
  equal(nextSerial(0x7fff_fff0, 0xffff_fff0), 0x7fff_fff1, "half a round ahead is not ahead");
});

Deno.test("what changes nothing keeps the serial; a set has one TTL, the newest", () => {
  const [{ zones }, zone] = storeWith(ORIGIN, ["www 60 A 192.0.2.1"]);
  equal(zones.apply(zone, { add: of("www 60 A 192.0.2.1") }).serial, zone.serial);
  equal(zones.apply(zone, { remove: [{ name: parseName("nope.home.example.") }] }).serial, zone.serial);
  const both = { remove: [{ name: parseName("www.home.example.") }], add: of("www 60 A 192.0.2.1") };
  equal(zones.apply(zone, both).serial, zone.serial);
  const changed = zones.apply(zone, { add: of("www 90 A 192.0.2.2") });
  deepEqual(zones.at(changed, parseName("www.home.example.")).map(line), [
    "www.home.example 90 A 192.0.2.1",
    "www.home.example 90 A 192.0.2.2",
  ]);
});

const RULES: readonly (readonly [string, string[], RegExp])[] = [
  ["a name outside", ["www.elsewhere.example. 60 A 192.0.2.1"], /not in the zone/],
  ["CNAME beside others", ["www 60 A 192.0.2.1", "www 60 CNAME other"], /www\.home\.example\. CNAME: other records/],
  ["two CNAME", ["www 60 CNAME a", "www 60 CNAME b"], /CNAME/],
  ["CNAME at the apex", ["@ 60 CNAME other"], /apex/],
  ["a second SOA", ["@ 60 SOA a b 1 1 1 1 1"], /one SOA/],
  ["SOA below the apex", ["www 60 SOA a b 1 1 1 1 1"], /SOA stands at the apex/],
  ["a wildcard's NS", ["*.x 60 NS ns"], /wildcard/],
  ["DNAME", ["x 60 DNAME other"], /DNAME is not served/],
  ["a text below a cut", ["del 60 NS ns", "x.del 60 TXT a"], /delegated/],
  ["a cut above a text", ["x.del 60 TXT a", "del 60 NS ns"], /delegated/],
  ["a set above 32 KiB", Array.from({ length: 140 }, (_, n) => `big 60 TXT ${"a".repeat(240)}${n}`), /32 KiB/],
];

for (const [title, lines, rule] of RULES) {
  Deno.test(`${title}: DNS_RULE, and nothing is changed`, () => {
    const [{ zones }, zone] = storeWith(ORIGIN);
    throws(() => zones.apply(zone, { add: of(...lines) }), (error) => {
      match((error as Error).message, rule);
      return (error as { code?: string }).code === "DNS_RULE";
    });
    equal(zones.find(parseName("home.example."))!.serial, zone.serial);
  });
}

Deno.test("an apex keeps its SOA and a name server", () => {
  const [{ zones }, zone] = storeWith(ORIGIN);
  for (const type of [2, 6]) {
    throws(() => zones.apply(zone, { remove: [{ name: zone.name, type }] }), { code: "DNS_RULE" });
  }
});

Deno.test("zones: made once, found by the longest suffix, removed with their records", () => {
  const [{ zones }, zone] = storeWith("home.example", ["www 60 A 192.0.2.1"]);
  const sub = zones.create(newZone(parseName("sub.home.example.")), "primary");
  throws(() => zones.create(newZone(parseName("HOME.example.")), "primary"), { code: "ZONE_EXISTS" });
  equal(zones.find(parseName("a.SUB.home.example."))!.name.key, sub.name.key);
  equal(zones.find(parseName("a.sib.home.example."))!.name.key, zone.name.key);
  equal(zones.find(parseName("example.")), undefined);
  deepEqual(zones.list().map(({ records }) => records), [3, 2]);
  zones.remove(zone);
  throws(() => zones.apply(zone, { add: of("www 60 A 192.0.2.1") }), { code: "NO_SUCH_ZONE" });
  const again = zones.create(newZone(parseName("home.example.")), "primary");
  deepEqual([...zones.read(again)].length, 2);
});

Deno.test("a database of another version, and a file that is none, are DNS_STORE and stay as they are", async () => {
  await using folder = await temporaryFolder();
  const newer = folder.join("newer.db");
  const database = new DatabaseSync(newer);
  database.exec("CREATE TABLE a (b); PRAGMA user_version = 2");
  database.close();
  const other = await folder.write(
    "other.db",
    "not a database at all, but a text of more than sixty-four bytes, to be sure",
  );
  for (const file of [newer, other]) {
    const before = await Deno.readFile(file);
    throws(() => openDnsStore(file), { code: "DNS_STORE" });
    deepEqual(await Deno.readFile(file), before);
  }
});

Deno.test("a database that somebody writes is DNS_BUSY after a while", async () => {
  await using folder = await temporaryFolder();
  const file = folder.join("dns.db");
  using store = openDnsStore(file, { busyTimeout: 50 });
  const zone = store.zones.create(newZone(parseName("home.example.")), "primary");
  const other = new DatabaseSync(file);
  other.exec("BEGIN IMMEDIATE");
  throws(() => store.zones.apply(zone, { add: of("www 60 A 192.0.2.1") }), { code: "DNS_BUSY" });
  other.exec("COMMIT");
  other.close();
  ok(store.zones.apply(zone, { add: of("www 60 A 192.0.2.1") }).serial > zone.serial);
  equal((await Deno.stat(file)).mode! & 0o777, 0o600);
});

Deno.test("a change of another process is noticed, whatever it is", async () => {
  await using folder = await temporaryFolder();
  const file = folder.join("dns.db");
  using mine = openDnsStore(file);
  using theirs = openDnsStore(file);
  const seen = async (holds: () => boolean) => {
    using _following = mine.follow(5);
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const zone = theirs.zones.create(newZone(parseName("home.example.")), "primary");
  await seen(() => mine.zones.list().length === 1);
  const before = mine.zones.generation(zone);
  theirs.zones.apply(zone, { add: of("www 60 A 192.0.2.1") });
  await seen(() => mine.zones.generation(zone) !== before);
  equal(mine.zones.at(zone, parseName("www.home.example.")).length, 1);
  theirs.zones.remove(zone);
  await seen(() => mine.zones.list().length === 0);
});
