/**
 * A TLS listener for which no limit of connections stands before that of descriptors. Started with few of them.
 *
 * It prints its port, then a line for each time it was opened again.
 *
 * @module
 */
import { configure } from "@logtape/logtape";
import { NodeKey } from "../../../../core/identity/node_key.ts";
import { Gate } from "../../../../core/limits/gate.ts";
import { limitsWith } from "../../../../core/limits/limits.ts";
import { listenTls } from "../../../../core/transports/tls/listen.ts";

await configure({
  sinks: { said: (record) => record.message.join("").includes("opened again") && console.log("opened again") },
  loggers: [
    { category: "alknet", sinks: ["said"], lowestLevel: "error" },
    { category: ["logtape", "meta"], sinks: [], lowestLevel: "fatal" },
  ],
});
const key = NodeKey.generate();
const limits = limitsWith({ maxConnectionsPerAddress: 10_000, connectionRate: 100_000, connectionBurst: 100_000 });
const listener = await listenTls({
  address: { hostname: "127.0.0.1", port: 0 },
  alpns: ["test/suite"],
  profiles: { identity: key.certificate() },
  nodeId: key.id,
  limits,
  gate: new Gate(limits),
  onConnection: () => {},
}, { quiet: 300, idle: 300, answer: 400 });
console.log(listener.address.port);
for await (const _ of Deno.stdin.readable);
await listener.close();
