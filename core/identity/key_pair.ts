/**
 * A certificate with its key, and the name under which a node's own certificate is asked for.
 *
 * @module
 */

/** A certificate chain and its key, PEM, as both transports take them. */
export interface CertificateKeyPair {
  /** Leaf first. */
  readonly certificate: string;
  /** PKCS #8. */
  readonly privateKey: string;
}

/** What a client that pins a node id sends as server name: the id and this. */
export const IDENTITY_NAME_SUFFIX = ".alknet";
