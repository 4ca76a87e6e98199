import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { createServer, type TLSSocket } from "node:tls";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { AlknetError } from "../../../core/errors.ts";
import { loadCertificate, selfSignedCertificate } from "../../../core/identity/certificate.ts";
import { fingerprintOf } from "../../../core/identity/fingerprint.ts";
import { NodeKey } from "../../../core/identity/node_key.ts";
import { runProgram } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temp.ts";

const DAY = 24 * 60 * 60 * 1000;

async function filesOf(folder: TemporaryFolder, pair = selfSignedCertificate({ names: ["localhost"] })) {
  return {
    certificateFile: await folder.write("chain.pem", pair.certificate),
    keyFile: await folder.write("key.pem", pair.privateKey),
  };
}
const rejects = (promise: Promise<unknown>, code: string, ...parts: string[]) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof AlknetError, String(error));
    assert.equal(error.code, code, error.message);
    for (const part of parts) assert.ok(error.message.includes(part), `${error.message} lacks ${part}`);
    assert.ok(!error.message.includes("\n"));
    return true;
  });

Deno.test("selfSignedCertificate names hosts and addresses, ECDSA P-256 (core.md §10.1)", () => {
  const names = [
    "localhost",
    "*.example.org",
    "bücher.example",
    "127.0.0.1",
    "::1",
    "[2001:db8::a:0:1]",
    "::ffff:1.2.3.4",
  ];
  const certificate = new X509Certificate(selfSignedCertificate({ names }).certificate);
  assert.equal(
    certificate.subjectAltName,
    "DNS:localhost, DNS:*.example.org, DNS:xn--bcher-kva.example, IP Address:127.0.0.1, IP Address:::1, " +
      "IP Address:2001:db8::a:0:1, IP Address:::ffff:1.2.3.4",
  );
  assert.equal(certificate.publicKey.asymmetricKeyType, "ec");
  assert.equal(certificate.subject, "CN=localhost");
  assert.match(fingerprintOf(certificate.raw), /^SHA256:/);
});

Deno.test("selfSignedCertificate is valid now, and for no longer than browsers accept", () => {
  const now = Date.UTC(2031, 0, 1);
  for (const validDays of [1, 397]) {
    const made = selfSignedCertificate({ names: ["a"], validDays, now: () => now });
    const { validFrom, validTo } = new X509Certificate(made.certificate);
    assert.ok(Date.parse(validFrom) < now && now < Date.parse(validTo));
    assert.ok(Date.parse(validTo) - Date.parse(validFrom) < validDays * DAY);
    assert.ok(Date.parse(validTo) - Date.parse(validFrom) > (validDays - 1) * DAY);
  }
  for (const validDays of [0, 398, 1.5, NaN]) {
    assert.throws(() => selfSignedCertificate({ names: ["a"], validDays }), RangeError);
  }
});

Deno.test("selfSignedCertificate refuses names that are none: SELF_SIGNED", () => {
  for (const name of ["", "two words", "a..b", "http://x", "a/b", "x".repeat(64), "-a", "a\0b", "*"]) {
    assert.throws(() => selfSignedCertificate({ names: [name] }), (error) => {
      assert.ok(error instanceof AlknetError && error.code === "SELF_SIGNED", `${name}: ${error}`);
      return true;
    });
  }
  assert.throws(() => selfSignedCertificate({ names: [] }), { code: "SELF_SIGNED" });
});

Deno.test("a long host name still gives a certificate (RFC 5280 ub-common-name)", () => {
  const name = `${"a".repeat(60)}.${"b".repeat(60)}.example`;
  const { certificate } = selfSignedCertificate({ names: [name] });
  assert.equal(new X509Certificate(certificate).subjectAltName, `DNS:${name}`);
});

Deno.test({
  name: "curl accepts a self-signed certificate that it was told to trust, for its names alone (core.md §10.1)",
  ...needs("curl"),
  async fn() {
    await using folder = await temporaryFolder();
    const pair = selfSignedCertificate({ names: ["localhost", "127.0.0.1"] });
    const path = await folder.write("ca.pem", pair.certificate);
    const server = createServer({ cert: pair.certificate, key: pair.privateKey }, (socket: TLSSocket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"));
    });
    server.on("tlsClientError", () => {});
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const curl = (host: string) =>
      runProgram("curl", ["-sS", "--cacert", path, "--connect-to", `::127.0.0.1:${port}`, `https://${host}:${port}/`]);
    try {
      for (const host of ["localhost", "127.0.0.1"]) assert.equal((await curl(host)).stdout, "ok", host);
      assert.equal((await curl("example.org")).code, 60);
    } finally {
      server.close();
      await once(server, "close");
    }
  },
});

Deno.test("loadCertificate gives the chain, the key and what is known of them", async () => {
  await using folder = await temporaryFolder();
  const now = Date.now();
  const pair = selfSignedCertificate({ names: ["localhost"], now: () => now });
  const loaded = await loadCertificate(await filesOf(folder, pair));
  const leaf = new X509Certificate(pair.certificate);
  assert.equal(new X509Certificate(loaded.certificate).fingerprint256, leaf.fingerprint256);
  assert.equal(loaded.privateKey, pair.privateKey);
  assert.equal(loaded.fingerprint, fingerprintOf(leaf.raw));
  assert.equal(loaded.notAfter, Date.parse(leaf.validTo));
  assert.deepEqual(loaded.warnings, []);
});

Deno.test("loadCertificate takes a combined file, a chain, Windows line ends, and a node certificate", async () => {
  await using folder = await temporaryFolder();
  using key = NodeKey.generate();
  const own = key.certificate();
  const other = selfSignedCertificate({ names: ["ca"] });
  const text = `bag attributes\r\n${own.privateKey}${own.certificate}${other.certificate}`.replaceAll(/\r?\n/g, "\r\n");
  const path = await folder.write("all.pem", text);
  const loaded = await loadCertificate({ certificateFile: path, keyFile: path });
  assert.equal(loaded.fingerprint, key.fingerprint);
  assert.equal(loaded.certificate.match(/BEGIN CERTIFICATE/g)?.length, 2);
});

Deno.test("loadCertificate warns of dates that clients will refuse", async () => {
  await using folder = await temporaryFolder();
  const files = await filesOf(folder);
  const { notAfter } = await loadCertificate(files);
  const warnings = async (now: number) => (await loadCertificate(files, { now: () => now })).warnings;
  assert.match((await warnings(notAfter + 1))[0], /chain\.pem expired on \d{4}-\d\d-\d\d/);
  assert.match((await warnings(notAfter - 398 * DAY))[0], /chain\.pem is valid only from/);
  assert.deepEqual(await warnings(notAfter), []);
});

Deno.test("loadCertificate names the file that is wrong (core.md §18 row 56)", async (t) => {
  await using folder = await temporaryFolder();
  const good = await filesOf(folder);
  const other = selfSignedCertificate({ names: ["other"] });
  const write = (name: string, content: string) => folder.write(name, content);
  const missing = folder.join("missing.pem");
  const cases: [string, { certificateFile?: string; keyFile?: string }, string, string[]][] = [
    ["certificate missing", { certificateFile: missing }, "CERT_LOAD", [missing, "does not exist"]],
    ["certificate a folder", { certificateFile: folder.path }, "CERT_LOAD", [folder.path]],
    ["key missing", { keyFile: missing }, "KEY_FILE_NOT_FOUND", [missing]],
    ["certificate no PEM", { certificateFile: await write("a", "hello") }, "CERT_LOAD", ["/a", "PEM is expected"]],
    ["key no PEM", { keyFile: await write("b", "hello") }, "CERT_LOAD", ["/b", "no private key"]],
    [
      "certificate broken",
      {
        certificateFile: await write("c", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
      },
      "CERT_LOAD",
      ["/c", "certificate 1 cannot be decoded"],
    ],
    [
      "key broken",
      {
        keyFile: await write("d", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
      },
      "CERT_LOAD",
      ["/d", "cannot be decoded"],
    ],
    [
      "key encrypted",
      {
        keyFile: await write("e", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"),
      },
      "CERT_LOAD",
      ["/e", "encrypted"],
    ],
    ["key of another certificate", { keyFile: await write("f", other.privateKey) }, "CERT_LOAD", [
      "/f",
      "does not fit",
      good.certificateFile,
    ]],
    [
      "leaf not first",
      {
        certificateFile: await write("g", other.certificate + await Deno.readTextFile(good.certificateFile)),
      },
      "CERT_LOAD",
      ["/g", "number 2", "first"],
    ],
  ];
  for (const [name, change, code, parts] of cases) {
    await t.step(name, () => rejects(loadCertificate({ ...good, ...change }), code, ...parts));
  }
  await t.step({
    name: "key open to others",
    ignore: Deno.build.os === "windows",
    fn: async () => {
      await Deno.chmod(good.keyFile, 0o644);
      await rejects(loadCertificate(good), "KEY_FILE_PERMISSIONS", good.keyFile, `chmod 600 ${good.keyFile}`);
    },
  });
});
