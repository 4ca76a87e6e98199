/**
 * Logging in with a public key (RFC 4252 §7), and with nothing but one.
 *
 * @module
 */
import type { HandlerContext, Identity } from "@alknet/core/handler";
import { createPublicKey } from "node:crypto";
import { fingerprintsOf, sshFingerprint } from "./fingerprints.ts";
import { ssh2, type Ssh2Authentication, type Ssh2Key } from "../protocol/ssh2.ts";

/** Attempts that a connection has (ssh.md). */
export const MAX_ATTEMPTS = 6;

/** Algorithms of user keys beside RSA; DSA is none. */
const ALGORITHMS: ReadonlySet<string> = new Set([
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
]);
/** ssh2 calls RSA by the name that it had with SHA-1, and says the hash beside it. */
const RSA = "ssh-rsa";
const RSA_HASHES: ReadonlySet<string | undefined> = new Set(["sha256", "sha512"]);

/** RSA keys shorter than this are refused (security.md). */
const MIN_RSA_BITS = 3072;

/** What came of an attempt. */
export type AttemptResult =
  /** Logged in. */
  | { readonly kind: "accepted"; readonly identity: Identity; readonly fingerprint: string }
  /** The key is known: it may be signed with. */
  | { readonly kind: "offer accepted" }
  /** Refused; what the log says: one word, and the key. */
  | { readonly kind: "refused"; readonly reason: string; readonly fingerprint?: string };

/** Options of {@linkcode Authentication}. */
export interface AuthenticationOptions {
  /** Who has a fingerprint. */
  readonly context: HandlerContext;
  /** Whom TLS proved, if that is enough. */
  readonly trusted: Identity | undefined;
}

/** The attempts of one connection. */
export class Authentication {
  readonly #options: AuthenticationOptions;

  /**
   * Nobody has tried yet.
   *
   * @param options Who is known.
   */
  constructor(options: AuthenticationOptions) {
    this.#options = options;
  }

  /** Decides an attempt. What comes is not answered here. */
  decide(attempt: Ssh2Authentication): AttemptResult {
    const { context, trusted } = this.#options;
    const { method, key } = attempt;
    if (method === "none") {
      return trusted
        ? { kind: "accepted", identity: trusted, fingerprint: "tls" }
        : { kind: "refused", reason: "no-credential" };
    }
    if (method !== "publickey" || !key) return { kind: "refused", reason: "method" };
    const fingerprint = sshFingerprint(key.data);
    const accepted = key.algo === RSA ? RSA_HASHES.has(attempt.hashAlgo) : ALGORITHMS.has(key.algo);
    if (!accepted) return { kind: "refused", reason: "algorithm", fingerprint };
    const identity = fingerprintsOf(key.data)
      .map((one) => context.identityProvider.resolveFingerprint(one))
      .find((one) => one !== undefined);
    if (!identity) return { kind: "refused", reason: "unknown-key", fingerprint };
    if (!attempt.signature || !attempt.blob) return { kind: "offer accepted" };
    const read = ssh2.utils.parseKey(key.data);
    if (read instanceof Error) return { kind: "refused", reason: "unreadable-key", fingerprint };
    if (read.type === RSA && rsaBits(read) < MIN_RSA_BITS) {
      return { kind: "refused", reason: "short-key", fingerprint };
    }
    if (read.verify(attempt.blob, attempt.signature, attempt.hashAlgo) !== true) {
      return { kind: "refused", reason: "wrong-signature", fingerprint };
    }
    return { kind: "accepted", identity, fingerprint };
  }
}

function rsaBits(key: Ssh2Key): number {
  return createPublicKey(key.getPublicPEM()).asymmetricKeyDetails?.modulusLength ?? 0;
}
