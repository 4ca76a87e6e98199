/**
 * A node with one zone of as many addresses as the argument says, on plain DNS and over TLS for clients that name no
 * protocol.
 *
 * @module
 */
import { router } from "@alknet/core";
import { logger } from "@alknet/core/handler";
import {
  dns,
  dnsEngine,
  dnsLimitsWith,
  dnsRates,
  importMaster,
  listenPlain,
  newZone,
  openDnsStore,
  parseName,
} from "@alknet/handlers/dns";
import { BENCH_LIMITS } from "../protocols.ts";
import { masterOf, ZONE } from "./zone.ts";

const unlimited = { perSecond: 1_000_000_000, burst: 1_000_000_000 };
const limits = dnsLimitsWith({ queryRate: unlimited });
const rates = dnsRates({ limits });
const { zones } = openDnsStore(":memory:");
const master = masterOf(Number(Deno.args[0]));
zones.create(newZone(parseName(`${ZONE}.`)), "primary");
importMaster(zones, parseName(`${ZONE}.`), () => [master]);
const parts = { engine: dnsEngine({ zones, rates, limits }), rates, limits };
const plain = await listenPlain(["127.0.0.1:0"], {
  ...parts,
  log: logger("dns"),
  zoneOf: (name) => zones.find(name)?.name.key,
});
const endpoint = await router().use(dns(parts)).listen({
  listen: [{ address: "127.0.0.1:0", withoutAlpn: "dot" }],
  transports: ["tls"],
  limits: BENCH_LIMITS,
});
console.log(JSON.stringify({ plain: plain.addresses[0].port, tls: endpoint.addresses[0].port }));
Deno.addSignalListener("SIGTERM", () => Deno.exit());
