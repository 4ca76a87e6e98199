/**
 * Zones to stock secondaries, and what clients are told of encrypted ways (rows 37, 38, 47, 48 of dns.md §11).
 *
 * @module
 */
import { doesNotMatch, equal, match, ok } from "node:assert/strict";
import { connect } from "node:tls";
import { encodeMessage, parseName } from "@alknet/handlers/dns";
import { untilLevel } from "../../support/plateau.ts";
import { childrenOf, residentMemory } from "../../support/proc.ts";
import { runProgram } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { dnsHome, kdig } from "../dns_home.ts";
import type { TestHome } from "../home.ts";
import { freePort, startNsd } from "./nsd.ts";

const ZONE = "home.example";

async function configured(home: TestHome, dns: Record<string, unknown>, more: Record<string, unknown> = {}) {
  const config = await home.config();
  await home.writeConfig({ ...config, ...more, handlers: { ...config.handlers as object, dns } });
}

Deno.test({
  name: "a zone goes to who may have it: by address, by a certificate with the scope; others are REFUSED (rows 37, 48)",
  ...needs("kdig", "dig", "openssl", "linux"),
  async fn() {
    await using home = await dnsHome();
    await using folder = await temporaryFolder();
    await configured(home, { transfer: { "other.example": ["127.0.0.1"] } });
    const own = await clientCertificate(home, folder.path, ["dns:transfer"]);
    const sni = `+tls-sni=${home.nodeId}.alknet`;
    {
      await using node = await home.serve();
      match(await kdig(node.port, "+tls", ZONE, "AXFR"), /REFUSED/);
      match(await kdig(node.port, "+tls", sni, ...own, ZONE, "AXFR"), /SOA[\s\S]*192\.0\.2\.7[\s\S]*SOA/);
      doesNotMatch(await kdig(node.port, "+quic", ...own, ZONE, "AXFR"), /192\.0\.2\.7/);
      const update = ["@127.0.0.1", "-p", `${node.port}`, "+tls", "+time=5", "+opcode=5", ZONE, "SOA"];
      match((await runProgram("dig", update)).stdout, /NOTIMP/);
      match(await kdig(node.port, "+tls", "CH", "TXT", "version.bind"), /REFUSED/);
      match(await kdig(node.port, "+tls", "+edns", ZONE, "AXFR"), /REFUSED/);
    }
    await configured(home, { transfer: { [ZONE]: ["127.0.0.0/8"] } });
    await using node = await home.serve();
    match(await kdig(node.port, "+tls", ZONE, "AXFR"), /SOA[\s\S]*192\.0\.2\.7[\s\S]*SOA/);
    const dig = ["@127.0.0.1", "-p", `${node.port}`, "+tls", "+nocmd", "+time=5", ZONE, "AXFR"];
    match((await runProgram("dig", dig)).stdout, /XFR size: 4 records/);
    const { serial } = JSON.parse((await home.run("dns", "zone", "list", "--json")).stdout);
    const ixfr = await kdig(node.port, "+tls", ZONE, `IXFR=${serial}`);
    equal(ixfr.split("\n").filter((line) => /^home\.example\.\s/.test(line)).length, 1, ixfr);
  },
});

Deno.test({
  name: "nsd as a secondary over TLS follows each change, of which NOTIFY tells it (row 47)",
  ...needs("nsd", "kdig", "openssl"),
  async fn() {
    await using home = await dnsHome();
    const name = "dns.home.example";
    const made = await runProgram("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", `/CN=${name}`],
      ...["-addext", `subjectAltName=DNS:${name}`, "-keyout", `${home.path}/tls.key`, "-out", `${home.path}/tls.pem`],
    ]);
    equal(made.code, 0, made.stderr);
    await Deno.chmod(`${home.path}/tls.key`, 0o600);
    const port = await freePort();
    await configured(
      home,
      { transfer: { [ZONE]: ["127.0.0.1"] }, notify: { [ZONE]: [`127.0.0.1:${port}`] }, ddr: name },
      { certificate: { mode: "x509", certificate_file: "tls.pem", key_file: "tls.key" } },
    );
    await using node = await home.serve();
    const zone = `server:
  tls-cert-bundle: "${home.path}/tls.pem"
tls-auth:
  name: primary
  auth-domain-name: "${name}"
zone:
  name: "${ZONE}"
  allow-notify: 127.0.0.1 NOKEY
  request-xfr: AXFR 127.0.0.1@${node.port} NOKEY primary
`;
    await using nsd = await startNsd({}, zone, port);
    const seen = async (name: string, address: string): Promise<void> => {
      for (let tries = 0; tries < 200; tries++) {
        if ((await kdig(nsd.port, name)).includes(address)) return;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error(`nsd has no ${name}: ${await Deno.readTextFile(`${nsd.folder}/nsd.log`)}`);
    };
    await seen(`www.${ZONE}`, "192.0.2.7");
    for (const last of [1, 2]) {
      equal((await home.run("dns", "record", "add", ZONE, `new${last}`, "A", `192.0.2.20${last}`)).code, 0);
      await seen(`new${last}.${ZONE}`, `192.0.2.20${last}`);
    }

    const designated = await kdig(node.port, "+tls", "_dns.resolver.arpa", "SVCB");
    match(
      designated,
      new RegExp(
        `_dns\\.resolver\\.arpa\\.\\s+300\\s+IN\\s+SVCB\\s+1 ${name}\\. alpn="?dot,doq,h2"? port="?${node.port}"? `,
      ),
    );
    match(designated, /(?:dohpath|key7)="?\/dns-query\{\?dns\}"?/);
    match(await kdig(node.port, "+tls", "_dns.resolver.arpa", "A"), /NOERROR[\s\S]*ANSWER: 0/);
  },
});

Deno.test("handlers.dns: an address, prefix or name that is none is told with its place", async () => {
  await using home = await dnsHome();
  const wrong: readonly (readonly [Record<string, unknown>, RegExp])[] = [
    [{ transfer: { [ZONE]: ["192.0.2.1/24"] } }, /handlers\.dns\.transfer\.home\.example: [^\n]*192\.0\.2\.1\/24/],
    [{ notify: { [ZONE]: ["secondary.example:53"] } }, /handlers\.dns\.notify\.home\.example: [^\n]*no IP:PORT/],
    [{ ddr: "a..b" }, /handlers\.dns\.ddr: [^\n]*empty label/],
    [{ nonsense: true }, /nonsense/],
  ];
  for (const [dns, words] of wrong) {
    await configured(home, dns);
    const { code, stderr } = await home.run("serve", "--listen", "127.0.0.1:0");
    equal(code, 1, stderr);
    match(stderr, words);
  }
});

Deno.test("_dns.resolver.arpa has nothing where the configuration has no name (row 38)", async () => {
  await using home = await dnsHome();
  await using node = await home.serve();
  const asked = [`@${home.nodeId}@${node.address}`, "--via", "dot"];
  for (const name of ["_dns.resolver.arpa", "x.onion", "1.0.168.192.in-addr.arpa"]) {
    match((await home.run("dns", "query", name, "SVCB", ...asked)).stdout, /, 0 answers/);
  }
  equal((await home.run("dns", "query", "localhost", "--short", ...asked)).stdout, "127.0.0.1\n");
});

Deno.test({
  name: "a reader that stops costs a node no more than it has asked for, time and again (row 48)",
  ...needs("linux"),
  async fn() {
    await using home = await dnsHome();
    await using folder = await temporaryFolder();
    let text = "$TTL 60\n@ SOA ns mail 1 2 3 4 5\n@ NS ns\n";
    for (let n = 0; n < 100_000; n++) text += `h${n} A 10.${n >> 16}.${n >> 8 & 255}.${n & 255}\n`;
    const imported = await home.run("dns", "zone", "import", ZONE, await folder.write("big.zone", text));
    equal(imported.code, 0, imported.stderr);
    await configured(home, { transfer: { [ZONE]: ["127.0.0.1"] } });
    await using node = await home.serve();
    const { pid } = node.child;
    const memory = (): number => [pid, ...childrenOf(pid)].reduce((sum, each) => sum + residentMemory(each), 0);
    const { level, values } = await untilLevel(memory, async () => {
      for (let n = 0; n < 4; n++) await halfATransfer(node.port);
    });
    ok(level, `${values}`);
  },
});

/** Asks for a zone, reads some of it, waits, and goes. */
async function halfATransfer(port: number): Promise<void> {
  const query = encodeMessage({
    id: 1,
    response: false,
    opcode: 0,
    rcode: 0,
    flags: { aa: false, tc: false, rd: false, ra: false, ad: false, cd: false },
    question: { name: parseName(`${ZONE}.`), type: 252, class: 1 },
    answer: [],
    authority: [],
    additional: [],
  });
  const socket = connect({ port, host: "127.0.0.1", ALPNProtocols: ["dot"], rejectUnauthorized: false });
  await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  socket.write(Uint8Array.of(0, query.byteLength, ...query));
  await new Promise<void>((resolve) => socket.once("data", () => resolve()));
  socket.pause();
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.destroy();
  await closed;
}

/** A client certificate of somebody with these scopes, as arguments of kdig. */
async function clientCertificate(home: TestHome, folder: string, scopes: readonly string[]): Promise<string[]> {
  const [key, certificate, spki] = ["key.pem", "certificate.pem", "spki"].map((name) => `${folder}/${name}`);
  for (
    const args of [
      ["req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=client", "-keyout", key, "-out", certificate],
      ["pkey", "-in", key, "-pubout", "-outform", "DER", "-out", spki],
    ]
  ) equal((await runProgram("openssl", args)).code, 0);
  const publicKey = (await Deno.readFile(spki)).subarray(-32);
  const scopeArgs = scopes.flatMap((scope) => ["--scope", scope]);
  const { code, stderr } = await home.run(
    "authorize",
    `ed25519:${publicKey.toHex()}`,
    "--name",
    "client",
    ...scopeArgs,
  );
  equal(code, 0, stderr);
  return [`+tls-certfile=${certificate}`, `+tls-keyfile=${key}`];
}
