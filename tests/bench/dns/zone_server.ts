/**
 * A node with one zone of as many addresses as the argument says, on plain DNS, over TLS for clients that name no
 * protocol, over QUIC, and over HTTPS, beside a bare route that gives one answer again and again.
 *
 * @module
 */
import { router } from "@alknet/core";
import { logger } from "@alknet/core/handler";
import {
  answerDoh,
  dns,
  type DnsCaller,
  dnsEngine,
  dnsLimitsWith,
  dnsRates,
  importMaster,
  listenPlain,
  newZone,
  openDnsStore,
  parseName,
} from "@alknet/handlers/dns";
import { http, type HttpApp } from "@alknet/handlers/http";
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
const endpoint = await router().use(dns(parts)).use(http({ decoy: () => new Response("none"), routes })).listen({
  listen: [{ address: "127.0.0.1:0", withoutAlpn: "dot" }],
  transports: ["quic", "tls"],
  limits: BENCH_LIMITS,
});
const [{ port: tls }] = endpoint.addresses;
console.log(JSON.stringify({ plain: plain.addresses[0].port, tls, nodeId: endpoint.nodeId }));
Deno.addSignalListener("SIGTERM", () => Deno.exit());

function routes(app: HttpApp): void {
  let bare: Uint8Array<ArrayBuffer> | undefined;
  const caller: DnsCaller = { front: "doh", address: "127.0.0.1" };
  app.get("/dns-query", async (c) => (await answerDoh(c.req.raw, caller, parts))!);
  app.get("/bare", async (c) => {
    bare ??= new Uint8Array(await (await answerDoh(c.req.raw, caller, parts))!.arrayBuffer());
    return new Response(bare, {
      headers: { "content-type": "application/dns-message", "cache-control": "max-age=60" },
    });
  });
}
