/**
 * Queries that something happened to on their way (row 30 of dns.md §11).
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { memoryPair } from "@alknet/core/handler";
import { dns, encodeMessage, type Message } from "../../../handlers/dns/mod.ts";
import { seeded } from "../../support/random.ts";
import { contextOf } from "../context.ts";
import { answersOf, framed, partsOver, query, record, storeWith } from "./zone.ts";

const CASES = Number(Deno.env.get("ALKNET_FUZZ_CASES") ?? 100_000);
/** Messages a connection. */
const BATCH = 1000;
const ROOM = { perSecond: 1e9, burst: 1e9 };

Deno.test("mutated queries are each answered once, in order, with their id, on connections that live", async () => {
  const random = seeded("mutated queries");
  const records = [
    "www 60 A 192.0.2.1",
    "mail 60 MX 10 www",
    "alias 60 CNAME www",
    "cut 60 NS ns.cut",
    "*.wild 60 TXT x",
  ];
  const [store] = storeWith("home.example", records);
  const parts = partsOver(store, { queryRate: ROOM, negativeRate: ROOM });
  const options = [{ code: 12, data: new Uint8Array(20) }, { code: 11, data: new Uint8Array(0) }];
  const edns = { udpSize: 1232, version: 0, dnssecOk: true, options };
  const samples: readonly Message[] = [
    query("www.home.example", "A", { edns }),
    query("mail.home.example", "MX"),
    query("a.cut.home.example", "A", { edns: { ...edns, options: [] } }),
    query("x.wild.home.example", "TXT", { edns }),
    query("home.example", "TYPE251", { authority: [record("@ 1 SOA ns m 1 2 3 4 5", "home.example")] }),
  ];
  const bytes = samples.map((sample) => encodeMessage(sample));
  const codes = new Set<number>();
  for (let done = 0; done < CASES; done += BATCH) {
    const [client, server] = memoryPair("dot", { singleStream: true });
    const handled = dns(parts).handle(server, contextOf(new AbortController().signal));
    const { readable, writable } = await client.open();
    const answers = answersOf(readable.getReader());
    const writer = writable.getWriter();
    const messages: Uint8Array[] = [];
    while (messages.length < BATCH) {
      const message = random.mutate(random.pick(bytes));
      // What is no message, or an answer, is not answered: that is another test's.
      if (message.byteLength < 12) continue;
      message[2] &= 0x7f;
      message[0] = messages.length >>> 8;
      message[1] = messages.length & 0xff;
      messages.push(message);
    }
    await writer.write(framed(...messages));
    await writer.close();
    const found = await answers;
    deepEqual(found.map(({ id }) => id), messages.map((_, id) => id));
    equal(found.every(({ response }) => response), true);
    for (const { rcode } of found) codes.add(rcode);
    await handled;
  }
  // Told, malformed, not there, not ours; others, such as signed or of another version of EDNS, are rare.
  const rare = [4, 9, 16];
  deepEqual([...codes].filter((code) => !rare.includes(code)).sort(), [0, 1, 3, 5]);
});
