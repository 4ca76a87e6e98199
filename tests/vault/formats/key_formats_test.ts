/**
 * Keys as OpenSSH and OpenSSL read them, read by those programs.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey } from "node:crypto";
import type { DerivedKey } from "../../../vault/keys/derived_key.ts";
import {
  opensshPrivateKey,
  opensshPublicKey,
  privateKeyPem,
  type PublicKeyParts,
  publicKeyPem,
  sshFingerprint,
} from "../../../vault/formats/key_formats.ts";
import { Vault } from "../../../vault/vault.ts";
import { runProgram } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { temporaryFolder } from "../../support/temp.ts";
import alknet from "../../vectors/alknet-vault.json" with { type: "json" };
import fingerprints from "../../vectors/ssh-fingerprints.json" with { type: "json" };

const [{ mnemonic: PHRASE }] = alknet.vectors;
/** Comments of each length modulo the block that private keys are padded to. */
const COMMENTS = ["", "a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "a node", "größe"];

Deno.test("OpenSSH: public line and fingerprint of the published key (RFC 4253 §6.6, RFC 8709 §4)", () => {
  const published = fingerprints.vectors.filter(({ type }) => type === "ssh-ed25519");
  assert.equal(published.length, 1);
  for (const { line, comment, raw_public, fingerprint_sha256, spki_der } of published) {
    const key: PublicKeyParts = { keyType: "ed25519", publicKey: Uint8Array.fromHex(raw_public!) };
    assert.equal(opensshPublicKey(key, comment), line);
    assert.equal(opensshPublicKey(key), line.slice(0, -comment.length - 1));
    assert.equal(sshFingerprint(key), fingerprint_sha256);
    assert.equal(pemBytes(publicKeyPem(key)), spki_der);
  }
});

Deno.test({
  name: "opensshPrivateKey(): ssh-keygen reads it and finds the same public key, comment and fingerprint",
  ...needs("ssh-keygen"),
  async fn() {
    using vault = unlocked();
    await using folder = await temporaryFolder();
    for (const [device, comment] of COMMENTS.entries()) {
      using key = device === 0 ? vault.sshHostKey() : vault.nodeKey(device);
      const file = await folder.write(`key${device}`, opensshPrivateKey(key, comment));
      const derived = await runProgram("ssh-keygen", ["-y", "-f", file]);
      assert.equal(derived.stdout.trimEnd(), opensshPublicKey(key, comment), derived.stderr);
      const listed = await runProgram("ssh-keygen", ["-l", "-f", file], { env: { LC_ALL: "C.UTF-8" } });
      assert.equal(listed.stdout, `256 ${sshFingerprint(key)} ${comment} (ED25519)\n`, listed.stderr);
    }
  },
});

Deno.test({
  name: "opensshPrivateKey(): ssh-keygen signs with it, and the signature is the public key's",
  ...needs("ssh-keygen"),
  async fn() {
    using vault = unlocked();
    using key = vault.sshHostKey();
    await using folder = await temporaryFolder();
    const file = await folder.write("key", opensshPrivateKey(key));
    const allowed = await folder.write("allowed", `someone ${opensshPublicKey(key)}\n`);
    const message = await folder.write("message", "a message");
    const signed = await runProgram("ssh-keygen", ["-Y", "sign", "-q", "-n", "test", "-f", file, message]);
    assert.equal(signed.code, 0, signed.stderr);
    const options = ["-n", "test", "-f", allowed, "-I", "someone", "-s", `${message}.sig`];
    const verified = await runProgram("ssh-keygen", ["-Y", "verify", ...options], { stdin: "a message" });
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  },
});

Deno.test({
  name: "privateKeyPem(), publicKeyPem(): openssl pkey reads each kind of key (RFC 8410, RFC 5915)",
  ...needs("openssl"),
  async fn() {
    using vault = unlocked();
    for (const [name, key] of kinds(vault)) {
      const found = await runProgram("openssl", ["pkey", "-pubout"], { stdin: privateKeyPem(key) });
      assert.equal(found.stdout, publicKeyPem(key), `${name}: ${found.stderr}`);
      const read = await runProgram("openssl", ["pkey", "-pubin", "-noout", "-text"], { stdin: publicKeyPem(key) });
      assert.match(read.stdout, name, read.stderr);
      const checked = await runProgram("openssl", ["pkey", "-check", "-noout"], { stdin: privateKeyPem(key) });
      // Of OpenSSL 3.0, `-check` knows no Edwards keys.
      if (key.keyType === "secp256k1") assert.match(checked.stdout, /Key is valid/, checked.stderr);
      key.dispose();
    }
  },
});

Deno.test("privateKeyPem(): node:crypto reads each kind and finds the same public key", () => {
  using vault = unlocked();
  for (const [, key] of kinds(vault)) {
    const found = createPublicKey(createPrivateKey(privateKeyPem(key))).export({ format: "der", type: "spki" });
    assert.equal(new Uint8Array(found).toHex(), pemBytes(publicKeyPem(key)));
    key.dispose();
  }
});

Deno.test("OpenSSH forms: the same key gives the same text; other kinds of key and comments of two lines are refused", () => {
  using vault = unlocked();
  using host = vault.sshHostKey();
  assert.equal(opensshPrivateKey(host, "c"), opensshPrivateKey(host, "c"));
  for (const comment of ["a\nssh-ed25519 AAAA", "a\r", "\0", "\x1b[2J", "\x85"]) {
    assert.throws(() => opensshPublicKey(host, comment), RangeError);
    assert.throws(() => opensshPrivateKey(host, comment), RangeError);
  }
  for (const key of [vault.ethereumKey(), vault.messageKey()]) {
    assert.throws(() => opensshPrivateKey(key), TypeError);
    assert.throws(() => opensshPublicKey(key), TypeError);
    assert.throws(() => sshFingerprint(key), TypeError);
    key.dispose();
  }
  host.dispose();
  for (const write of [opensshPrivateKey, opensshPublicKey, privateKeyPem, publicKeyPem]) {
    assert.throws(() => write(host), { code: "KEY_DISPOSED" });
  }
});

function unlocked(): Vault {
  const vault = new Vault();
  vault.unlock(PHRASE);
  return vault;
}

/** A key of each kind, and what `openssl pkey -text` calls it. */
function kinds(vault: Vault): [RegExp, DerivedKey][] {
  return [
    [/ED25519 Public-Key/i, vault.nodeKey()],
    [/X25519 Public-Key/i, vault.messageKey()],
    [/secp256k1/, vault.ethereumKey()],
  ];
}

function pemBytes(text: string): string {
  return Uint8Array.fromBase64(text.replace(/-----.*-----/g, "")).toHex();
}
