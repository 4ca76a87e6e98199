/**
 * Names of our own zones beside NSD with one process, asked by dnsperf over plain UDP and over TLS.
 *
 * @module
 */
import { startNsd } from "../../cli/dns/nsd.ts";
import { runProgram, start } from "../../support/process.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { freeTcpPort } from "../../support/unbound.ts";
import { compare, type Contestant, type Group, script, sized } from "../harness.ts";
import { masterOf, questionsFor, ZONE } from "./zone.ts";

/** So many that none is asked for five times a second, which is what one name gets over plain UDP without a cookie. */
const NAMES = 50_000;

/** Names of zones. */
export const dnsZones: Group = {
  name: "dns-zones",
  async run(effort) {
    const names = sized(effort, NAMES, 1000);
    await using folder = await temporaryFolder();
    const questions = await folder.write("questions", questionsFor(names));
    const [key, pem] = [folder.join("tls.key"), folder.join("tls.pem")];
    const made = await runProgram("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
      ...["-subj", "/CN=localhost", "-keyout", key, "-out", pem],
    ]);
    if (made.code !== 0) throw new Error(made.stderr);
    const tls = freeTcpPort();
    const more = `server:
  ip-address: 127.0.0.1@${tls}
  tls-port: ${tls}
  tls-service-key: "${key}"
  tls-service-pem: "${pem}"
  rrl-ratelimit: 0
zone:
  name: ${ZONE}
  zonefile: zone
`;
    await using nsd = await startNsd({ zone: masterOf(names) }, more);
    await using server = start(Deno.execPath(), ["run", "-A", script("dns/zone_server.ts"), `${names}`]);
    const node = await server.json<{ plain: number; tls: number }>();
    const figures = [];
    for (
      const [what, way, ours, theirs, wanted] of [
        ["over plain UDP", ["-m", "udp", "-q", "100"], node.plain, nsd.port, 0.4],
        ["over TLS, 4 connections", ["-m", "dot", "-c", "4", "-q", "400"], node.tls, tls, 0.7],
      ] as const
    ) {
      const asked = [ours, theirs].map((port) => dnsperf([...way, "-d", questions, "-p", `${port}`]));
      const [us, peer] = await compare(asked, { task: "questions" }, effort);
      figures.push({ name: `DNS ${what}, ${names} names`, unit: "/s", ours: us, peer, peerName: "nsd", wanted });
    }
    return figures;
  },
};

function dnsperf(args: readonly string[]): Contestant {
  return {
    async measure(_task, seconds) {
      // It counts in whole seconds; where that is too long, each question is asked once.
      const length = seconds < 0.5 ? ["-n", "1"] : ["-l", `${Math.max(1, Math.round(seconds))}`];
      const { code, stdout, stderr } = await runProgram("dnsperf", ["-s", "127.0.0.1", ...length, ...args]);
      const [, rate] = /Queries per second:\s+([\d.]+)/.exec(stdout) ?? [];
      if (code !== 0 || rate === undefined) throw new Error(stdout + stderr);
      return Number(rate);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
