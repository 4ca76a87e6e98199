import assert from "node:assert/strict";
import {
  decodeText,
  encodeText,
  openWith,
  parseSealedData,
  type SealedData,
  sealWith,
} from "../../../vault/sealing/sealed_data.ts";
import { VaultError } from "../../../vault/errors.ts";

const KEY = new Uint8Array(32).fill(0x42);
const PLAINTEXT = new TextEncoder().encode("sk-live-0123456789");
const SEALED = sealWith(KEY, 2, PLAINTEXT);

/** Reads as a stranger's JSON is read. */
function open(value: unknown): Uint8Array {
  return openWith(KEY, parseSealedData(value));
}

Deno.test("sealWith() gives the frozen form: four fields of the lengths it says", () => {
  assert.deepEqual(Object.keys(SEALED), ["key_version", "salt", "iv", "data"]);
  assert.equal(SEALED.key_version, 2);
  assert.equal(Uint8Array.fromBase64(SEALED.salt).length, 32);
  assert.equal(Uint8Array.fromBase64(SEALED.iv).length, 12);
  assert.equal(Uint8Array.fromBase64(SEALED.data).length, PLAINTEXT.length + 16);
  assert.deepEqual(open(JSON.parse(JSON.stringify(SEALED))), PLAINTEXT);
});

Deno.test("sealWith() never gives an iv or a salt twice in 100,000 seals (vault.md row 8)", () => {
  const [ivs, salts] = [new Set<string>(), new Set<string>()];
  const nothing = new Uint8Array();
  for (let i = 0; i < 100_000; i++) {
    const { iv, salt } = sealWith(KEY, 2, nothing);
    ivs.add(iv);
    salts.add(salt);
  }
  assert.equal(ivs.size, 100_000);
  assert.equal(salts.size, 100_000);
});

Deno.test("openWith() refuses every single bit of iv or data flipped, as bytes and as text (vault.md row 9)", () => {
  for (const field of ["iv", "data"] as const) {
    const bytes = Uint8Array.fromBase64(SEALED[field]);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      assertCode("DECRYPTION_FAILED", { ...SEALED, [field]: flipped.toBase64() }, `bit ${bit} of ${field}`);
    }
    const text = SEALED[field];
    for (let bit = 0; bit < text.length * 8; bit++) {
      const code = text.charCodeAt(bit >> 3) ^ (1 << (bit & 7));
      const flipped = text.slice(0, bit >> 3) + String.fromCharCode(code) + text.slice((bit >> 3) + 1);
      assertCode("DECRYPTION_FAILED", { ...SEALED, [field]: flipped }, `bit ${bit} of the text of ${field}`);
    }
  }
});

Deno.test("openWith() refuses a tag that is cut, at every length (vault.md row 9)", () => {
  const bytes = Uint8Array.fromBase64(SEALED.data);
  for (let length = 0; length < bytes.length; length++) {
    assertCode("DECRYPTION_FAILED", { ...SEALED, data: bytes.subarray(0, length).toBase64() }, `${length} bytes`);
  }
});

Deno.test("openWith() refuses base64 that is not canonical: one text for one value (RFC 4648 §3.3, §3.5)", () => {
  const texts = (good: string): Record<string, string> => ({
    "white space": ` ${good}`,
    "a line feed": `${good}\n`,
    "no padding": good.replace(/=+$/, ""),
    "more padding": `${good}=`,
    "the URL alphabet": good.replaceAll("+", "-").replaceAll("/", "_"),
    "not base64": "***",
    "a letter too many": `${good}A`,
  });
  // All values are set so that each alphabet differs and each length needs padding.
  const salt = new Uint8Array(32).fill(0xfb).toBase64();
  for (const [what, text] of Object.entries(texts(salt))) {
    assertCode("DECRYPTION_FAILED", { ...SEALED, salt: text }, `salt: ${what}`);
  }
  for (const field of ["iv", "data"] as const) {
    for (const [what, text] of Object.entries(texts(SEALED[field]))) {
      if (text !== SEALED[field]) assertCode("DECRYPTION_FAILED", { ...SEALED, [field]: text }, `${field}: ${what}`);
    }
  }
  const loose = SEALED.salt.slice(0, -2) + String.fromCharCode(SEALED.salt.charCodeAt(SEALED.salt.length - 2) + 1) +
    "=";
  assertCode("DECRYPTION_FAILED", { ...SEALED, salt: loose }, "bits below the last byte");
});

Deno.test("openWith() takes any salt of 32 bytes, as it plays no part, and none of another length", () => {
  assert.deepEqual(open({ ...SEALED, salt: new Uint8Array(32).toBase64() }), PLAINTEXT);
  for (const length of [0, 31, 33]) {
    assertCode("DECRYPTION_FAILED", { ...SEALED, salt: new Uint8Array(length).toBase64() }, `salt of ${length}`);
  }
});

Deno.test("parseSealedData() names the field that is missing, of a wrong type, or unknown (vault.md row 9)", () => {
  for (const field of Object.keys(SEALED) as (keyof SealedData)[]) {
    const { [field]: _, ...rest } = SEALED;
    assertCode("INVALID_SEALED_DATA", rest, field);
    for (const wrong of [undefined, null, true, [], {}, 1n, field === "key_version" ? "2" : 2]) {
      assertCode("INVALID_SEALED_DATA", { ...SEALED, [field]: wrong }, field);
    }
    // Inherited fields are not fields of JSON.
    assertCode("INVALID_SEALED_DATA", Object.setPrototypeOf({ ...rest }, { [field]: SEALED[field] }), field);
  }
  for (const version of [-1, 1.5, NaN, Infinity, -Infinity, 2 ** 32, 1e300]) {
    assertCode("INVALID_SEALED_DATA", { ...SEALED, key_version: version }, "key_version");
  }
  for (const extra of ["note", "", "toString", "\u001b[31m", "__proto__"]) {
    assertCode(
      "INVALID_SEALED_DATA",
      JSON.parse(JSON.stringify(SEALED).replace("{", `{${JSON.stringify(extra)}:1,`)),
      "",
    );
  }
});

Deno.test("parseSealedData() says what something else is, and prints no control characters of it", () => {
  for (const value of [undefined, null, true, 2, 2n, "text", Symbol("s"), [], [SEALED], () => {}]) {
    assertCode("INVALID_SEALED_DATA", value, "must be an object");
  }
  assert.throws(() => parseSealedData({ ...SEALED, ["\u001b[31m" + "x".repeat(9_999)]: 1 }), (error) => {
    assert(error instanceof VaultError);
    assert.match(error.message, /^[\x20-\x7e…]{1,200}$/);
    return true;
  });
});

Deno.test("encodeText() and decodeText() give back every text, and refuse what UTF-8 does not hold", () => {
  for (
    const text of ["", "plain", "grüß 🔑 漢字", "\uFEFFbegins with a byte order mark", "\0", "a\r\nb", "e\u0301 é"]
  ) {
    assert.equal(decodeText(encodeText(text)), text);
  }
  for (const text of ["\ud800", "a\udc00b"]) assert.throws(() => encodeText(text), TypeError);
  assert.throws(() => encodeText(5 as unknown as string), TypeError);
  for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe6, 0xbc]]) {
    assert.throws(() => decodeText(new Uint8Array(bytes)), { name: "VaultError", code: "DECRYPTION_FAILED" });
  }
});

function assertCode(code: string, value: unknown, what: string): void {
  assert.throws(() => open(value), (error) => {
    assert(error instanceof VaultError, `${what}: ${error}`);
    assert.equal(error.code, code, `${what}: ${error.message}`);
    if (code === "INVALID_SEALED_DATA") assert(error.message.includes(what), error.message);
    return true;
  }, what);
}
