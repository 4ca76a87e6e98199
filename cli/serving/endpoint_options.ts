/**
 * What a configuration says of the endpoint, as the endpoint takes it.
 *
 * @module
 */
import type { QuicListenOptions } from "@alknet/core";
import type { CertificateDocument, Config } from "@alknet/core/config";
import { logger } from "@alknet/core/handler";
import { type CertificateKeyPair, loadCertificate, selfSignedCertificate } from "@alknet/core/identity";

const log = logger("serve");

/**
 * The certificate of the public profile that a configuration asks for; nothing in mode `key`.
 *
 * @throws {AlknetError} `CERT_LOAD`, `SELF_SIGNED` or a code of key files, naming the file.
 */
export async function publicCertificate(setup: Readonly<CertificateDocument>): Promise<CertificateKeyPair | undefined> {
  switch (setup.mode) {
    case "key":
      return undefined;
    case "selfSigned":
      return selfSignedCertificate({ names: setup.names ?? [] });
    case "x509": {
      const { certificate_file: certificateFile = "", key_file: keyFile = "" } = setup;
      const { warnings, certificate, privateKey } = await loadCertificate({ certificateFile, keyFile });
      for (const warning of warnings) log.warn("{warning}", { warning });
      return { certificate, privateKey };
    }
  }
}

/** How a configuration wants QUIC to run. */
export function quicOptions({ engine, engines, max_datagram_size, udp }: Config["static"]["quic"]): QuicListenOptions {
  return {
    engine: ({ process: "process", in_process: "in-process" } as const)[engine],
    engines,
    datagramSize: max_datagram_size,
    udp,
  };
}
