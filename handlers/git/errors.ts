/**
 * Errors of the git handler that a peer or a repository causes.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";

/**
 * What a peer sent is not git's protocol, or is not served: `GIT_PROTOCOL`, `GIT_REFUSED`, `GIT_TOO_LARGE`, `GIT_SLOW`.
 * The words are for the peer: they are what follows `ERR`.
 */
export class GitRequestError extends AlknetError {
  /** The class, as it stands before the message. */
  override readonly name = "GitRequestError";

  /**
   * What a peer did, and what it is told.
   *
   * @param code Stable code.
   * @param words What the peer is told; never the text of another error.
   */
  constructor(code: "GIT_PROTOCOL" | "GIT_REFUSED" | "GIT_TOO_LARGE" | "GIT_SLOW", words: string) {
    super(code, words);
  }
}

/**
 * A pack that a client sent is refused: `GIT_PACK`, or `HASH_COLLISION` for an object that is held with other bytes. The
 * words are for the peer: they are what follows `unpack`.
 */
export class GitPackError extends AlknetError {
  /** The class, as it stands before the message. */
  override readonly name = "GitPackError";

  /**
   * Why it is refused.
   *
   * @param words What the peer is told.
   * @param code Stable code.
   */
  constructor(words: string, code: "GIT_PACK" | "HASH_COLLISION" = "GIT_PACK") {
    super(code, words);
  }
}

/** What is wrong with the form of a pack. */
export type PackFault = "header" | "checksum" | "size" | "type" | "base" | "delta" | "truncated" | "trailing bytes";

/** A pack whose form is wrong: `GIT_PACK`. */
export function badPack(fault: PackFault): GitPackError {
  return new GitPackError(`bad pack: ${fault}`);
}

/** A malformed request: `GIT_PROTOCOL`. */
export function malformed(words: string): GitRequestError {
  return new GitRequestError("GIT_PROTOCOL", words);
}

/** What lies in a repository cannot be read as git's: `GIT_CORRUPT`. */
export function corrupt(message: string, options?: ErrorOptions): AlknetError {
  return new AlknetError("GIT_CORRUPT", message, options);
}

/** An object that should be there is not: `GIT_OBJECT_MISSING`. */
export function missing(oid: string): AlknetError {
  return new AlknetError("GIT_OBJECT_MISSING", `object ${oid} is missing`);
}

/** An object is larger than what is read whole: `OBJECT_TOO_LARGE`. */
export function tooLarge(what: string, size: number, limit: number): AlknetError {
  return new AlknetError("OBJECT_TOO_LARGE", `${what} has ${size} bytes; up to ${limit} are read whole`);
}

/** A folder is no repository that is served: `GIT_UNSUPPORTED`. */
export function unsupported(folder: string, why: string): AlknetError {
  return new AlknetError("GIT_UNSUPPORTED", `repository ${folder} is not served: ${why}`);
}
