import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPublicKey, verify, X509Certificate } from "node:crypto";
import { inspect } from "node:util";
import { AlknetError } from "../../../core/errors.ts";
import { ED25519_SPKI_PREFIX, fingerprintOf } from "../../../core/identity/fingerprint.ts";
import { NodeKey } from "../../../core/identity/node_key.ts";
import { needs } from "../../support/programs.ts";
import { runProgram } from "../../support/process.ts";
import ed25519 from "../../vectors/ed25519.json" with { type: "json" };

Deno.test("NodeKey signs as the published vectors do (RFC 8032 §7.1)", () => {
  for (const { secret, public: publicKey, message, signature } of ed25519.vectors) {
    using key = NodeKey.fromSeed(Uint8Array.fromHex(secret));
    assert.equal(key.publicKey.toHex(), publicKey);
    assert.equal(key.sign(Uint8Array.fromHex(message)).toHex(), signature);
  }
});

Deno.test("NodeKey gives itself back through PEM", () => {
  using key = NodeKey.generate();
  const text = key.toPem();
  assert.match(text, /^-----BEGIN PRIVATE KEY-----\n[A-Za-z0-9+/=]+\n-----END PRIVATE KEY-----\n$/);
  using again = NodeKey.fromPem(text);
  assert.deepEqual(again.publicKey, key.publicKey);
  assert.equal(again.toPem(), text);
  using windows = NodeKey.fromPem(text.replaceAll("\n", "\r\n"));
  assert.equal(windows.id, key.id);
});

Deno.test("NodeKey refuses what is no Ed25519 key, naming what was found and nothing more", async () => {
  const ec = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]) as CryptoKeyPair;
  const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", ec.privateKey)).toBase64();
  const block = (label: string, body: string) => `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
  const table: [string, RegExp][] = [
    ["", /found no PEM/],
    ["hunter2", /found no PEM/],
    [block("PRIVATE KEY", der), /found a key for ec/],
    [block("PRIVATE KEY", "aHVudGVyMg=="), /cannot be decoded/],
    [block("ENCRYPTED PRIVATE KEY", "aHVudGVyMg=="), /found "ENCRYPTED PRIVATE KEY"/],
    [block("OPENSSH PRIVATE KEY", "aHVudGVyMg=="), /found "OPENSSH PRIVATE KEY"/],
    [block("CERTIFICATE", "aHVudGVyMg=="), /found "CERTIFICATE"/],
  ];
  for (const [text, message] of table) {
    assert.throws(() => NodeKey.fromPem(text), (error) => {
      assert.ok(error instanceof AlknetError);
      assert.equal(error.code, "INVALID_KEY");
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /hunter2|aHVudGVyMg/);
      return true;
    });
  }
  assert.throws(() => NodeKey.fromSeed(new Uint8Array(31)), RangeError);
});

Deno.test("NodeKey's certificate is signed by the key, cached, and names the node (core.md §9)", () => {
  using key = NodeKey.generate();
  const certificate = new X509Certificate(key.certificateDer);
  const spki = Uint8Array.of(...ED25519_SPKI_PREFIX, ...key.publicKey);
  assert.ok(certificate.verify(createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" })));
  assert.equal(certificate.subject, `CN=${key.id}`);
  assert.equal(certificate.issuer, certificate.subject);
  assert.equal(certificate.subjectAltName, `DNS:${key.id}.alknet`);
  assert.equal(Date.parse(certificate.validTo), Date.parse("9999-12-31T23:59:59Z"));
  assert.ok(Date.parse(certificate.validFrom) < Date.now());
  assert.equal(key.certificate(), key.certificate());
  assert.equal(key.certificate().privateKey, key.toPem());
  assert.deepEqual(new Uint8Array(new X509Certificate(key.certificate().certificate).raw), key.certificateDer);
});

Deno.test("NodeKey: two certificates of one key differ in serial number and share the fingerprint (core.md §9)", () => {
  using key = NodeKey.generate();
  using same = NodeKey.fromPem(key.toPem());
  const [one, two] = [key, same].map(({ certificateDer }) => new X509Certificate(certificateDer));
  assert.notEqual(one.serialNumber, two.serialNumber);
  assert.equal(fingerprintOf(one.raw), fingerprintOf(two.raw));
});

Deno.test("NodeKey prints no secret", () => {
  const seed = crypto.getRandomValues(new Uint8Array(32));
  using key = NodeKey.fromSeed(seed);
  for (
    const text of [JSON.stringify({ key }), Deno.inspect(key), inspect({ key }), `${key}`, String(Object.values(key))]
  ) {
    for (const form of [seed.toHex(), seed.toBase64(), key.toPem().split("\n")[1], seed.join(",")]) {
      assert.ok(!text.includes(form), text);
    }
  }
  assert.match(JSON.stringify(key), /\[redacted\]/);
  assert.match(Deno.inspect(key), /\[redacted\]/);
  assert.match(inspect(key), /\[redacted\]/);
});

Deno.test("NodeKey copies its seed in, and wipes it on disposal", () => {
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const key = NodeKey.fromSeed(seed);
  const { id } = key;
  seed.fill(0);
  assert.equal(NodeKey.fromPem(key.toPem()).id, id);
  key[Symbol.dispose]();
  key[Symbol.dispose]();
  assert.equal(key.id, id);
  for (const use of [() => key.toPem(), () => key.sign(seed), () => key.certificate()]) {
    assert.throws(use, TypeError);
  }
});

Deno.test({
  name: "NodeKey reads keys that OpenSSL makes, and OpenSSL verifies its signatures (RFC 8410)",
  ...needs("openssl"),
  async fn() {
    const made = await runProgram("openssl", ["genpkey", "-algorithm", "ed25519"]);
    using key = NodeKey.fromPem(made.stdout);
    const shown = await runProgram("openssl", ["pkey", "-pubout", "-outform", "PEM"], { stdin: key.toPem() });
    const data = new TextEncoder().encode("signed");
    assert.ok(verify(null, data, createPublicKey(shown.stdout), key.sign(data)));
  },
});
