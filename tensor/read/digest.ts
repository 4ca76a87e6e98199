/**
 * Digests of entries: `sha256:<hex>` and `blake3:<hex>`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { blake3 } from "@noble/hashes/blake3.js";

/** A digest's algorithm. */
export type DigestAlgorithm = "sha256" | "blake3";

/** A digest that is being formed. */
export interface Hasher {
  /** Takes the next bytes. */
  update(bytes: Uint8Array): unknown;
  /** The digest as documents spell it. */
  text(): string;
}

/** Begins a digest. */
export function hasher(algorithm: DigestAlgorithm): Hasher {
  const hash = algorithm === "sha256" ? createHash("sha256") : blake3.create();
  return {
    update: (bytes) => hash.update(bytes),
    text() {
      const bytes: Uint8Array = hash.digest();
      return `${algorithm}:${bytes.toHex()}`;
    },
  };
}

/** The algorithm of a digest's text. */
export function algorithmOf(text: string): DigestAlgorithm {
  return text.startsWith("sha256:") ? "sha256" : "blake3";
}
