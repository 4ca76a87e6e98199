/**
 * Tokens: random strings that stand for an identity. Shown once, kept as a hash.
 *
 * `alk_` and 32 random bytes in base64url without padding, 47 characters. They are random, not chosen, so their hash needs
 * no slowness.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { AlknetError } from "../errors.ts";

/** What every API key begins with. */
export const TOKEN_START = "alk_";
/** Characters of a token that may be shown in lists and logs, {@linkcode TOKEN_START} included. */
export const TOKEN_PREFIX_LENGTH = 8;
/** Bytes of the longest token that is looked at. */
export const MAX_TOKEN_LENGTH = 1024;

const RANDOM_LENGTH = 32;

/** A new token. A secret: show it once, keep {@linkcode hashToken} of it. */
export function createToken(): string {
  const random = crypto.getRandomValues(new Uint8Array(RANDOM_LENGTH));
  return TOKEN_START + random.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** `sha256:` and the hash of the token's UTF-8 bytes in 64 hex digits: the form in which a token is kept. */
export function hashToken(token: string | Uint8Array): string {
  return `sha256:${createHash("sha256").update(token).digest("hex")}`;
}

/** The part of a token that may be shown: its first 8 characters. */
export function tokenPrefix(token: string): string {
  return token.slice(0, TOKEN_PREFIX_LENGTH);
}

/**
 * A token's hash in its one exact form. `sha256:` may be missing, hex may be in upper case.
 *
 * @throws {AlknetError} `INVALID_TOKEN_HASH`. The text is not repeated: it may be a token put in the wrong place.
 */
export function parseTokenHash(text: string): string {
  const [, hex] = /^(?:sha256:)?([0-9a-f]{64})$/i.exec(text) ?? [];
  if (!hex) {
    throw new AlknetError(
      "INVALID_TOKEN_HASH",
      `expected "sha256:" and 64 hex digits, found ${text.length} characters`,
    );
  }
  return `sha256:${hex.toLowerCase()}`;
}
