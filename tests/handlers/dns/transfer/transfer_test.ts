/**
 * Transfers: who, how many, of which moment, as fast as they are taken (dns.md §5.3; rows 37 and 48).
 *
 * @module
 */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { memoryPair } from "@alknet/core/handler";
import {
  decodeMessage,
  dns,
  type DnsCaller,
  type DnsStoreOptions,
  importMaster,
  isAmong,
  type Message,
  openDnsStore,
  parseName,
  parsePrefix,
  Transfers,
} from "../../../../handlers/dns/mod.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { contextOf } from "../../context.ts";
import { framed, line, partsOver, query, record } from "../zone.ts";

const NAME = parseName("home.example.");
const APEX = "$TTL 300\n@ 3600 SOA ns hostmaster 7 3600 600 1209600 300\n@ 3600 NS ns\n";
const CALLER: DnsCaller = { front: "dot", address: "192.0.2.53" };
const AXFR = query("home.example", "TYPE252");

function hosts(count: number): string {
  return Array.from({ length: count }, (_, n) => `h${n} A 10.${n >> 16}.${n >> 8 & 255}.${n & 255}\n`).join("");
}

function zones(text: string, file = ":memory:", options: DnsStoreOptions = {}) {
  const store = openDnsStore(file, options);
  importMaster(store.zones, NAME, () => [APEX + text]);
  const parts = partsOver(store);
  const transfers = new Transfers({
    zones: store.zones,
    rates: parts.rates,
    mayTransfer: ({ address }) => address.startsWith("192.0.2."),
  });
  return { store, transfers, parts: { ...parts, transfers } };
}

function all(messages: Iterable<Uint8Array>): Message[] {
  return [...messages].map((bytes) => decodeMessage(bytes));
}

Deno.test("a zone between its SOAs, in messages of 16 KiB at most, whose names are compressed", () => {
  using it = zones(hosts(3000)).store;
  const { transfers } = {
    transfers: new Transfers({ zones: it.zones, rates: partsOver(it).rates, mayTransfer: () => true }),
  };
  using transfer = transfers.begin(AXFR, CALLER);
  const bytes = [...transfer.messages];
  ok(bytes.length > 3, `${bytes.length} messages`);
  ok(bytes.every(({ byteLength }) => byteLength <= 16 * 1024));
  const messages = all(bytes);
  ok(messages.every(({ id, flags, rcode }) => id === AXFR.id && flags.aa && rcode === 0));
  const records = messages.flatMap(({ answer }) => answer);
  equal(records.length, 3003);
  deepEqual([line(records[0]), records[0]], [line(records.at(-1)!), records.at(-1)!]);
  deepEqual(new Set(records.slice(1, -1).map(line)).size, 3001);
});

Deno.test("IXFR: the SOA alone for who is not behind, else all; without a serial FORMERR", () => {
  const { transfers } = zones(hosts(2));
  const ixfr = (serial: number): Message => ({
    ...query("home.example", "TYPE251"),
    authority: [record(`@ 60 SOA ns m ${serial} 1 2 3 4`, "home.example")],
  });
  const counts = [6, 7, 8, 7 + 2 ** 31 + 5].map((serial) => {
    using transfer = transfers.begin(ixfr(serial), CALLER);
    return all(transfer.messages)[0].answer.length;
  });
  deepEqual(counts, [5, 1, 1, 5]);
  using transfer = transfers.begin(query("home.example", "TYPE251"), CALLER);
  equal(all(transfer.messages)[0].rcode, 1);
});

Deno.test("a stranger, a name within a zone, and what is no zone are REFUSED, counted and told apart by none", () => {
  const { transfers, parts } = zones(hosts(2));
  const asked: readonly (readonly [Message, DnsCaller])[] = [
    [AXFR, { ...CALLER, address: "198.51.100.1" }],
    [query("h1.home.example", "TYPE252"), CALLER],
    [query("nope.example", "TYPE252"), CALLER],
  ];
  for (const [message, caller] of asked) {
    using transfer = transfers.begin(message, caller);
    const [answer, ...more] = all(transfer.messages);
    deepEqual([answer.rcode, answer.answer, more], [5, [], []]);
  }
  equal(parts.rates.refused.get("transfer"), 3);
});

Deno.test("two at a time for one peer, eight in all; one that ends makes room", () => {
  const { transfers } = zones(hosts(2));
  const begin = (address: string) => transfers.begin(AXFR, { ...CALLER, address });
  const rcodeOf = (address: string) => {
    using transfer = begin(address);
    return all(transfer.messages)[0].rcode;
  };
  const running = ["1", "1", "2", "2", "3", "3", "4"].map((last) => begin(`192.0.2.${last}`));
  equal(rcodeOf("192.0.2.1"), 5);
  equal(rcodeOf("192.0.2.5"), 0);
  running.push(begin("192.0.2.5"));
  equal(rcodeOf("192.0.2.6"), 5);
  running.shift()![Symbol.dispose]();
  running[0][Symbol.dispose]();
  running[0][Symbol.dispose]();
  equal(rcodeOf("192.0.2.6"), 0);
  for (const transfer of running) transfer[Symbol.dispose]();
});

Deno.test("a transfer is of one moment, whatever becomes of the zone; on a stream it waits for its reader", async () => {
  await using folder = await temporaryFolder();
  const { store, parts } = zones(hosts(60_000), folder.join("dns.db"));
  using _store = store;
  const [client, server] = memoryPair(
    "dot",
    { singleStream: true, peerAddress: { hostname: "192.0.2.53", port: 1 } } as never,
  );
  const served = dns({
    ...parts,
    transfers: new Transfers({ zones: store.zones, rates: parts.rates, mayTransfer: () => true }),
  })
    .handle(server, contextOf(new AbortController().signal));
  const { readable, writable } = await client.open();
  const writer = writable.getWriter();
  const reader = readable.getReader();
  await writer.write(framed(AXFR, query("h1.home.example")));
  let bytes = (await reader.read()).value!;
  // What is on its way is little: the rest is in the database, as it was.
  importMaster(store.zones, NAME, () => [APEX + hosts(1)]);
  await writer.close();
  const parts2: Uint8Array[] = [bytes];
  for (let part = await reader.read(); !part.done; part = await reader.read()) parts2.push(part.value);
  bytes = new Uint8Array(await new Blob(parts2 as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  const messages: Message[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    const length = bytes[at] << 8 | bytes[at + 1];
    messages.push(decodeMessage(bytes.subarray(at + 2, at + 2 + length)));
    at += 2 + length;
  }
  const last = messages.pop()!;
  equal(last.question!.type, 1);
  const records = messages.flatMap(({ answer }) => answer);
  equal(records.length, 60_003);
  equal(line(records.at(-1)!), line(records[0]));
  await served;
});

Deno.test("prefixes: who is among them, and what is none", () => {
  const prefixes = ["192.0.2.53", "198.51.100.0/24", "2001:db8::/47", "203.0.113.128/25"].map(parsePrefix);
  const cases: Readonly<Record<string, boolean>> = {
    "192.0.2.53": true,
    "::ffff:192.0.2.53": true,
    "192.0.2.54": false,
    "198.51.100.255": true,
    "198.51.101.0": false,
    "2001:db8:1:2::3": true,
    "2001:db8:2::": false,
    "203.0.113.127": false,
    "203.0.113.129": true,
    "unit": false,
  };
  for (const [address, among] of Object.entries(cases)) equal(isAmong(address, prefixes), among, address);
  for (const all of ["0.0.0.0/0", "::/0"]) {
    ok(isAmong(all.startsWith("0") ? "192.0.2.1" : "2001:db8::1", [parsePrefix(all)]));
  }
  for (const text of ["", "home", "192.0.2.0/33", "192.0.2.1/24", "fe80::1%1", "192.0.2.0/", "::/129"]) {
    throws(() => parsePrefix(text), { code: "INVALID_PREFIX" }, text);
  }
});
