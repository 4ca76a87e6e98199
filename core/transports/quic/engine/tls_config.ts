/**
 * quiche configurations: one for each certificate and datagram size.
 *
 * @module
 */
import { AlknetError } from "../../../errors.ts";
import type { Limits } from "../../../limits/limits.ts";
import type { CertificateKeyPair } from "../../../identity/key_pair.ts";
import type { Quiche, QuicheConfig } from "./binding.ts";

/** Largest UDP payload we accept: what the transport parameter means by "no limit of ours" (RFC 9000 §18.2). */
const MAX_RECEIVE = 65_527;
/** Longest queue of datagram messages, each way; what exceeds it is dropped (RFC 9221 §5). */
const DATAGRAM_QUEUE = 256;
/** Ed25519 first: without it a node certificate fails the handshake. The rest is what public certificates use. */
const SIGNATURE_ALGORITHMS = [
  "ed25519",
  "ecdsa_secp256r1_sha256",
  "ecdsa_secp384r1_sha384",
  "rsa_pss_rsae_sha256",
  "rsa_pss_rsae_sha384",
  "rsa_pss_rsae_sha512",
  "rsa_pkcs1_sha256",
].join(":");

/** What a configuration is made of. */
export interface TlsConfigOptions {
  /** Protocols, in order of preference. */
  readonly alpns: readonly string[];
  /** Our certificate, if we present one. */
  readonly certificate?: CertificateKeyPair;
  /** `require` asks for the peer's certificate and takes any; `authorities` has it verified; `none` does not ask. */
  readonly peer: "none" | "require" | "authorities";
  /** Trusted authorities, PEM, with `peer: "authorities"`. */
  readonly authorities?: string;
  /** Longest UDP payload to send. */
  readonly datagramSize: number;
  /** The limits. */
  readonly limits: Limits;
}

/**
 * Makes a configuration. Early data stays off: replayed, it could run a mutation twice.
 *
 * @throws {AlknetError} `TLS_CONFIG`: a certificate, a key, an authority or a protocol name cannot be used.
 */
export function tlsConfig(quiche: Quiche, options: TlsConfigOptions): QuicheConfig {
  const { alpns, certificate, peer, authorities, datagramSize, limits } = options;
  const bytes = (text: string) => new TextEncoder().encode(text);
  let config: QuicheConfig;
  try {
    config = quiche.Config.withBoringSslCtx(
      peer !== "none",
      peer !== "authorities",
      authorities === undefined ? null : bytes(authorities),
      certificate ? [bytes(certificate.privateKey)] : null,
      certificate ? [bytes(certificate.certificate)] : null,
      SIGNATURE_ALGORITHMS,
    );
    config.setApplicationProtos([...alpns]);
  } catch (cause) {
    const what = "the certificate and its key, both PEM, or the names of the protocols";
    throw new AlknetError("TLS_CONFIG", `QUIC cannot use ${what}: ${(cause as Error).message}`, { cause });
  }
  config.setMaxIdleTimeout(limits.idleTimeout);
  config.setMaxRecvUdpPayloadSize(MAX_RECEIVE);
  config.setMaxSendUdpPayloadSize(datagramSize);
  config.setInitialMaxData(limits.connectionWindow);
  config.setInitialMaxStreamDataBidiLocal(limits.streamWindow);
  config.setInitialMaxStreamDataBidiRemote(limits.streamWindow);
  config.setInitialMaxStreamDataUni(limits.streamWindow);
  config.setMaxStreamWindow(limits.maxStreamWindow);
  config.setMaxConnectionWindow(limits.maxConnectionWindow);
  config.setInitialMaxStreamsBidi(limits.maxStreamsBidi);
  config.setInitialMaxStreamsUni(limits.maxStreamsUni);
  // One path, one connection id: what follows from more is where quiche's known faults are.
  config.setActiveConnectionIdLimit(2);
  config.setDisableActiveMigration(true);
  config.enableDgram(true, DATAGRAM_QUEUE, DATAGRAM_QUEUE);
  config.enablePacing(false);
  config.grease(true);
  return config;
}

/** The configuration that a certificate was last dialled with: making one reads keys and certificates again. */
export class DialConfigs {
  readonly #last = new WeakMap<CertificateKeyPair, { readonly key: string; readonly config: QuicheConfig }>();

  /**
   * As {@linkcode tlsConfig}.
   *
   * @throws {AlknetError} `TLS_CONFIG`.
   */
  get(quiche: Quiche, options: TlsConfigOptions): QuicheConfig {
    const { certificate, authorities, ...rest } = options;
    // Authorities are hundreds of kilobytes of text, which cost as much to compare.
    if (!certificate || authorities !== undefined) return tlsConfig(quiche, options);
    const key = JSON.stringify(rest);
    const last = this.#last.get(certificate);
    if (last?.key === key) return last.config;
    const config = tlsConfig(quiche, options);
    this.#last.set(certificate, { key, config });
    return config;
  }
}
