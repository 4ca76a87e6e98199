/**
 * Names of our own zone over QUIC beside the same over TLS, and over HTTPS beside a bare route of the same server.
 *
 * @module
 */
import { encodeMessage, parseName, plainQuery } from "@alknet/handlers/dns";
import { start } from "../../support/process.ts";
import { compare, type Figure, type Group, script } from "../harness.ts";
import { h2Requests } from "../h2load.ts";
import { loader } from "./loading.ts";
import { ZONE } from "./zone.ts";

const NAMES = 1000;

/** DNS over QUIC and HTTPS. */
export const dnsEncrypted: Group = {
  name: "dns-encrypted",
  async run(effort) {
    await using server = start(Deno.execPath(), ["run", "-A", script("dns/zone_server.ts"), `${NAMES}`]);
    const { tls, nodeId } = await server.json<{ tls: number; nodeId: string }>();
    await using quic = loader("dns/quic_loader.ts", `${nodeId}@127.0.0.1:${tls}`, ZONE);
    await using dot = loader("dns/loader.ts", `${tls}`, ZONE);
    const [ours, peer] = await compare([quic, dot], { task: "questions" }, effort);
    const figures: Figure[] = [
      { name: "DNS over QUIC, 4 connections", unit: "/s", ours, peer, peerName: "our DNS over TLS", wanted: 0.35 },
    ];
    const question = encodeMessage(plainQuery({ name: parseName(`n1.${ZONE}.`), type: 1, class: 1 }))
      .toBase64({ alphabet: "base64url", omitPadding: true });
    const paths = ["/dns-query", "/bare"].map((path) => `https://127.0.0.1:${tls}${path}?dns=${question}`);
    for (
      const [name, options] of [["10 connections × 10", ["-c", "10", "-m", "10"]], ["1 × 100", [
        "-c",
        "1",
        "-m",
        "100",
      ]]] as const
    ) {
      const [ours, peer] = await compare(
        paths.map((path) => h2Requests([...options, path])),
        { task: "questions" },
        effort,
      );
      figures.push({
        name: `DNS over HTTPS, h2, ${name}`,
        unit: "/s",
        ours,
        peer,
        peerName: "a bare route",
        wanted: 0.8,
      });
    }
    return figures;
  },
};
