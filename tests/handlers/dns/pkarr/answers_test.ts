/**
 * Signed packets as DNS: below a zone of keys, bare, unknown, and asked of relays (row 65 of dns.md §11).
 *
 * @module
 */
import { deepEqual, equal, rejects } from "node:assert/strict";
import { NodeKey } from "@alknet/core/identity";
import {
  type DnsCaller,
  dnsEngine,
  dnsLimitsWith,
  dnsRates,
  type DnsStore,
  Lookups,
  type Message,
  newZone,
  openDnsStore,
  parseName,
  type RelayClient,
  type SignedPacket,
} from "../../../../handlers/dns/mod.ts";
import { atOnce, line, query } from "../zone.ts";
import { KEY, now, packet } from "./packets.ts";

const CALLER: DnsCaller = { front: "dot", address: "192.0.2.1" };
const FRIEND: DnsCaller = { front: "dot", address: "192.0.2.2" };
const OTHER = NodeKey.generate();
const RD = { flags: { ...query("x").flags, rd: true } };
const TEXT = `
@ 60 A 192.0.2.7
_iroh 30 TXT "addr=192.0.2.7:4433"
long 86400 TXT long
www 60 CNAME deep.x
deep.x 60 A 192.0.2.8
out 60 CNAME elsewhere.example.
loop 60 CNAME pool
pool 60 CNAME loop`;

function serving(packets: readonly SignedPacket[], relays: readonly RelayClient[] = [], clock = () => 0) {
  const store: DnsStore = openDnsStore(":memory:", { now });
  store.zones.create(newZone(parseName("keys.example."), { serial: 1 }), "pkarr");
  store.zones.create(newZone(parseName("home.example."), { serial: 1 }), "primary");
  for (const one of packets) store.packets.put(one);
  const limits = dnsLimitsWith();
  const asked: string[] = [];
  const forwarder = {
    resolve(query: Message) {
      asked.push(line({ ...query.question!, ttl: 0, data: new Uint8Array() }));
      return { failure: [22, "x"] as const };
    },
    stats: () => ({}),
  };
  const engine = dnsEngine({
    zones: store.zones,
    packets: new Lookups({ packets: store.packets, relays, now: clock }),
    rates: dnsRates({ limits }),
    limits,
    recursion: { forwarder: forwarder as never, mayRecurse: ({ address }) => address === FRIEND.address },
  });
  const shape = ({ rcode, flags, answer, authority }: Message) => ({
    rcode,
    aa: flags.aa,
    answer: answer.map((record) => line(record).replaceAll(KEY.id, "K")),
    authority: authority.map(({ type }) => type),
  });
  return {
    store,
    asked,
    engine,
    ask: (name: string, type = "A") => shape(atOnce(engine.resolve(query(name.replace("K", KEY.id), type), CALLER))),
    friend: async (name: string, type = "A", signal?: AbortSignal) =>
      shape(await engine.resolve(query(name.replace("K", KEY.id), type, RD), FRIEND, signal)),
  };
}

Deno.test("a packet is answered below a zone of keys, and bare (row 65)", () => {
  const { ask } = serving([packet(TEXT)]);
  const good = (answer: string[], aa = true) => ({ rcode: 0, aa, answer, authority: [] });
  deepEqual(
    ask("_iroh.K.keys.example", "TXT"),
    good(['_iroh.K.keys.example 30 TXT "addr=192.0.2.7:4433"']),
  );
  deepEqual(ask("_IROH.K.Keys.Example", "TXT").answer, ['_IROH.K.Keys.Example 30 TXT "addr=192.0.2.7:4433"']);
  deepEqual(ask("_iroh.K", "TXT"), good(['_iroh.K 30 TXT "addr=192.0.2.7:4433"'], false));
  deepEqual(ask("K.keys.example"), good(["K.keys.example 60 A 192.0.2.7"]));
  deepEqual(ask("long.K.keys.example", "TXT"), good(['long.K.keys.example 300 TXT "long"']));
  deepEqual(
    ask("www.K.keys.example"),
    good(["www.K.keys.example 60 CNAME deep.x.K.", "deep.x.K 60 A 192.0.2.8"]),
  );
  deepEqual(ask("out.K.keys.example"), good(["out.K.keys.example 60 CNAME elsewhere.example."]));
  deepEqual(ask("loop.K").answer.length, 2);
  const nothing = (rcode: number, aa: boolean) => ({ rcode, aa, answer: [], authority: aa ? [6] : [] });
  deepEqual(ask("nope.K.keys.example"), nothing(3, true));
  deepEqual(ask("x.K.keys.example"), nothing(0, true));
  deepEqual(ask("K.keys.example", "AAAA"), nothing(0, true));
  deepEqual(ask("nope.K"), nothing(3, false));
  deepEqual(ask(`${OTHER.id}.keys.example`), nothing(3, true));
  deepEqual(ask(OTHER.id), nothing(3, false));
});

Deno.test("other names of a zone of keys are its own, and keys in other zones are labels", () => {
  const { ask } = serving([packet(TEXT)]);
  equal(ask("keys.example", "SOA").answer.length, 1);
  equal(ask("nope.keys.example").rcode, 3);
  equal(ask("K.home.example").rcode, 3);
  equal(ask(`K.x.keys.example`).rcode, 3);
  equal(ask("elsewhere.example").rcode, 5);
});

Deno.test("a packet that is replaced is answered at once, not out of the cache", () => {
  const { store, engine } = serving([packet("x 60 A 192.0.2.1")]);
  const bytes = () => atOnce(engine.respond(query(`x.${KEY.id}.keys.example`), CALLER));
  equal(bytes().at(-1), 1);
  store.packets.put(packet("x 60 A 192.0.2.2", 1_764_288_000_000_001n));
  equal(bytes().at(-1), 2);
});

Deno.test("relays are asked for who may recurse alone, once for all who wait, and again after 5 minutes", async () => {
  let time = 0;
  let reply = Promise.withResolvers<SignedPacket | undefined>();
  const gets: string[] = [];
  const relay: RelayClient = {
    name: "r",
    get: (id) => (gets.push(id), reply.promise),
    put: () => Promise.resolve("stored"),
  };
  const { ask, friend } = serving([], [relay], () => time);
  equal(ask("K.keys.example").rcode, 3);
  deepEqual(gets, []);
  const leaving = new AbortController();
  const left = friend("K.keys.example", "A", leaving.signal);
  const waiting = Array.from({ length: 5 }, () => friend("K"));
  leaving.abort(new Error("left"));
  await rejects(left, { message: "left" });
  reply.resolve(packet(TEXT));
  for (const answer of await Promise.all(waiting)) deepEqual(answer.answer, ["K 60 A 192.0.2.7"]);
  deepEqual(gets, [KEY.id]);
  // Kept from now on, for all.
  equal(ask("K.keys.example").rcode, 0);
  time += 299_999;
  await friend("K");
  equal(gets.length, 1);
  time += 1;
  reply = Promise.withResolvers();
  deepEqual((await friend("K")).answer.length, 1);
  equal(gets.length, 2);
  reply.reject(new Error("down"));
  deepEqual((await friend("K")).answer.length, 1);
});

Deno.test("an alias that leads out of a packet is followed for who may recurse; no key is asked of upstreams", async () => {
  const { asked, friend } = serving([packet(TEXT)]);
  await friend("out.K.keys.example");
  await friend("nope.K");
  await friend(OTHER.id);
  deepEqual(asked.map((text) => text.split(" ")[0]), ["elsewhere.example"]);
});
