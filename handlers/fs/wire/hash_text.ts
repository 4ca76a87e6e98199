/**
 * Hashes as text: 64 hex digits, or 52 characters of base32; read in any case, written as lower-case hex.
 *
 * @module
 */
import { AlknetError, foreign } from "@alknet/core/handler";
import { HASH } from "../bao/tree.ts";
import { fromBase32 } from "./base32.ts";

/** A hash: 64 lower-case hex digits. */
export type Hash = string;

/**
 * The hash that a text stands for; nothing if it is none.
 */
export function hashOfText(text: string): Hash | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  if (!/^[a-z2-7]{52}$/i.test(text)) return undefined;
  const bytes = fromBase32(text);
  return bytes?.byteLength === HASH ? bytes.toHex() : undefined;
}

/**
 * The hash that a text stands for.
 *
 * @throws {AlknetError} `INVALID_HASH`.
 */
export function parseHash(text: string): Hash {
  const hash = hashOfText(text);
  if (hash !== undefined) return hash;
  throw new AlknetError(
    "INVALID_HASH",
    `"${foreign(text.slice(0, 80))}" is no hash; expected 64 hex digits, or 52 characters of base32`,
  );
}
