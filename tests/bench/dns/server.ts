/**
 * A node that forwards names over TLS to an upstream, whose port is the first argument and whose fingerprint the second.
 *
 * @module
 */
import { router } from "@alknet/core";
import { connect } from "@alknet/core/dial";
import { dns, dnsEngine, dnsLimitsWith, dnsRates, forwarder, openDnsStore } from "@alknet/handlers/dns";
import { BENCH_LIMITS } from "../protocols.ts";

const [port, fingerprint] = Deno.args;
const unlimited = { perSecond: 1_000_000_000, burst: 1_000_000_000 };
const limits = dnsLimitsWith({ queryRate: unlimited, recursionRate: unlimited });
const rates = dnsRates({ limits });
const { zones } = openDnsStore(":memory:");
const forward = forwarder({
  upstreams: [{
    via: "dot",
    label: "upstream",
    dial: (signal) =>
      connect(`127.0.0.1:${port}`, "dot", {
        transport: "tls",
        fingerprints: [fingerprint],
        alpnOptional: true,
        signal,
      }),
  }],
  limits,
});
const engine = dnsEngine({ zones, rates, limits, recursion: { forwarder: forward, mayRecurse: () => true } });
const endpoint = await router().use(dns({ engine, rates, limits })).listen({
  transports: ["tls"],
  limits: BENCH_LIMITS,
});
console.log(JSON.stringify({ port: endpoint.addresses[0].port }));
Deno.addSignalListener("SIGTERM", () => Deno.exit());
