/**
 * The smallest protocol: one handler given a connection directly, with no router, no port and no network.
 *
 * @module
 */
import { type Connection, memoryPair } from "@alknet/core/handler";

async function echo(connection: Connection): Promise<void> {
  for await (const { readable, writable } of connection) await readable.pipeTo(writable);
}

const [client, server] = memoryPair("example/echo");
const served = echo(server);

const { readable, writable } = await client.open();
const writer = writable.getWriter();
await writer.write(new TextEncoder().encode("hello in memory"));
await writer.close();
console.log(await new Response(readable).text());

client.close(0, "done");
await served;
