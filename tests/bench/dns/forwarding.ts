/**
 * Answers of upstreams that are kept, over TLS, beside unbound, which forwards to the same upstream. Both have one thread
 * for names, and the same client.
 *
 * @module
 */
import { start } from "../../support/process.ts";
import { startUnbound } from "../../support/unbound.ts";
import { compare, type Group, script } from "../harness.ts";
import { loader } from "./loading.ts";

const NAMES = 1000;
const ZONE = `  local-zone: "forwarded.example." static
${Array.from({ length: NAMES }, (_, n) => `  local-data: 'n${n}.forwarded.example. 86400 IN A 192.0.2.1'`).join("\n")}`;

/** Cached forwarding over TLS. */
export const dnsForwarding: Group = {
  name: "dns-forwarding",
  async run(effort) {
    await using upstream = await startUnbound([], ZONE);
    const forward =
      `forward-zone:\n  name: "."\n  forward-tls-upstream: yes\n  forward-addr: 127.0.0.1@${upstream.port}`;
    await using unbound = await startUnbound([], forward);
    const { port, fingerprint } = upstream;
    const args = ["run", "-A", script("dns/server.ts"), `${port}`, fingerprint];
    await using server = start(Deno.execPath(), args);
    const node = await server.json<{ port: number }>();
    await using us = loader("dns/loader.ts", `${node.port}`);
    await using them = loader("dns/loader.ts", `${unbound.port}`);
    const [ours, peer] = await compare([us, them], { task: "questions" }, effort);
    const name = "DNS over TLS, names of others that are kept";
    return [{ name, unit: "/s", ours, peer, peerName: "unbound", wanted: 0.7 }];
  },
};
