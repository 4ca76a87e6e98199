/**
 * Questions over real connections of each kind, many at a time, and after these have ended (row 49 of dns.md §11).
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { connect, prepareDial } from "@alknet/core/dial";
import type { Connection } from "@alknet/core/handler";
import { NodeKey } from "@alknet/core/identity";
import { type Endpoint, router } from "@alknet/core";
import {
  dns,
  dnsEngine,
  dnsLimitsWith,
  dnsRates,
  type Forwarder,
  forwarder,
  parseName,
  type UpstreamOptions,
} from "../../../../handlers/dns/mod.ts";
import { needs } from "../../../support/programs.ts";
import { freeTcpPort, startUnbound, UNBOUND_NAME } from "../../../support/unbound.ts";
import { storeWith } from "../zone.ts";
import { asks, told } from "./upstream.ts";

// Native code is loaded once and stays; loaded within a test, it would count as that test's leak.
await prepareDial();

const COUNT = 300;

/** Asks for many names at a time, of which each has an address of its own. */
async function asksMany(forward: Forwarder, zone: string): Promise<number> {
  const answers = await Promise.all(Array.from({ length: COUNT }, async (_, n) => {
    const query = asks(`n${n}.${zone}`);
    return { n, ...told(await forward.resolve(query), query) };
  }));
  return answers.filter(({ n, answer }) => answer[0] === `n${n}.${zone} 300 A 10.${n >> 8}.${n & 255}.1`).length;
}

const addresses = (zone: string, middle: string) =>
  Array.from({ length: COUNT }, (_, n) => `n${n}${zone} 300 ${middle}A 10.${n >> 8}.${n & 255}.1`);

/** A forwarder over one upstream, and how often that was dialled. */
function over(options: Omit<UpstreamOptions, "label" | "dial">, dial: (signal: AbortSignal) => Promise<Connection>) {
  const upstream = { dials: 0, last: undefined as Connection | undefined };
  const forward = forwarder({
    upstreams: [{
      ...options,
      label: "upstream",
      async dial(signal) {
        upstream.dials++;
        return upstream.last = await dial(signal);
      },
    }],
    // Addresses of the test are private.
    privateZones: [parseName(".")],
    limits: dnsLimitsWith(),
  });
  return Object.assign(upstream, { forward });
}

for (const via of ["dot", "doh"] as const) {
  Deno.test({
    name: `${via}: hundreds of questions to unbound on two connections, and again after these have ended`,
    ...needs("unbound", "openssl"),
    async fn() {
      const https = freeTcpPort();
      const more = `  interface: 127.0.0.1@${https}\n  https-port: ${https}\n`;
      await using unbound = await startUnbound(addresses(".example.org.", "IN "), more);
      const address = `127.0.0.1:${via === "doh" ? https : unbound.port}`;
      const options = { transport: "tls", authorities: unbound.certificate, serverName: UNBOUND_NAME } as const;
      const url = new URL(`https://${address}/dns-query`);
      const upstream = over(
        { via, url },
        (signal) => connect(address, via === "doh" ? "h2" : "dot", { ...options, alpnOptional: via === "dot", signal }),
      );
      using forward = upstream.forward;
      equal(await asksMany(forward, "example.org"), COUNT);
      equal(upstream.dials, 2);
      upstream.last!.close(0, "");
      await upstream.last!.closed;
      forward.flush();
      equal(await asksMany(forward, "example.org"), COUNT);
      ok(upstream.dials <= 4, `${upstream.dials}`);
      const query = asks("none.example.org");
      equal(told(await forward.resolve(query), query).rcode, 3);
    },
  });
}

for (const via of ["dot", "doq", "alknet"] as const) {
  Deno.test(`${via}: hundreds of questions to a node, and again after it has gone and come back`, async () => {
    const [store] = storeWith("home.example", addresses("", ""));
    const limits = dnsLimitsWith({ queryRate: { perSecond: 10_000, burst: 10_000 }, inFlight: 128 });
    const rates = dnsRates({ limits });
    const parts = { engine: dnsEngine({ zones: store.zones, rates, limits }), rates, limits };
    const key = NodeKey.generate();
    const listening = (port: number): Promise<Endpoint> =>
      router().use(dns(parts)).listen({ listen: `127.0.0.1:${port}`, key });
    let endpoint = await listening(0);
    const [{ port }] = endpoint.addresses;
    const alpn = via === "alknet" ? "alknet/dns" : via;
    const upstream = over({ via }, (signal) =>
      connect(`127.0.0.1:${port}`, alpn, {
        transport: via === "dot" ? "tls" : "quic",
        insecure: via === "doq",
        fingerprints: via === "doq" ? [] : [endpoint.fingerprint],
        signal,
      }));
    {
      using forward = upstream.forward;
      equal(await asksMany(forward, "home.example"), COUNT);
      const { dials } = upstream;
      ok(dials <= 2, `${dials}`);
      await endpoint.shutdown();
      forward.flush();
      const query = asks("n1.home.example");
      const failed = told(await forward.resolve(query), query);
      deepEqual([failed.rcode, failed.answer], [2, []]);
      endpoint = await listening(port);
      forward.flush();
      // It is left alone for half a second.
      for (let rcode = 2; rcode === 2; forward.flush()) {
        rcode = told(await forward.resolve(query), query).rcode;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      equal(await asksMany(forward, "home.example"), COUNT);
    }
    await endpoint.shutdown();
    store[Symbol.dispose]();
  });
}

Deno.test("a node that ends while it dials an upstream ends the dial", async () => {
  const began = Promise.withResolvers<void>();
  const upstream = over({ via: "dot" }, (signal) => {
    began.resolve();
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
  });
  const query = asks("www.example.org", "A");
  const asking = Promise.resolve(upstream.forward.resolve(query));
  await began.promise;
  upstream.forward[Symbol.dispose]();
  equal(told(await asking, query).rcode, 2);
});
