/**
 * The vault's lifecycle, the keys it gives, and what of them is left behind.
 *
 * @module
 */
import assert from "node:assert/strict";
import { inspect } from "node:util";
import { DerivedKey } from "../../vault/keys/derived_key.ts";
import { ethereumAddress } from "../../vault/formats/ethereum.ts";
import { ExtendedKey } from "../../vault/keys/extended_key.ts";
import { type CachedKey, KeyCache } from "../../vault/keys/key_cache.ts";
import { ALKNET_PATHS } from "../../vault/keys/path.ts";
import { entropyOf } from "../../vault/phrase/phrase.ts";
import { publicKeyOf } from "../../vault/keys/public_key.ts";
import { REDACTED } from "../../vault/secret_bytes.ts";
import { Vault } from "../../vault/vault.ts";
import { runProgram } from "../support/process.ts";
import { ROOT } from "../support/python.ts";
import alknet from "../vectors/alknet-vault.json" with { type: "json" };
import x25519 from "../vectors/x25519.json" with { type: "json" };

const [{ mnemonic: PHRASE }] = alknet.vectors;
const IDENTITY = alknet.vectors.find(({ path, passphrase }) => path === ALKNET_PATHS.node && passphrase === "")!;
const HOUR = 60 * 60 * 1000;

Deno.test("Vault.derive(): every published path and passphrase (vault.md row 6)", () => {
  assert.equal(alknet.vectors.length, 10);
  for (const { mnemonic, passphrase, path, slip10, rust_vault } of alknet.vectors) {
    using vault = unlocked(mnemonic, passphrase);
    using key = vault.derive(path);
    assert.equal(key.keyType, "ed25519");
    assert.equal(key.path, path);
    assert.equal(key.privateKey.toHex(), slip10.private);
    assert.equal(key.publicKey.toHex(), slip10.public);
    assert.equal(key.chainCode.toHex(), slip10.chain_code);
    assert.notEqual(key.privateKey.toHex(), rust_vault.private);
  }
  for (const { mnemonic, passphrase, path, private: secret, public: point, chain_code, address } of alknet.ethereum) {
    if (mnemonic === undefined) continue;
    using vault = unlocked(mnemonic, passphrase);
    for (const key of [vault.derive(path, "secp256k1"), vault.ethereumKey()]) {
      assert.equal(key.keyType, "secp256k1");
      assert.equal(key.privateKey.toHex(), secret);
      assert.equal(key.publicKey.toHex(), point);
      assert.equal(key.chainCode.toHex(), chain_code);
      assert.equal(ethereumAddress(key.publicKey), address);
      key.dispose();
    }
  }
});

Deno.test("Vault: each purpose has its own key, at its path", () => {
  using vault = unlocked();
  const keys = [
    vault.nodeKey(),
    vault.nodeKey(1),
    vault.sshHostKey(),
    vault.messageKey(),
    vault.messageKey(1),
    vault.messageStoreKey(),
    vault.ethereumKey(),
  ];
  const { node, device, sshHost, message, messageStore, ethereum } = ALKNET_PATHS;
  const paths = [node, device(1), sshHost, message(0), message(1), messageStore(0), ethereum];
  assert.deepEqual(keys.map(({ path }) => path), paths);
  assert.equal(new Set(keys.map(({ privateKey }) => privateKey.toHex())).size, keys.length);
  assert.equal(keys[0].privateKey.toHex(), IDENTITY.slip10.private);
  for (const key of keys) key.dispose();
  assert.throws(() => vault.nodeKey(-1), { code: "INVALID_PATH" });
  assert.throws(() => vault.derive(node, "x25519" as "ed25519"), TypeError);
});

Deno.test("Vault.messageKey(): X25519, clamped from what SLIP-0010 gives (RFC 7748 §5)", () => {
  // Several, for the bits that are set or cleared may have been so by chance.
  for (let round = 0; round < 8; round++) {
    using vault = unlocked(PHRASE, `${round}`);
    using message = vault.messageKey();
    using derived = vault.derive(ALKNET_PATHS.message(0));
    const clamped = derived.privateKey.slice();
    clamped[0] &= 0b1111_1000;
    clamped[31] = (clamped[31] & 0b0111_1111) | 0b0100_0000;
    assert.equal(message.keyType, "x25519");
    assert.deepEqual(message.privateKey, clamped);
    assert.notDeepEqual(message.publicKey, derived.publicKey);
  }
  for (const { alice_private, alice_public, bob_private, bob_public } of x25519.diffie_hellman) {
    assert.equal(publicKeyOf("x25519", Uint8Array.fromHex(alice_private)).toHex(), alice_public);
    assert.equal(publicKeyOf("x25519", Uint8Array.fromHex(bob_private)).toHex(), bob_public);
  }
});

Deno.test("Vault: locked, unlocked once, locked again (vault.md, Lifecycle)", () => {
  const vault = new Vault();
  assert.ok(vault.locked);
  for (const use of uses(vault)) assert.throws(use, { name: "VaultError", code: "VAULT_LOCKED" }, String(use));
  vault.unlock(PHRASE);
  assert.ok(!vault.locked);
  for (const unlock of unlocks(vault)) assert.throws(unlock, { name: "VaultError", code: "ALREADY_UNLOCKED" });
  using before = vault.nodeKey();
  vault.lock();
  vault.lock();
  assert.ok(vault.locked);
  for (const use of uses(vault)) assert.throws(use, { code: "VAULT_LOCKED" }, String(use));
  // What was taken is its taker's.
  assert.equal(before.privateKey.toHex(), IDENTITY.slip10.private);
  vault.unlock(PHRASE, "TREZOR");
  using other = vault.nodeKey();
  assert.notDeepEqual(other.privateKey, before.privateKey);
  using again = unlocked(PHRASE, "TREZOR").nodeKey();
  assert.deepEqual(other.privateKey, again.privateKey, "nothing of the first phrase is left in the cache");
  vault.lock();
});

Deno.test("Vault: the bulk pair rejects while it is locked", async () => {
  using vault = new Vault();
  await assert.rejects(vault.sealBulk(new Uint8Array(1)), { code: "VAULT_LOCKED" });
  await assert.rejects(vault.openBulk(new Uint8Array(1)), { code: "VAULT_LOCKED" });
});

Deno.test("Vault: a phrase that is refused leaves it locked", () => {
  using vault = new Vault();
  assert.throws(() => vault.unlock(`${PHRASE} about`), { code: "INVALID_PHRASE" });
  assert.throws(() => vault.unlockNew(13 as 12), { code: "INVALID_PHRASE" });
  assert.throws(() => vault.unlockEntropy(new Uint8Array(15)), RangeError);
  assert.ok(vault.locked);
});

Deno.test("Vault: using locks at the end of the scope", () => {
  let kept: Vault;
  {
    using vault = unlocked();
    kept = vault;
    assert.ok(!kept.locked);
  }
  assert.ok(kept.locked);
});

Deno.test("Vault: unlock(), unlockEntropy() and unlockNew() of one phrase give the same keys", () => {
  for (const words of [12, 24] as const) {
    using made = new Vault();
    const phrase = made.unlockNew(words, "p");
    assert.equal(phrase.split(" ").length, words);
    using typed = unlocked(`  ${phrase.toUpperCase()} `, "p");
    using stored = new Vault();
    const entropy = entropyOf(phrase);
    stored.unlockEntropy(entropy, "p");
    assert.equal(entropy.byteLength, words * 4 / 3);
    for (const vault of [typed, stored]) assert.deepEqual(vault.nodeKey().privateKey, made.nodeKey().privateKey);
    assert.notDeepEqual(unlocked(phrase).nodeKey().privateKey, made.nodeKey().privateKey);
  }
});

Deno.test("Vault: keys are copies; wiping one leaves the vault's and other copies as they were", () => {
  using vault = unlocked();
  using other = vault.nodeKey();
  const key = vault.nodeKey();
  const [privateKey, chainCode, publicKey] = [key.privateKey, key.chainCode, key.publicKey];
  publicKey.fill(0);
  assert.equal(key.publicKey.toHex(), IDENTITY.slip10.public);
  key.dispose();
  key.dispose();
  assert.deepEqual(privateKey, new Uint8Array(32));
  assert.deepEqual(chainCode, new Uint8Array(32));
  for (const read of [() => key.privateKey, () => key.chainCode, () => key.publicKey]) {
    assert.throws(read, { name: "VaultError", code: "KEY_DISPOSED" });
  }
  for (const copy of [other, vault.nodeKey()]) assert.equal(copy.privateKey.toHex(), IDENTITY.slip10.private);
});

Deno.test("Vault: a path has one key and one place in the cache, however it is spelled", () => {
  const kept = watchCache(() => {
    using vault = unlocked();
    for (const path of ["m/74'/0'/0'/0'", "m/74h/0h/0h/0h", "m/74H/0'/0h/0'"]) {
      using key = vault.derive(path);
      assert.equal(key.path, "m/74'/0'/0'/0'");
      assert.equal(key.privateKey.toHex(), IDENTITY.slip10.private);
    }
    // The other scheme has its own.
    using bip32 = vault.derive("m/74'/0'/0'/0'", "secp256k1");
    assert.notEqual(bip32.privateKey.toHex(), IDENTITY.slip10.private);
  });
  assert.equal(kept.length, 2);
});

Deno.test("Vault.lock(): the cached bytes are zero afterwards (vault.md row 11)", () => {
  const vault = unlocked();
  const kept = watchCache(() => {
    vault.nodeKey().dispose();
    vault.ethereumKey().dispose();
    vault.messageKey().dispose();
    vault.seal("text");
  });
  assert.equal(kept.length, 4);
  for (const { secret } of kept) assert.notDeepEqual(secret, new Uint8Array(64));
  vault.lock();
  for (const { secret } of kept) assert.deepEqual(secret, new Uint8Array(64));
});

Deno.test("Vault.lock() overwrites the seed", () => {
  const vault = unlocked();
  const wiped = watchWiping(() => vault.lock());
  assert.ok(wiped.includes(IDENTITY.seed));
});

Deno.test("Vault: the 65th key evicts the one used least recently, and wipes it (vault.md row 13)", () => {
  using vault = unlocked();
  const kept = watchCache(() => {
    for (let device = 0; device < 64; device++) vault.nodeKey(device).dispose();
    vault.nodeKey(0).dispose();
    vault.nodeKey(64).dispose();
  });
  assert.equal(kept.length, 65);
  assert.deepEqual(kept.flatMap(({ secret }, device) => isZero(secret) ? [device] : []), [1]);
  const again = watchCache(() => {
    vault.nodeKey(0).dispose();
    vault.nodeKey(1).dispose();
  });
  assert.deepEqual(again.map(({ path }) => path), [ALKNET_PATHS.device(1)]);
});

Deno.test("Vault: an hour after its derivation a key is derived anew, the old one wiped (vault.md row 13)", () => {
  let now = 5;
  using vault = unlocked(PHRASE, "", { now: () => now });
  const first = watchCache(() => vault.nodeKey().dispose());
  now += HOUR - 1;
  // Use does not prolong it.
  assert.equal(watchCache(() => vault.nodeKey().dispose()).length, 0);
  assert.ok(!isZero(first[0].secret));
  now += 1;
  assert.equal(watchCache(() => vault.sshHostKey().dispose()).length, 1);
  assert.ok(isZero(first[0].secret), "any use wipes what expired");
  assert.equal(watchCache(() => vault.nodeKey().dispose()).length, 1);
});

Deno.test("Vault: both figures of the cache are options", () => {
  let now = 0;
  using vault = unlocked(PHRASE, "", { cacheEntries: 1, cacheLifetime: 10, now: () => now });
  const derived = (device: number): number => watchCache(() => vault.nodeKey(device).dispose()).length;
  assert.deepEqual([derived(0), derived(0), derived(1), derived(0)], [1, 0, 1, 1]);
  now = 10;
  assert.equal(derived(0), 1);
  for (const options of [{ cacheEntries: 0 }, { cacheEntries: 1.5 }, { cacheLifetime: 0 }, { cacheLifetime: NaN }]) {
    assert.throws(() => new Vault(options), RangeError);
  }
});

Deno.test("secrets print as [redacted], whoever prints them (vault.md row 12)", () => {
  using vault = unlocked();
  using extended = ExtendedKey.derive(new Uint8Array(64).fill(1), "m/0'");
  const cache = new KeyCache({ entries: 1, lifetime: 1, now: () => 0 });
  cache.put("name", { path: "m", secret: new Uint8Array(64).fill(1), publicKey: {} });
  const keys = [vault.nodeKey(), vault.messageKey(), vault.ethereumKey()];
  for (const key of keys) key.publicKey;
  for (const secret of [vault, new Vault(), extended, cache, ...keys]) {
    const name = secret.constructor.name;
    assert.equal(`${secret}`, REDACTED, name);
    assert.equal(String(secret), REDACTED, name);
    assert.equal(JSON.stringify(secret), JSON.stringify(REDACTED), name);
    assert.equal(JSON.stringify({ secret }), `{"secret":"${REDACTED}"}`, name);
    assert.equal(Deno.inspect(secret), REDACTED, name);
    assert.equal(Deno.inspect({ secret }), `{ secret: ${REDACTED} }`, name);
    assert.equal(inspect(secret), REDACTED, name);
    assert.ok(!Object.values(secret).some((value) => value instanceof Uint8Array), name);
  }
  for (const key of keys) key.dispose();
});

Deno.test("console.log() of secrets prints [redacted] (vault.md row 12)", async () => {
  const program = `import { ExtendedKey, Vault } from "@alknet/vault";
    const vault = new Vault();
    vault.unlock("${PHRASE}");
    const secrets = [vault, vault.nodeKey(), ExtendedKey.derive(new Uint8Array(64), "m")];
    for (const secret of secrets) console.log(secret, "%o", secret, { secret }, \`\${secret}\`);`;
  const { code, stdout, stderr } = await runProgram(Deno.execPath(), ["eval", program], {
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  });
  assert.equal(code, 0, stderr);
  const line = `${REDACTED} %o ${REDACTED} { secret: ${REDACTED} } ${REDACTED}\n`;
  assert.equal(stdout, line.repeat(3));
});

Deno.test("a disposed DerivedKey still prints as [redacted], and says its path in the error alone", () => {
  using vault = unlocked();
  const key = vault.nodeKey();
  key.dispose();
  assert.ok(key instanceof DerivedKey);
  assert.equal(`${key}`, REDACTED);
  assert.throws(() => key.privateKey, /the key of m\/74'\/0'\/0'\/0' was disposed of/);
});

function unlocked(phrase = PHRASE, passphrase = "", options?: ConstructorParameters<typeof Vault>[0]): Vault {
  const vault = new Vault(options);
  vault.unlock(phrase, passphrase);
  return vault;
}

/** Everything that takes an unlocked vault. */
function uses(vault: Vault): (() => unknown)[] {
  const sealed = alknet.encrypted_data[0].encrypted;
  return [
    () => vault.derive("m"),
    () => vault.derive("m", "secp256k1"),
    () => vault.nodeKey(),
    () => vault.sshHostKey(),
    () => vault.messageKey(),
    () => vault.ethereumKey(),
    () => vault.seal("text"),
    () => vault.sealBytes(new Uint8Array(1)),
    () => vault.open(sealed),
    () => vault.open("no sealed data"),
    () => vault.openBytes(sealed),
    () => vault.rotate(sealed, 3),
    () => vault.openRust(sealed),
    () => vault.sealStream(),
    () => vault.openStream(),
  ];
}

function unlocks(vault: Vault): (() => unknown)[] {
  return [() => vault.unlock(PHRASE), () => vault.unlockNew(), () => vault.unlockEntropy(new Uint8Array(16))];
}

/** The keys that go into caches meanwhile, as the caches hold them. */
function watchCache(run: () => void): CachedKey[] {
  const kept: CachedKey[] = [];
  const put = KeyCache.prototype.put;
  KeyCache.prototype.put = function (name, key) {
    kept.push(key);
    put.call(this, name, key);
  };
  try {
    run();
  } finally {
    KeyCache.prototype.put = put;
  }
  return kept;
}

/** What arrays that are overwritten meanwhile held before, in hex. */
function watchWiping(run: () => void): string[] {
  const held: string[] = [];
  const fill = Uint8Array.prototype.fill;
  Uint8Array.prototype.fill = function (value, start, end) {
    held.push(this.toHex());
    return fill.call(this, value, start, end);
  };
  try {
    run();
  } finally {
    Uint8Array.prototype.fill = fill;
  }
  return held;
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
