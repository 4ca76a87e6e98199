/**
 * DNS on a real endpoint, between nodes (rows 15, 73 and 74 of dns.md §11).
 *
 * @module
 */
// Loaded with the module: a library opened within a test would count as that test's leak.
import "../../../core/transports/quic/quic.ts";
import "../../../core/transports/quic/linux/call_table.ts";
import { deepEqual, equal, throws } from "node:assert/strict";
import { connect, type Connection, defineHandler, type Endpoint, type Handler, router } from "@alknet/core";
import { dns } from "../../../handlers/dns/mod.ts";
import { answersOf, framed, partsOver, query, storeWith } from "./zone.ts";

const ASKED = query("www.home.example", "A", { id: 0 });

function parts() {
  return partsOver(storeWith("home.example", ["www 60 A 192.0.2.1"])[0]);
}

async function listening(handler: Handler = dns(parts())): Promise<Endpoint> {
  return await router().use(handler).listen({ listen: "127.0.0.1:0", quic: { engine: "in-process" } });
}

function dial(
  { nodeId, addresses: [{ hostname, port }] }: Endpoint,
  alpn: string,
  transport: "quic" | "tls",
): Promise<Connection> {
  return connect(`${nodeId}@${hostname}:${port}`, alpn, { transport });
}

/** How many answers with a record come back on a stream for so many queries. */
async function asked(connection: Connection, queries: number): Promise<number> {
  const { readable, writable } = await connection.open();
  const writer = writable.getWriter();
  await writer.write(framed(...Array.from({ length: queries }, (_, id) => query("www.home.example", "A", { id }))));
  await writer.close();
  return (await answersOf(readable.getReader())).filter(({ answer }) => answer.length === 1).length;
}

Deno.test("alknet/dns between nodes: over TLS on one stream, over QUIC on many", async () => {
  await using endpoint = await listening();
  {
    await using connection = await dial(endpoint, "alknet/dns", "tls");
    equal(await asked(connection, 100), 100);
  }
  await using connection = await dial(endpoint, "alknet/dns", "quic");
  const counts = await Promise.all(Array.from({ length: 20 }, () => asked(connection, 10)));
  deepEqual(counts, counts.map(() => 10));
});

Deno.test("a shutdown: a query of DNS over QUIC that has begun is answered, and the connection ends in peace", async () => {
  const endpoint = await listening();
  await using connection = await dial(endpoint, "doq", "quic");
  equal(await asked(connection, 1), 1);
  const { readable, writable } = await connection.open();
  const writer = writable.getWriter();
  await writer.write(framed(ASKED).subarray(0, 20));
  // What comes on a later stream and is answered came after it.
  equal(await asked(connection, 1), 1);
  const shutdown = endpoint.shutdown();
  await writer.write(framed(ASKED).subarray(20));
  await writer.close();
  equal((await answersOf(readable.getReader())).length, 1);
  equal((await connection.closed).code, 0);
  await shutdown;
});

for (const [alpn, transport] of [["dot", "tls"], ["doq", "quic"]] as const) {
  Deno.test(`${alpn} alone: a node binds no socket but that of ${transport}`, async () => {
    await using endpoint = await listening({ ...dns(parts()), alpns: [alpn] });
    deepEqual(endpoint.transports, [transport]);
    await using connection = await dial(endpoint, alpn, transport);
    equal(await asked(connection, 1), 1);
  });
}

Deno.test("a second handler of dot does not compile, and does not run", () => {
  const second = defineHandler({ alpns: ["dot"] as const, handle() {} });
  const one = router().use(dns(parts()));
  // @ts-expect-error The name is claimed.
  throws(() => one.use(second), { code: "DUPLICATE_ALPN" });
});
