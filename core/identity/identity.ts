/**
 * Who a peer is: what TLS proved about it, and what the node's configuration makes of that.
 *
 * @module
 */

/** What TLS proved about the other end. Both fields are absent when it presented no certificate. */
export interface Peer {
  /** `ed25519:<64 hex>` for a node certificate, `SHA256:<64 hex>` of the DER for any other. */
  readonly fingerprint?: string;
  /** The leaf certificate, DER. */
  readonly certificate?: Uint8Array;
}

/** Who someone is and what they may do. Frozen. */
export interface Identity {
  /** `peer_id` of a peer entry, or the prefix of an API key. */
  readonly id: string;
  /** What it may do, such as `relay:connect`. */
  readonly scopes: readonly string[];
  /** Resource type to the actions allowed on it. */
  readonly resources: Readonly<Record<string, readonly string[]>>;
}

/** Answers who has a fingerprint or a token. Both are lookups in memory: they run on every connection and request. */
export interface IdentityProvider {
  /** The enabled peer with this fingerprint, or nothing. */
  resolveFingerprint(fingerprint: string): Identity | undefined;
  /** The enabled peer or unexpired API key with this token, or nothing. Why nothing is never told. */
  resolveToken(token: string | Uint8Array): Identity | undefined;
}

/** Knows nobody; the default of an endpoint without configuration. */
export const anonymousOnly: IdentityProvider = {
  resolveFingerprint: () => undefined,
  resolveToken: () => undefined,
};
