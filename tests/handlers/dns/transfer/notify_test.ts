/**
 * NOTIFY to a secondary (RFC 1996; dns.md §5.3).
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { createSocket, type RemoteInfo } from "node:dgram";
import { type Logger, logger } from "@alknet/core/handler";
import {
  decodeMessage,
  encodeMessage,
  formatName,
  type Message,
  notifySecondaries,
} from "../../../../handlers/dns/mod.ts";
import { record, storeWith } from "../zone.ts";

/** A secondary that has what it is told. */
async function secondary(answers: boolean) {
  const socket = createSocket("udp4");
  const told: Message[] = [];
  let wake = (): void => {};
  socket.on("message", (bytes: Uint8Array, from: RemoteInfo) => {
    const message = decodeMessage(new Uint8Array(bytes));
    told.push(message);
    wake();
    if (answers) socket.send(encodeMessage({ ...message, response: true }), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return {
    told,
    to: { hostname: "127.0.0.1", port: socket.address().port },
    /** Waits until it was told so often, of the newest change alone. */
    async until(count: number) {
      const newest = () => told.filter(({ id }) => id === told.at(-1)?.id).length;
      while (newest() < count) await new Promise<void>((resolve) => wake = resolve);
    },
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
}

Deno.test("a secondary is told at the start and of each change, once where it answers", async () => {
  await using it = await secondary(true);
  await using silent = await secondary(false);
  const [store, zone] = storeWith("home.example");
  const secondaries = new Map([[zone.name.key, [it.to, silent.to]]]);
  using _notifying = notifySecondaries({ zones: store.zones, secondaries, log: logger("dns"), times: [0, 2000, 2100] });
  await it.until(1);
  const [{ id }] = it.told;
  store.zones.apply(zone, { add: [record("www 60 A 192.0.2.1", "home.example")] });
  // Who does not answer is told again, at the same times.
  await silent.until(3);
  equal(it.told.length, 2);
  equal(it.told[0].id, id);
  const { opcode, response, flags, question } = it.told[0];
  deepEqual([opcode, response, flags.aa, formatName(question!.name), question!.type], [
    4,
    false,
    true,
    "home.example.",
    6,
  ]);
});

Deno.test("a secondary that does not answer is told three times, then the log is", async () => {
  await using it = await secondary(false);
  const [store, zone] = storeWith("home.example");
  const warned = Promise.withResolvers<string>();
  const log = { ...logger("dns"), warn: (message: string) => warned.resolve(message) } as Logger;
  const secondaries = new Map([[zone.name.key, [it.to]]]);
  using _notifying = notifySecondaries({ zones: store.zones, secondaries, log, times: [0, 10, 20] });
  await it.until(3);
  equal(new Set(it.told.map(({ id }) => id)).size, 1);
  // The last wait is one that the process need not stay for.
  const stay = setInterval(() => {}, 1000);
  equal(await warned.promise, "no answer to NOTIFY from {to}");
  clearInterval(stay);
});
