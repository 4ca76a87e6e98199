/**
 * Our side of the figures of calls, serving: an echo and a stream of events, over every transport, and over WebSocket to
 * whoever has the token. The second argument says how many operations there are.
 *
 * @module
 */
import { router } from "@alknet/core";
import type { IdentityProvider } from "@alknet/core/handler";
import { Dispatcher, nodeRegistry, operation, provide } from "@alknet/core/operations";
import { call } from "@alknet/handlers/call";
import { http } from "@alknet/handlers/http";
import Type from "typebox";
import { BENCH_LIMITS, BENCH_TOKEN } from "./protocols.ts";

const [options = "{}", count = "2"] = Deno.args;
const identityProvider: IdentityProvider = {
  resolveFingerprint: () => undefined,
  resolveToken: (token) => token === BENCH_TOKEN ? { id: "bench", scopes: ["bench"], resources: {} } : undefined,
};
const Text = Type.Object({ text: Type.String() });
const echo = operation({ name: "bench/echo", type: "query", input: Text, output: Text });
const events = operation({ name: "bench/events", type: "subscription", input: Text, output: Text });
const others = Array.from({ length: Number(count) - 2 }, (_, n) => {
  const name = `group${n % 100}/operation${n}`;
  return provide(operation({ name, type: "query", input: Text, output: Text }), (input) => input);
});
const registry = nodeRegistry([
  provide(echo, (input) => input),
  provide(events, async function* (input, { signal }) {
    while (!signal.aborted) yield input;
  }),
  ...others,
]);
const dispatcher = new Dispatcher({ registry });
const endpoint = await router()
  .use(call(dispatcher))
  .use(http({ dispatcher }))
  .listen({ ...JSON.parse(options), limits: BENCH_LIMITS, identityProvider });
Deno.addSignalListener("SIGTERM", async () => {
  await endpoint.shutdown({ drain: 0 });
  Deno.exit();
});
const [{ hostname, port }] = endpoint.addresses;
console.log(JSON.stringify({ address: `${endpoint.nodeId}@${hostname}:${port}`, port }));
