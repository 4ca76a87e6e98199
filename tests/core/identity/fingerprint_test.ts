import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { AlknetError } from "../../../core/errors.ts";
import { element, readElement, readElements, Tag } from "../../../core/identity/der.ts";
import {
  ED25519_ALGORITHM,
  ED25519_SPKI_PREFIX,
  ed25519Fingerprint,
  equalInConstantTime,
  equalTextInConstantTime,
  fingerprintOf,
  fingerprintOfNodeId,
  fingerprintOfSpki,
  nodeIdOf,
  parseFingerprint,
  parseNodeId,
} from "../../../core/identity/fingerprint.ts";
import { NodeKey } from "../../../core/identity/node_key.ts";
import { selfSigned } from "../../../core/identity/x509_writer.ts";
import { decodeZBase32, encodeZBase32 } from "../../../core/identity/z_base_32.ts";
import { runProgram } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { seeded } from "../../support/random.ts";
import { temporaryFolder } from "../../support/temp.ts";
import vectors from "../../vectors/z-base-32.json" with { type: "json" };
import ed25519 from "../../vectors/ed25519.json" with { type: "json" };

/** core.md §9, after RFC 8032 §7.1 test 1. */
const VECTOR = {
  seed: Uint8Array.fromHex(ed25519.vectors[0].secret),
  publicKey: Uint8Array.fromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
  fingerprint: "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  nodeId: "47pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpy",
};

const sha256 = (der: Uint8Array) => `SHA256:${createHash("sha256").update(der).digest("hex")}`;
const hasCode = (code: string, message?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof AlknetError, String(error));
  assert.equal(error.code, code);
  if (message) assert.match(error.message, message);
  return true;
};

/** A certificate with everything free to choose. */
function certificate(options: {
  key: NodeKey;
  issuer?: { name?: string; sign?: (data: Uint8Array) => Uint8Array; algorithm?: Uint8Array };
  name?: string;
  until?: string;
}): Uint8Array {
  const { key, issuer = {}, name = "test", until = "2030-01-01" } = options;
  return selfSigned({
    commonName: name,
    names: [],
    notBefore: new Date("2021-01-01"),
    notAfter: new Date(until),
    spki: Uint8Array.of(...ED25519_SPKI_PREFIX, ...key.publicKey),
    algorithm: issuer.algorithm ?? ED25519_ALGORITHM,
    sign: issuer.sign ?? ((data) => key.sign(data)),
  });
}

Deno.test("z-base-32 encodes and decodes the published vectors", () => {
  for (const { data, encoded } of vectors.vectors) {
    assert.equal(encodeZBase32(Uint8Array.fromHex(data)), encoded);
    assert.deepEqual(decodeZBase32(encoded), Uint8Array.fromHex(data));
  }
});

Deno.test("z-base-32 gives back every length of bytes, and accepts one text for each", () => {
  for (let length = 0; length <= 40; length++) {
    const bytes = new Uint8Array(length).fill(0xff);
    const text = encodeZBase32(bytes);
    assert.deepEqual(decodeZBase32(text), bytes);
    // The last character of all ones is "9" where no bit is left over; with any left over, "9" claims too much.
    const claimed = decodeZBase32(text.slice(0, -1) + "9");
    assert.deepEqual(claimed, length % 5 === 0 ? (length === 0 ? "length" : bytes) : "trailing bits");
  }
  for (const text of ["y", "yyy", "yyyyyy"]) assert.equal(decodeZBase32(text), "length");
});

Deno.test("nodeIdOf and parseNodeId agree with the published keys", () => {
  for (const { public: key, z32 } of vectors.public_keys) {
    assert.equal(nodeIdOf(Uint8Array.fromHex(key)), z32);
    assert.equal(parseNodeId(z32).toHex(), key);
  }
  for (const { public: key } of ed25519.vectors) {
    const bytes = Uint8Array.fromHex(key);
    assert.deepEqual(parseNodeId(nodeIdOf(bytes)), bytes);
  }
});

Deno.test("parseNodeId refuses every text that is not canonical", () => {
  for (const { encoded, reason } of vectors.invalid) {
    assert.throws(() => parseNodeId(encoded), hasCode("INVALID_NODE_ID"), reason);
  }
});

Deno.test("parseNodeId says what is wrong: length, alphabet, case, trailing bits", () => {
  const id = VECTOR.nodeId;
  assert.throws(() => parseNodeId(id.slice(1)), hasCode("INVALID_NODE_ID", /51 characters.*52/));
  assert.throws(() => parseNodeId(""), hasCode("INVALID_NODE_ID", /0 characters/));
  assert.throws(() => parseNodeId("l" + id.slice(1)), hasCode("INVALID_NODE_ID", /character 1, "l".*alphabet/));
  assert.throws(() => parseNodeId(id.toUpperCase()), hasCode("INVALID_NODE_ID", /lower case/));
  assert.throws(() => parseNodeId(id.slice(0, -1) + "b"), hasCode("INVALID_NODE_ID", /last character/));
  assert.throws(() => parseNodeId("\n".repeat(52)), hasCode("INVALID_NODE_ID", /\\u000a/));
});

Deno.test("one key has one fingerprint from certificate, SPKI and node id (core.md §18 row 26)", () => {
  const key = NodeKey.fromSeed(VECTOR.seed);
  assert.deepEqual(key.publicKey, VECTOR.publicKey);
  assert.equal(key.id, VECTOR.nodeId);
  assert.equal(nodeIdOf(VECTOR.publicKey), VECTOR.nodeId);
  assert.equal(key.fingerprint, VECTOR.fingerprint);
  assert.equal(ed25519Fingerprint(VECTOR.publicKey), VECTOR.fingerprint);
  assert.equal(fingerprintOf(key.certificateDer), VECTOR.fingerprint);
  assert.equal(fingerprintOfSpki(Uint8Array.of(...ED25519_SPKI_PREFIX, ...VECTOR.publicKey)), VECTOR.fingerprint);
  assert.equal(fingerprintOfNodeId(VECTOR.nodeId), VECTOR.fingerprint);
});

Deno.test("key certificates of one key share a fingerprint whatever their names and dates (core.md §18 row 27)", () => {
  using key = NodeKey.generate();
  const one = certificate({ key, name: "one", until: "2022-01-01" });
  const two = certificate({ key, name: "two", until: "2090-01-01" });
  assert.notDeepEqual(one, two);
  assert.equal(fingerprintOf(one), key.fingerprint);
  assert.equal(fingerprintOf(two), key.fingerprint);
});

Deno.test({
  name: "certificates made by OpenSSL get the fingerprint of their kind (core.md §9, §18 rows 27 and 28)",
  ...needs("openssl"),
  async fn(t) {
    await using folder = await temporaryFolder();
    const openssl = async (...args: string[]) => {
      const { code, stderr } = await runProgram("openssl", args, { cwd: folder.path });
      assert.equal(code, 0, stderr);
    };
    const der = (name: string) => Deno.readFile(`${folder.path}/${name}`);
    const selfSignedBy = (...algorithm: string[]) =>
      openssl(
        "req",
        "-x509",
        ...algorithm,
        "-nodes",
        "-subj",
        "/CN=a",
        "-keyout",
        "key",
        "-outform",
        "DER",
        "-out",
        "a",
      );

    await t.step("Ed25519, self-signed", async () => {
      await selfSignedBy("-newkey", "ed25519");
      using key = NodeKey.fromPem(await Deno.readTextFile(`${folder.path}/key`));
      assert.equal(fingerprintOf(await der("a")), key.fingerprint);
    });
    await t.step("Ed25519 leaf signed by a CA", async () => {
      await openssl(
        "req",
        "-x509",
        "-newkey",
        "ed25519",
        "-nodes",
        "-subj",
        "/CN=ca",
        "-keyout",
        "ca.key",
        "-out",
        "ca",
      );
      await openssl(
        "req",
        "-newkey",
        "ed25519",
        "-nodes",
        "-subj",
        "/CN=leaf",
        "-keyout",
        "leaf.key",
        "-out",
        "request",
      );
      const signed = ["-CA", "ca", "-CAkey", "ca.key", "-CAcreateserial", "-outform", "DER", "-out", "leaf"];
      await openssl("x509", "-req", "-in", "request", ...signed);
      assert.equal(fingerprintOf(await der("leaf")), sha256(await der("leaf")));
    });
    await t.step("ECDSA and RSA, self-signed", async () => {
      await selfSignedBy("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256");
      assert.equal(fingerprintOf(await der("a")), sha256(await der("a")));
      await selfSignedBy("-newkey", "rsa:2048");
      assert.equal(fingerprintOf(await der("a")), sha256(await der("a")));
    });
    await t.step("OpenSSL reads and verifies the node certificate", async () => {
      using key = NodeKey.generate();
      await Deno.writeFile(`${folder.path}/node.der`, key.certificateDer);
      await openssl("x509", "-inform", "DER", "-in", "node.der", "-out", "node.pem");
      await openssl("verify", "-check_ss_sig", "-CAfile", "node.pem", "node.pem");
      const { stdout } = await runProgram("openssl", ["x509", "-in", "node.pem", "-noout", "-text"], {
        cwd: folder.path,
      });
      assert.match(stdout, /Signature Algorithm: ED25519/i);
      assert.match(stdout, new RegExp(`Issuer: CN ?= ?${key.id}`));
      assert.match(stdout, new RegExp(`DNS:${key.id}\\.alknet`));
      assert.match(stdout, /Not After *: Dec 31 23:59:59 9999 GMT/);
    });
  },
});

Deno.test("a leaf that only claims to be self-signed is never ed25519: (core.md §18 row 29)", () => {
  using key = NodeKey.generate();
  using other = NodeKey.generate();
  const good = certificate({ key });
  const forgeries: Record<string, Uint8Array> = {
    "signed by another key": certificate({ key, issuer: { sign: (data) => other.sign(data) } }),
    "signature of zeros": certificate({ key, issuer: { sign: () => new Uint8Array(64) } }),
    "signature too short": certificate({ key, issuer: { sign: (data) => key.sign(data).subarray(0, 63) } }),
    "one bit of the body changed": good.with(40, good[40] ^ 1),
    "one bit of the signature changed": good.with(-1, good.at(-1)! ^ 1),
    "bytes behind the end": Uint8Array.of(...good, 0),
    "cut": good.subarray(0, -1),
    "ECDSA signature": certificate({
      key,
      issuer: {
        sign: (data) => sign("sha256", data, generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey),
        algorithm: Uint8Array.fromHex("300a06082a8648ce3d040302"),
      },
    }),
  };
  assert.equal(fingerprintOf(good), key.fingerprint);
  for (const [what, der] of Object.entries(forgeries)) assert.equal(fingerprintOf(der), sha256(der), what);
});

Deno.test("an Ed25519 leaf whose issuer differs from its subject is named by its hash (core.md §9)", () => {
  using key = NodeKey.generate();
  // The same body with one letter of the first name changed, signed anew by the same key.
  const der = certificate({ key, name: "same" });
  const body = readElement(der, readElement(der, 0, der.length)!.body, der.length)!;
  const tbs = der.slice(body.start, body.end);
  const at = tbs.findIndex((_, i) => new TextDecoder().decode(tbs.subarray(i, i + 4)) === "same");
  tbs[at] = "S".charCodeAt(0);
  const signature = element(Tag.BIT_STRING, Uint8Array.of(0), key.sign(tbs));
  const changed = element(Tag.SEQUENCE, tbs, ED25519_ALGORITHM, signature);
  assert.ok(new X509Certificate(changed).verify(new X509Certificate(der).publicKey), "the signature itself is good");
  assert.equal(fingerprintOf(changed), sha256(changed));
});

Deno.test("fingerprintOf takes any bytes without throwing (seeded mutations)", () => {
  const key = NodeKey.fromSeed(VECTOR.seed);
  const good = key.certificateDer;
  const random = seeded("fingerprintOf");
  for (let i = 0; i < 2000; i++) {
    const der = good.slice(0, random.between(1, good.length));
    for (let n = random.below(4); n >= 0; n--) der[random.below(der.length)] = random.below(256);
    const same = der.length === good.length && der.every((byte, at) => byte === good[at]);
    assert.equal(fingerprintOf(der), same ? key.fingerprint : sha256(der));
  }
  assert.equal(fingerprintOf(new Uint8Array()), sha256(new Uint8Array()));
});

Deno.test("readElement accepts DER lengths only (X.690 §10.1)", () => {
  const table: [string, number | undefined][] = [
    ["0400", 2],
    ["040141", 3],
    ["0401", undefined],
    ["04", undefined],
    ["0480410000", undefined],
    ["04810141", undefined],
    ["0481" + "80" + "00".repeat(0x80), 0x83],
    ["04820080" + "00".repeat(0x80), undefined],
    ["04820100" + "00".repeat(0x100), 0x104],
    ["0484ffffffff", undefined],
    ["1f0100", undefined],
  ];
  for (const [hex, end] of table) {
    const bytes = Uint8Array.fromHex(hex);
    assert.equal(readElement(bytes, 0, bytes.length)?.end, end, hex.slice(0, 12));
  }
  assert.equal(readElements(Uint8Array.fromHex("04000401"), 0, 4), undefined);
});

Deno.test("fingerprintOfSpki refuses what is no bare Ed25519 key (core.md §9)", () => {
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "der" });
  for (const bytes of [new Uint8Array(), new Uint8Array(44), VECTOR.publicKey, ec]) {
    assert.throws(() => fingerprintOfSpki(bytes), hasCode("INVALID_PUBLIC_KEY", /44 bytes/));
  }
});

Deno.test("parseFingerprint corrects case and refuses the rest (core.md §9)", () => {
  const hex = "0123456789abcdef".repeat(4);
  const table: [string, string | undefined][] = [
    [`ed25519:${hex}`, `ed25519:${hex}`],
    [`SHA256:${hex}`, `SHA256:${hex}`],
    [`sha256:${hex.toUpperCase()}`, `SHA256:${hex}`],
    [`ED25519:${hex.toUpperCase()}`, `ed25519:${hex}`],
    [`ed25519:${hex.slice(1)}`, undefined],
    [`ed25519:${hex}0`, undefined],
    [` ed25519:${hex}`, undefined],
    [`ed25519:${hex}\n`, undefined],
    [`md5:${hex}`, undefined],
    [hex, undefined],
    ["", undefined],
  ];
  for (const [text, expected] of table) {
    if (expected) assert.equal(parseFingerprint(text), expected);
    else assert.throws(() => parseFingerprint(text), hasCode("INVALID_FINGERPRINT", /64 hex digits/));
  }
});

Deno.test("comparison in constant time is comparison", () => {
  assert.ok(equalInConstantTime(Uint8Array.of(1, 2), Uint8Array.of(1, 2)));
  assert.ok(!equalInConstantTime(Uint8Array.of(1, 2), Uint8Array.of(1, 3)));
  assert.ok(!equalInConstantTime(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3)));
  assert.ok(equalTextInConstantTime("käse", "käse"));
  assert.ok(!equalTextInConstantTime("a", "b"));
});
