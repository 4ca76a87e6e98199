/**
 * A node with zones that move on between any two calls of a command, or, told `nonsense`, that answers what is no zone and
 * would drive a terminal. Prints its address. Who shows it a token may do all.
 *
 * @module
 */
import { router } from "@alknet/core";
import { Dispatcher, nodeRegistry, operation, provide } from "@alknet/core/operations";
import { call } from "@alknet/handlers/call";
import { dnsOperations, type ZoneStore } from "@alknet/handlers/dns";
import Type from "typebox";
import { partsOver, record, storeWith } from "../../../handlers/dns/zone.ts";

const NASTY = "\x1b]0;OWNED\x07\x1b[2J";

/** Zones of which each look at a name is followed by somebody's change. */
function moving(zones: ZoneStore): ZoneStore {
  let changes = 0;
  return new Proxy(zones, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      if (name !== "at") return member.bind(target);
      return (...args: Parameters<ZoneStore["at"]>) => {
        const found = target.at(...args);
        target.apply(args[0], { add: [record(`other${++changes} 60 A 192.0.2.99`, "home.example")] });
        return found;
      };
    },
  });
}

function nonsense() {
  const shared = { input: Type.Unknown(), output: Type.Unknown() };
  return [
    provide(
      operation({ name: "dns/zones/list", type: "query", ...shared }),
      () => ({ zones: [{ name: "home.example", kind: "primary", serial: 1, records: 2 }] }),
    ),
    provide(
      operation({ name: "dns/records/list", type: "query", ...shared }),
      () => ({ records: [{ name: "www", type: "A", ttl: 60, data: NASTY }] }),
    ),
    provide(operation({ name: "dns/zones/export", type: "subscription", ...shared }), async function* () {
      yield await Promise.resolve(`home.example. 60 IN TXT "${NASTY}"\n`);
      yield `${NASTY}\n`;
    }),
  ];
}

const [store] = storeWith("home.example", ["www 60 A 192.0.2.7"]);
const operations = Deno.args[0] === "nonsense" ? nonsense() : dnsOperations({
  ...partsOver(store),
  zones: moving(store.zones),
});
const endpoint = await router()
  .use(call(new Dispatcher({ registry: nodeRegistry(operations) })))
  .listen({
    listen: "127.0.0.1:0",
    identityProvider: {
      resolveFingerprint: () => undefined,
      resolveToken: () => ({ id: "anybody", scopes: ["dns:read", "dns:write"], resources: {} }),
    },
  });
console.log(JSON.stringify({ address: `${endpoint.nodeId}@127.0.0.1:${endpoint.addresses[0].port}` }));
