/**
 * Our side, serving: a node with the echo handler, a sink and a source.
 *
 * @module
 */
import { router } from "@alknet/core";
import { type Connection, defineHandler } from "@alknet/core/handler";
import { echo } from "@alknet/handlers/echo";
import type { BenchStream } from "./client_tasks.ts";
import { BENCH_LIMITS, sink, SINK_ALPN, source, SOURCE_ALPN } from "./protocols.ts";

async function each(connection: Connection, serve: (stream: BenchStream) => Promise<void>): Promise<void> {
  for await (const stream of connection) serve(stream).catch(() => {});
}

const endpoint = await router()
  .use(echo())
  .use(defineHandler({ alpns: [SINK_ALPN], handle: (connection) => each(connection, sink) }))
  .use(defineHandler({ alpns: [SOURCE_ALPN], handle: (connection) => each(connection, source) }))
  .listen({ ...JSON.parse(Deno.args[0] ?? "{}"), limits: BENCH_LIMITS });
Deno.addSignalListener("SIGTERM", async () => {
  await endpoint.shutdown({ drain: 0 });
  Deno.exit();
});
const [{ hostname, port }] = endpoint.addresses;
console.log(JSON.stringify({ address: `${endpoint.nodeId}@${hostname}:${port}` }));
