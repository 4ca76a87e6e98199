/**
 * Our side of the figures of calls, serving: an echo and a stream of events.
 *
 * @module
 */
import { router } from "@alknet/core";
import { call, Dispatcher, operation, provide, Registry } from "@alknet/handlers/call";
import Type from "typebox";

const limits = { maxConnectionsPerAddress: 10_000, connectionRate: 1_000_000, connectionBurst: 1_000_000 };
const Text = Type.Object({ text: Type.String() });
const echo = operation({ name: "bench/echo", type: "query", input: Text, output: Text });
const events = operation({ name: "bench/events", type: "subscription", input: Text, output: Text });
const registry = new Registry([
  provide(echo, (input) => input),
  provide(events, async function* (input, { signal }) {
    while (!signal.aborted) yield input;
  }),
]);
const endpoint = await router()
  .use(call(new Dispatcher({ registry })))
  .listen({ ...JSON.parse(Deno.args[0] ?? "{}"), limits });
Deno.addSignalListener("SIGTERM", async () => {
  await endpoint.shutdown({ drain: 0 });
  Deno.exit();
});
const [{ hostname, port }] = endpoint.addresses;
console.log(JSON.stringify({ address: `${endpoint.nodeId}@${hostname}:${port}` }));
