/**
 * Asks a server over QUIC (RFC 9250) for names, a stream each, so many at a time on each of some connections. The first
 * argument is its address with its node id, the second a zone.
 *
 * @module
 */
import { connect } from "@alknet/core/dial";
import type { Connection } from "@alknet/core/handler";
import { encodeMessage, parseName, plainQuery } from "@alknet/handlers/dns";
import { serveTasks } from "../client_tasks.ts";

/** Names that are asked for, again and again. */
const NAMES = 1000;
const CONNECTIONS = 4;
/** Questions on a connection without an answer. */
const IN_FLIGHT = 25;

const [address, zone] = Deno.args;
const queries = Array.from({ length: NAMES }, (_, n) => {
  const bytes = encodeMessage(plainQuery({ name: parseName(`n${n}.${zone}.`), type: 1, class: 1 }));
  return Uint8Array.of(bytes.byteLength >>> 8, bytes.byteLength & 0xff, ...bytes);
});
let next = 0;

async function ask(connection: Connection): Promise<void> {
  const { readable, writable } = await connection.open();
  const writer = writable.getWriter();
  // The end goes out with the question.
  await Promise.all([writer.write(queries[next++ % NAMES]), writer.close()]);
  const answer = await new Response(readable).bytes();
  const rcode = answer[5] & 0xf;
  if (rcode !== 0) throw new Error(`an answer has code ${rcode}`);
}

async function load(until: number): Promise<number> {
  await using connection = await connect(address, "doq", { transport: "quic" });
  let count = 0;
  await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
    for (; performance.now() < until; count++) await ask(connection);
  }));
  return count;
}

await serveTasks({
  async questions(seconds) {
    const began = performance.now();
    const until = began + Math.max(0.2, seconds) * 1000;
    const counts = await Promise.all(Array.from({ length: CONNECTIONS }, () => load(until)));
    return counts.reduce((sum, count) => sum + count, 0) / (performance.now() - began) * 1000;
  },
});
Deno.exit();
