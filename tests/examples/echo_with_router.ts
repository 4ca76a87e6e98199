/**
 * The smallest node: one handler on the router, one port, and a client that pins the node's id.
 *
 * @module
 */
import { connect, defineHandler, router } from "@alknet/alknet";

const ALPN = "example/echo";

const echo = defineHandler({
  alpns: [ALPN],
  async handle(connection) {
    for await (const { readable, writable } of connection) await readable.pipeTo(writable);
  },
});

await using endpoint = await router().use(echo).listen({ listen: "127.0.0.1:0" });
const [{ hostname, port }] = endpoint.addresses;

for (const transport of ["quic", "tls"] as const) {
  await using connection = await connect(`${endpoint.nodeId}@${hostname}:${port}`, ALPN, { transport });
  const { readable, writable } = await connection.open();
  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode(`hello over ${connection.transport}`));
  await writer.close();
  console.log(await new Response(readable).text());
}
