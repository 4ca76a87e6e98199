import assert from "node:assert/strict";
import { AlknetError } from "../../../core/errors.ts";
import { createToken, hashToken, parseTokenHash, tokenPrefix } from "../../../core/identity/token.ts";

/** core.md §8. */
const VECTOR = {
  token: "alk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
  hash: "sha256:c94139726ee0cfbde4c2ce0fc7b63ebff0adae83a502c9e3aabece35cf412a9a",
  prefix: "alk_AAEC",
};

Deno.test("hashToken and tokenPrefix give the published values (core.md §8)", () => {
  assert.equal(hashToken(VECTOR.token), VECTOR.hash);
  assert.equal(hashToken(new TextEncoder().encode(VECTOR.token)), VECTOR.hash);
  assert.equal(tokenPrefix(VECTOR.token), VECTOR.prefix);
});

Deno.test("createToken gives 47 characters of base64url, different each time (core.md §8)", () => {
  const tokens = Array.from({ length: 100 }, createToken);
  for (const token of tokens) assert.match(token, /^alk_[A-Za-z0-9_-]{43}$/);
  assert.equal(new Set(tokens).size, tokens.length);
});

Deno.test("parseTokenHash accepts plain and upper-case hex, and repeats nothing of the rest (core.md §8)", () => {
  const hex = VECTOR.hash.slice("sha256:".length);
  for (const text of [VECTOR.hash, hex, hex.toUpperCase(), `SHA256:${hex}`]) {
    assert.equal(parseTokenHash(text), VECTOR.hash);
  }
  for (const text of ["", VECTOR.token, hex.slice(1), `${hex}0`, `md5:${hex}`, `sha256:${hex}\n`]) {
    assert.throws(() => parseTokenHash(text), (error) => {
      assert.ok(error instanceof AlknetError);
      assert.equal(error.code, "INVALID_TOKEN_HASH");
      assert.ok(text === "" || !error.message.includes(text));
      return true;
    });
  }
});
