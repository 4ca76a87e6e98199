/**
 * Ciphers that end with their only use, for `ssh2`, which takes `node:crypto` apart when it is loaded.
 *
 * For each packet of chacha20-poly1305 ssh2 1.17.0 makes three ciphers, calls `update` once on each, and drops them. Under
 * Deno 2.9 a cipher holds a resource until `final`: each packet would cost a kilobyte for ever.
 *
 * @module
 */
import crypto from "node:crypto";

/** What ssh2 uses of a cipher of this kind. */
interface OneShot {
  update(data: Uint8Array): Uint8Array;
  final?(): Uint8Array;
}
type Create = (algorithm: string, ...rest: unknown[]) => OneShot;
/** The functions that ssh2 takes. */
interface Creators {
  createCipheriv: Create;
  createDecipheriv: Create;
}

// The types say that these never change; to programs of Node they are properties like any other.
const creators = crypto as unknown as Creators;
const { createCipheriv, createDecipheriv } = creators;

/** Makes `node:crypto` give ciphers that end by themselves, until {@linkcode restoreCiphers}. */
export function endCiphersByThemselves(): void {
  creators.createCipheriv = oneShot(createCipheriv);
  creators.createDecipheriv = oneShot(createDecipheriv);
}

/** Undoes it for everybody else. */
export function restoreCiphers(): void {
  creators.createCipheriv = createCipheriv;
  creators.createDecipheriv = createDecipheriv;
}

function oneShot(create: Create): Create {
  return (algorithm, ...rest) => {
    const cipher = create(algorithm, ...rest);
    if (algorithm !== "chacha20") return cipher;
    return {
      update(data) {
        const result = cipher.update(data);
        cipher.final!();
        return result;
      },
    };
  };
}
