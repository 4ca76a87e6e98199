/**
 * The peer of our QUIC, dialling: `Deno.connectQuic`, all connections on one endpoint, as ours share one socket.
 *
 * @module
 */
import { serveTasks, streamTasks } from "./client_tasks.ts";

const { port, certificate } = JSON.parse(Deno.args[0]);
const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: 0 });

await serveTasks(streamTasks(async (alpn) => {
  const connection = await Deno.connectQuic({
    hostname: "127.0.0.1",
    port,
    serverName: "localhost",
    caCerts: [certificate],
    alpnProtocols: [alpn],
    keepAliveInterval: 5000,
    endpoint,
  });
  return { open: () => connection.createBidirectionalStream(), close: () => connection.close() };
}));
Deno.exit();
