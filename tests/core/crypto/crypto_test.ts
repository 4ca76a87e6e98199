/**
 * The primitives of `@alknet/core/crypto` against published vectors.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createCipheriv } from "node:crypto";
import {
  ascii,
  ctr,
  ed25519Public,
  ed25519Sign,
  ed25519Verify,
  equalBytes,
  expand,
  extract,
  hkdf,
  hmac,
  joined,
  openGcm,
  sealGcm,
  sha256,
  sha512,
  x25519,
  x25519Public,
} from "../../../core/crypto/mod.ts";
import gcm from "../../vectors/aes-256-gcm.json" with { type: "json" };
import ed25519 from "../../vectors/ed25519.json" with { type: "json" };
import curve from "../../vectors/x25519.json" with { type: "json" };

const { fromHex } = Uint8Array;

Deno.test("x25519(): every vector of RFC 7748 §5.2, §6.1 and Wycheproof's edges", () => {
  for (const { scalar, u, output } of curve.vectors) assert.equal(x25519(fromHex(scalar), fromHex(u)).toHex(), output);
  for (const one of curve.diffie_hellman) {
    assert.equal(x25519Public(fromHex(one.alice_private)).toHex(), one.alice_public);
    assert.equal(x25519(fromHex(one.alice_private), fromHex(one.bob_public)).toHex(), one.shared);
    assert.equal(x25519(fromHex(one.bob_private), fromHex(one.alice_public)).toHex(), one.shared);
  }
  for (const one of curve.edge) assert.equal(x25519(fromHex(one.private), fromHex(one.public)).toHex(), one.shared);
});

Deno.test("x25519(): points of low order are refused (RFC 7748 §6.1), as are other lengths", () => {
  assert.ok(curve.low_order.length > 0);
  for (const one of curve.low_order) {
    assert.throws(() => x25519(fromHex(one.private), fromHex(one.public)), { code: "LOW_ORDER" });
  }
  assert.throws(() => x25519(new Uint8Array(31), new Uint8Array(32)), RangeError);
  assert.throws(() => x25519(new Uint8Array(32), new Uint8Array(33)), RangeError);
});

Deno.test("ed25519Sign(), ed25519Verify(): RFC 8032 §7.1, and Wycheproof's invalid signatures", () => {
  for (const one of ed25519.vectors) {
    const [seed, message] = [fromHex(one.secret), fromHex(one.message)];
    assert.equal(ed25519Public(seed).toHex(), one.public);
    assert.equal(ed25519Sign(seed, message).toHex(), one.signature);
    assert.ok(ed25519Verify(fromHex(one.public), message, fromHex(one.signature)));
    assert.ok(!ed25519Verify(fromHex(one.public), joined(message, ascii("x")), fromHex(one.signature)));
  }
  for (const one of ed25519.invalid) {
    assert.ok(!ed25519Verify(fromHex(one.public), fromHex(one.message), fromHex(one.signature)), one.comment);
  }
});

Deno.test("sealGcm(), openGcm(): every vector of the specification and Wycheproof; what is invalid does not open", () => {
  for (const one of [...gcm.vectors, ...gcm.gcm_spec].filter(({ valid }) => valid)) {
    const [key, iv, aad] = [fromHex(one.key), fromHex(one.iv), fromHex(one.aad)];
    assert.equal(sealGcm(key, iv, fromHex(one.plaintext), aad).toHex(), one.ciphertext + one.tag);
    assert.equal(openGcm(key, iv, fromHex(one.ciphertext + one.tag), aad).toHex(), one.plaintext);
  }
  for (const one of [...gcm.vectors.filter(({ valid }) => !valid), ...gcm.tampered]) {
    const sealed = fromHex(one.ciphertext + one.tag);
    assert.throws(() => openGcm(fromHex(one.key), fromHex(one.iv), sealed, fromHex(one.aad)), {
      code: "NOT_AUTHENTIC",
    });
  }
  assert.throws(() => openGcm(new Uint8Array(32), new Uint8Array(12), new Uint8Array(15)), { code: "NOT_AUTHENTIC" });
  assert.throws(() => sealGcm(new Uint8Array(16), new Uint8Array(12), new Uint8Array()), RangeError);
});

Deno.test("ctr(): the stream of SP 800-38A F.5.5", () => {
  const key = fromHex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
  const counter = fromHex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  const plain = fromHex("6bc1bee22e409f96e93d7e117393172a");
  assert.equal(ctr(key, counter, plain).toHex(), "601ec313775789a5b7a7f504bbf3d228");
  assert.throws(() => ctr(key, counter.subarray(1), plain), RangeError);
  // GCM is CTR from the nonce and 2 on (SP 800-38D §7.1).
  const nonce = new Uint8Array(12).fill(9);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  assert.deepEqual(ctr(key, joined(nonce, Uint8Array.of(0, 0, 0, 2)), plain), new Uint8Array(cipher.update(plain)));
  cipher.final();
});

Deno.test("hkdf(): the three cases of RFC 5869 appendix A; hmac() and the digests", () => {
  const bytes = (from: number, length: number) => Uint8Array.from({ length }, (_, i) => from + i);
  const cases = [
    {
      ikm: new Uint8Array(22).fill(0x0b),
      salt: bytes(0, 13),
      info: bytes(0xf0, 10),
      prk: "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
      okm: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    },
    {
      ikm: bytes(0, 80),
      salt: bytes(0x60, 80),
      info: bytes(0xb0, 80),
      prk: "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
      okm: "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09" +
        "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
    },
    {
      ikm: new Uint8Array(22).fill(0x0b),
      salt: undefined,
      info: new Uint8Array(),
      prk: "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
      okm: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    },
  ];
  for (const { ikm, salt, info, prk, okm } of cases) {
    assert.equal(extract(salt, ikm).toHex(), prk);
    assert.equal(expand(fromHex(prk), [info.subarray(0, 3), info.subarray(3)], okm.length / 2).toHex(), okm);
    assert.equal(hkdf(salt, ikm, [info], okm.length / 2).toHex(), okm);
  }
  assert.throws(() => expand(new Uint8Array(32), [], 8161), RangeError);
  assert.throws(() => hkdf(undefined, new Uint8Array(32), [], 8161), RangeError);
  assert.throws(() => expand(new Uint8Array(31), [], 32), RangeError);
  // RFC 4231 §4.3.
  assert.equal(
    hmac(ascii("Jefe"), ascii("what do ya want "), ascii("for nothing?")).toHex(),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
  assert.match(sha256(ascii("a"), ascii("bc")).toHex(), /^ba7816bf/);
  assert.match(sha512(ascii("abc")).toHex(), /^ddaf35a1/);
  assert.ok(equalBytes(bytes(1, 3), bytes(1, 3)) && !equalBytes(bytes(1, 3), bytes(1, 4)));
});

Deno.test("hmac(): short and long messages, whole and in parts, are those of node:crypto, with keys of any length", () => {
  const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => i * 7 + length);
  for (const keyLength of [0, 1, 32, 63, 64, 65, 200]) {
    const key = bytes(keyLength);
    for (const length of [0, 1, 54, 55, 56, 63, 64, 65, 128, 255, 256, 257, 1000]) {
      const message = bytes(length);
      const expected = createHmac("sha256", key).update(message).digest("hex");
      assert.equal(hmac(key, message).toHex(), expected, `${keyLength}, ${length}`);
      assert.equal(hmac(key, message.subarray(0, 3), new Uint8Array(), message.subarray(3)).toHex(), expected);
    }
  }
});
