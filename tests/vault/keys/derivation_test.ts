/**
 * SLIP-0010, BIP-32 and EIP-55 against their published vectors.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { decodeBase58, encodeBase58 } from "../../../vault/keys/base58.ts";
import { deriveBip32, isScalar } from "../../../vault/keys/bip32.ts";
import { ethereumAddress, isEthereumAddress } from "../../../vault/formats/ethereum.ts";
import { ExtendedKey } from "../../../vault/keys/extended_key.ts";
import { HARDENED, parsePath } from "../../../vault/keys/path.ts";
import { publicKeyOf, uncompressedPoint } from "../../../vault/keys/public_key.ts";
import { deriveSlip10 } from "../../../vault/keys/slip10.ts";
import { seeded } from "../../support/random.ts";
import alknet from "../../vectors/alknet-vault.json" with { type: "json" };
import bip32 from "../../vectors/bip32-secp256k1.json" with { type: "json" };
import bip39 from "../../vectors/bip39-english.json" with { type: "json" };
import slip10 from "../../vectors/slip10-ed25519.json" with { type: "json" };

/** The order n of secp256k1. */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

Deno.test("deriveSlip10(): test vectors 1 and 2 (SLIP-0010; vault.md row 3)", () => {
  assert.equal(slip10.vectors.flatMap(({ chains }) => chains).length, 12);
  for (const { seed, chains } of slip10.vectors) {
    for (const { path, chain_code, private: secret, public: point } of chains) {
      const node = deriveSlip10(Uint8Array.fromHex(seed), parsePath(path));
      assert.equal(node.toHex(), secret + chain_code, path);
      assert.equal(publicKeyOf("ed25519", node.subarray(0, 32)).toHex(), point, path);
    }
  }
});

Deno.test("deriveSlip10(): the seed and paths of the Rust tests (alknet-vault.json; vault.md row 6)", () => {
  for (const { seed, path, slip10: expected } of alknet.test_vectors_rs) {
    const node = deriveSlip10(Uint8Array.fromHex(seed), parsePath(path));
    assert.equal(node.toHex(), expected.private + expected.chain_code);
    assert.equal(publicKeyOf("ed25519", node.subarray(0, 32)).toHex(), expected.public);
  }
});

Deno.test("deriveBip32(): test vectors 1 to 4, leading zeros kept (BIP-32; vault.md row 4)", () => {
  assert.equal(bip32.vectors.flatMap(({ chains }) => chains).length, 17);
  for (const { seed, chains } of bip32.vectors) {
    for (const { path, chain_code, private: secret, public: point } of chains) {
      const node = deriveBip32(Uint8Array.fromHex(seed), parsePath(path));
      assert.equal(node.toHex(), secret + chain_code, path);
      assert.equal(publicKeyOf("secp256k1", node.subarray(0, 32)).toHex(), point, path);
    }
  }
  for (const { seed, path, private: secret, public: point, chain_code } of alknet.repository_expectations) {
    const node = deriveBip32(Uint8Array.fromHex(seed), parsePath(path));
    assert.equal(node.toHex(), secret + chain_code);
    assert.equal(publicKeyOf("secp256k1", node.subarray(0, 32)).toHex(), point);
  }
});

Deno.test("deriveBip32(): a child's key is the left half plus the parent's key modulo n, as a bigint has it", () => {
  const random = seeded("bip32");
  for (let round = 0; round < 100; round++) {
    const seed = random.bytes(64);
    const index = HARDENED + random.below(HARDENED);
    const parent = deriveBip32(seed, []);
    const message = new Uint8Array(37);
    message.set(parent.subarray(0, 32), 1);
    new DataView(message.buffer).setUint32(33, index);
    const left = createHmac("sha512", parent.subarray(32)).update(message).digest();
    assert.equal(number(deriveBip32(seed, [index])), (number(left) + number(parent)) % ORDER);
  }
});

Deno.test("isScalar(): 1 to n - 1 (BIP-32)", () => {
  for (
    const [value, expected] of [[0n, false], [1n, true], [ORDER - 1n, true], [ORDER, false], [
      2n ** 256n - 1n,
      false,
    ]] as const
  ) {
    assert.equal(isScalar(Uint8Array.fromHex(value.toString(16).padStart(64, "0"))), expected, String(value));
  }
});

Deno.test("ExtendedKey: xprv and xpub of vectors 1 to 4, both ways (BIP-32; vault.md row 4)", () => {
  for (const { seed, chains } of bip32.vectors) {
    for (const chain of chains) {
      using derived = ExtendedKey.derive(Uint8Array.fromHex(seed), chain.path);
      assert.equal(derived.toPrivateText(), chain.xprv);
      assert.equal(derived.toPublicText(), chain.xpub);
      for (const key of [derived, ExtendedKey.parse(chain.xprv), ExtendedKey.parse(chain.xpub)]) {
        assert.equal(key.depth, chain.depth);
        assert.equal(key.index, chain.index);
        assert.equal(key.parentFingerprint.toHex(), chain.parent_fingerprint);
        assert.equal(key.chainCode.toHex(), chain.chain_code);
        assert.equal(key.publicKey.toHex(), chain.public);
        assert.equal(key.toPublicText(), chain.xpub);
      }
      assert.equal(ExtendedKey.parse(chain.xprv).privateKey?.toHex(), chain.private);
      assert.equal(ExtendedKey.parse(chain.xprv).toPrivateText(), chain.xprv);
      assert.equal(ExtendedKey.parse(chain.xpub).privateKey, undefined);
      assert.throws(() => ExtendedKey.parse(chain.xpub).toPrivateText(), TypeError);
    }
  }
});

Deno.test("ExtendedKey: the master keys of the BIP-39 vectors", () => {
  for (const { seed, bip32_root_xprv: xprv } of bip39.vectors) {
    using key = ExtendedKey.derive(Uint8Array.fromHex(seed), "m");
    assert.equal(key.toPrivateText(), xprv);
  }
});

Deno.test("ExtendedKey.parse() refuses test vector 5, each for its reason (BIP-32; vault.md row 4)", () => {
  assert.equal(bip32.invalid_extended_keys.length, 16);
  const reasons = [
    [/mismatch|prefix/, /holds no (?:public|private) key/],
    [/depth/, /a master key has neither/],
    [/version$/, /neither xprv nor xpub/],
    [/n-1$|invalid pubkey 02/, /holds no (?:public|private) key/],
    [/checksum/, /checksum is wrong/],
  ] as const;
  for (const { key, reason } of bip32.invalid_extended_keys) {
    const expected = reasons.find(([pattern]) => pattern.test(reason));
    assert.ok(expected, reason);
    assert.throws(() => ExtendedKey.parse(key), (error: Error & { code: string }) => {
      assert.equal(error.code, "INVALID_EXTENDED_KEY");
      assert.match(error.message, expected[1], reason);
      assert.ok(!error.message.includes(key.slice(4)), "it quotes the key");
      return true;
    });
  }
  for (const text of ["", "xprv", "0OIl", "1".repeat(111), "é".repeat(111), "z".repeat(113), "z".repeat(1e6)]) {
    assert.throws(() => ExtendedKey.parse(text), { code: "INVALID_EXTENDED_KEY" });
  }
});

Deno.test("base58: leading zeros are ones, other letters and lengths are nothing", () => {
  const random = seeded("base58");
  for (let round = 0; round < 200; round++) {
    const bytes = random.bytes(random.between(1, 90));
    bytes.fill(0, 0, random.below(bytes.byteLength + 1));
    const text = encodeBase58(bytes);
    assert.deepEqual(decodeBase58(text, bytes.byteLength), bytes);
    for (const length of [bytes.byteLength - 1, bytes.byteLength + 1]) {
      assert.equal(decodeBase58(text, length), undefined);
    }
    assert.equal(decodeBase58("0" + text.slice(1), bytes.byteLength), undefined);
  }
  assert.equal(encodeBase58(new TextEncoder().encode("Hello World!")), "2NEpo7TZRRrLZSi2U");
});

Deno.test("ethereumAddress() of the published keys (EIP-55; vault.md row 6)", () => {
  for (
    const { seed, path, private: secret, chain_code, public: point, public_uncompressed, address } of alknet.ethereum
  ) {
    assert.equal(deriveBip32(Uint8Array.fromHex(seed), parsePath(path)).toHex(), secret + chain_code);
    assert.equal(uncompressedPoint(Uint8Array.fromHex(point)).toHex(), public_uncompressed);
    assert.equal(ethereumAddress(Uint8Array.fromHex(point)), address);
    assert.ok(isEthereumAddress(address));
  }
  assert.throws(() => ethereumAddress(new Uint8Array(33)), RangeError);
  assert.throws(() => ethereumAddress(new Uint8Array(32)), RangeError);
});

Deno.test("isEthereumAddress(): the published addresses, and none with a letter in the other case (EIP-55)", () => {
  assert.equal(alknet.eip55.length, 8);
  for (const address of alknet.eip55) {
    assert.ok(isEthereumAddress(address), address);
    for (let at = 2; at < address.length; at++) {
      const letter = address[at];
      const other = letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase();
      if (other !== letter) assert.ok(!isEthereumAddress(address.slice(0, at) + other + address.slice(at + 1)));
    }
    for (const text of [address.slice(2), address + "0", address.slice(0, -1), ` ${address}`, `${address}\n`]) {
      assert.ok(!isEthereumAddress(text), text);
    }
  }
});

/** The first 32 bytes, as a number. */
function number(bytes: Uint8Array): bigint {
  return BigInt(`0x${new Uint8Array(bytes.subarray(0, 32)).toHex()}`);
}
