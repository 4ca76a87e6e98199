/**
 * Zones out of master files and back (rows 40 to 42 of dns.md §11).
 *
 * @module
 */
import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import {
  type DnsStore,
  importMaster,
  openDnsStore,
  parseName,
  type ResourceRecord,
  writeMaster,
  type Zone,
} from "../../../../handlers/dns/mod.ts";
import { runProgram } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { PYTHON, ROOT } from "../../../support/python.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { line, storeWith } from "../zone.ts";

const NAME = parseName("home.example.");
const APEX = "$TTL 300\n@ 3600 SOA ns hostmaster 7 3600 600 1209600 300\n@ 3600 NS ns\n";
/** Records of many types, in an order of its own. */
const MANY = `${APEX}www AAAA 2001:db8::1
www 60 A 192.0.2.7
www A 192.0.2.8
ns A 192.0.2.53
*.wild TXT "a \\"b\\" ; c" d\\010e
a\\.b\\000c CNAME www
_s._tcp SRV 1 2 443 www
@ MX 10 mail.Elsewhere.
@ CAA 0 issue "ca.example"
svc HTTPS 1 . alpn="h2,h3" ipv4hint=192.0.2.7
_25._tcp.www TLSA 3 1 1 2bb183af5f22588179a53b0a98631fad1a2921182bb183af5f22588179a53b0a
host SSHFP 4 1 2bb183af5f22588179a53b0a98631fad1a292118
naptr NAPTR 100 50 "s" "z3950+I2L+I2C" "" _z._tcp
del NS ns.del
ns.del A 192.0.2.77
key DNSKEY 256 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=
odd TYPE731 \\# 6 abcdef012345
`;

Deno.test("a file in place of a zone: what is the same stays, counts tell the difference, a serial rises once", () => {
  const clock = { now: 1_764_288_000_000 };
  using store = openDnsStore(":memory:", { now: () => clock.now });
  const { zones } = store;
  const put = (text: string) => importMaster(zones, NAME, () => [text]);
  deepEqual(put(APEX), { added: 2, removed: 0, serial: 7 });
  deepEqual(put(APEX.replace("hostmaster 7", "hostmaster 99")), { added: 0, removed: 0, serial: 7 });
  const generation = zones.generation(zones.find(NAME)!);
  equal(put(`${APEX}a A 192.0.2.1\nb A 192.0.2.2\n`).serial, 1_764_288_000);
  ok(zones.generation(zones.find(NAME)!) > generation);
  const { added, removed, serial } = put(`${APEX}a 5 A 192.0.2.1\nc A 192.0.2.3\n`);
  deepEqual([added, removed, serial], [2, 2, 1_764_288_001]);
  deepEqual(zones.find(NAME), { ...zones.find(NAME)!, records: 4, serial: 1_764_288_001 });
  deepEqual([...zones.read(zones.find(NAME)!)].map(line), [
    "home.example 3600 SOA ns.home.example. hostmaster.home.example. 1764288001 3600 600 1209600 300",
    "home.example 3600 NS ns.home.example.",
    "a.home.example 5 A 192.0.2.1",
    "c.home.example 300 A 192.0.2.3",
  ]);
});

Deno.test("a dry run tells what would go and come, and changes nothing", () => {
  const [store, zone] = storeWith("home.example", ["a 300 A 192.0.2.1"]);
  const before = all(store, zone);
  const told: string[] = [];
  const onDifference = (sign: string, record: ResourceRecord) => void told.push(`${sign} ${line(record)}`);
  const soa = line(before[0]).replace("home.example", "@").replace(/ 1 (?=3600)/, " 5 ");
  const text = `${soa}\n@ 3600 NS ns\nb 300 A 192.0.2.2\n`;
  const { added, removed } = importMaster(store.zones, NAME, () => [text], { dryRun: true, onDifference });
  deepEqual([added, removed, told], [1, 1, ["- a.home.example 300 A 192.0.2.1", "+ b.home.example 300 A 192.0.2.2"]]);
  deepEqual(all(store, store.zones.find(NAME)!), before);
  importMaster(store.zones, parseName("new.example."), () => [APEX], { dryRun: true });
  equal(store.zones.find(parseName("new.example.")), undefined);
});

const FAULTS: readonly (readonly [title: string, text: string, at: string, words: RegExp])[] = [
  [
    "CNAME and A",
    `${APEX}\nwww A 192.0.2.1\nwww CNAME x\n`,
    "6:5",
    /www\.home\.example CNAME: other records have this name/,
  ],
  ["outside", `${APEX}www.elsewhere. A 192.0.2.1\n`, "4:16", /www\.elsewhere A: it is not in the zone/],
  ["no SOA", "@ 1 NS ns\n", "1:1", /home\.example SOA: a zone has one SOA/],
  ["no NS", "@ 1 SOA a b 1 2 3 4 5\n", "1:1", /NS: a zone has a name server/],
  ["two SOA", `${APEX}@ 1 SOA a b 1 2 3 4 5\n`, "2:8", /one SOA/],
  ["a text below a cut", `${APEX}del NS a.\na.del A 192.0.2.1\na.b.del TXT x\n`, "6:9", /delegated/],
  ["a SOA below the apex", `${APEX}www SOA a b 1 2 3 4 5\n`, "4:5", /stands at the apex/],
  ["DNAME", `${APEX}x DNAME y\n`, "4:3", /not served/],
  ["$INCLUDE", `${APEX}$INCLUDE other\n`, "4:1", /not read/],
  ["an open quote", `${APEX}a TXT "b\n`, "4:7", /quote/],
];

for (const [title, text, at, words] of FAULTS) {
  Deno.test(`a file is no zone for ${title}: its place, and nothing is changed (row 42)`, () => {
    const [store, zone] = storeWith("home.example", ["a 300 A 192.0.2.1"]);
    const before = all(store, zone);
    throws(() => importMaster(store.zones, NAME, () => [text]), (error: Error) => {
      match(error.message, words);
      return error.name === "MasterFileError" && error.message.startsWith(`${at}: `);
    });
    deepEqual(all(store, store.zones.find(NAME)!), before);
    // The next file finds nothing of this one.
    importMaster(store.zones, NAME, () => [APEX]);
    equal(store.zones.find(NAME)!.records, 2);
  });
}

Deno.test("more records than a zone may have are refused on the way", () => {
  const [store] = storeWith("home.example", [], { maxRecords: 10 });
  let read = 0;
  const endless = function* () {
    yield APEX;
    for (;; read++) yield `n${read} A 192.0.2.1\n`;
  };
  throws(() => importMaster(store.zones, NAME, endless), { code: "DNS_RULE" });
  ok(read < 100, `${read}`);
});

Deno.test("a snapshot stays what it was while the zone changes, and both do while another reads", async () => {
  await using folder = await temporaryFolder();
  using store = openDnsStore(folder.join("dns.db"));
  const { zones } = store;
  importMaster(zones, NAME, () => [`${APEX}${hosts(500)}`]);
  using snapshot = zones.snapshot(zones.find(NAME)!);
  const others = snapshot.others[Symbol.iterator]();
  others.next();
  importMaster(zones, NAME, () => [APEX]);
  using after = zones.snapshot(zones.find(NAME)!);
  let count = 1;
  while (!others.next().done) count++;
  deepEqual([count, [...after.others].length], [501, 1]);
  equal(line(snapshot.soa), "home.example 3600 SOA ns.home.example. hostmaster.home.example. 7 3600 600 1209600 300");
});

Deno.test("whoever watches is told of zones that change, of this and of other processes", async () => {
  await using folder = await temporaryFolder();
  using store = openDnsStore(folder.join("dns.db"));
  using other = openDnsStore(folder.join("dns.db"));
  const told: string[] = [];
  using watching = store.zones.watch(({ serial }) => void told.push(`${serial}`));
  importMaster(store.zones, NAME, () => [APEX]);
  importMaster(store.zones, NAME, () => [APEX]);
  using following = store.follow(5);
  importMaster(other.zones, NAME, () => [APEX.replace("hostmaster", "other")]);
  while (told.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  watching[Symbol.dispose]();
  following[Symbol.dispose]();
  importMaster(store.zones, NAME, () => [`${APEX}${hosts(3)}`]);
  equal(told[0], "7");
  equal(told.length, 2);
});

Deno.test("100,000 records come in and go out the same", () => {
  using store = openDnsStore(":memory:");
  const text = `${APEX}${hosts(100_000)}`;
  equal(importMaster(store.zones, NAME, () => [text]).added, 100_002);
  const written = master(store);
  using again = openDnsStore(":memory:");
  equal(importMaster(again.zones, NAME, () => [written]).added, 100_002);
  equal(master(again), written);
});

Deno.test({
  name: "BIND's and dnspython's reading of our export is ours; ours of BIND's is BIND's (rows 40, 41)",
  ...needs("named-compilezone", "nsd", "python"),
  async fn() {
    await using folder = await temporaryFolder();
    using store = openDnsStore(":memory:");
    importMaster(store.zones, NAME, () => [MANY]);
    const written = master(store);
    const file = folder.join("home.zone");
    await Deno.writeTextFile(file, written);
    const compiled = await well(
      "named-compilezone",
      "-k",
      "ignore",
      "-i",
      "none",
      "-o",
      folder.join("out"),
      "home.example",
      file,
    );
    match(compiled, /OK/);
    await well("nsd-checkzone", "home.example", file);
    const theirs = await Deno.readTextFile(folder.join("out"));
    const [ours] = [lines(store)];
    equal(importMaster(store.zones, NAME, () => [theirs]).added, 0, theirs);
    const stdin = new TextEncoder().encode(written);
    const read = await runProgram(PYTHON, [`${ROOT}tests/peers/dns_zone.py`, "home.example."], { stdin });
    equal(read.code, 0, read.stderr);
    deepEqual(read.stdout.trim().split("\n").sort(), ours);
  },
});

async function well(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(program, args);
  equal(code, 0, stdout + stderr);
  return stdout + stderr;
}

function hosts(count: number): string {
  let text = "";
  for (let n = 0; n < count; n++) text += `h${n} A 10.${n >> 16}.${n >> 8 & 255}.${n & 255}\n`;
  return text;
}

function all({ zones }: DnsStore, zone: Zone): ResourceRecord[] {
  return [...zones.read(zone)];
}

function master(store: DnsStore): string {
  return [...writeMaster(all(store, store.zones.find(NAME)!))].join("");
}

/** Records with their data in hexadecimal digits, as the peer writes them. */
function lines(store: DnsStore): string[] {
  return all(store, store.zones.find(NAME)!).map((record) => {
    const [name, ttl, type] = line(record).split(/ (?=\d+ \w+ )|(?<= \d+) | (?=.)/).slice(0, 3);
    return `${name.endsWith(".") ? name : `${name}.`} ${ttl} ${type} ${record.data.toHex()}`;
  }).sort();
}
