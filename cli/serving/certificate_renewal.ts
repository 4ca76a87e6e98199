/**
 * A certificate from files that is renewed while the node runs, as ACME clients do every two months.
 *
 * @module
 */
import type { Endpoint } from "@alknet/core";
import { type CertificateDocument, followFiles } from "@alknet/core/config";
import { AlknetError } from "@alknet/core/handler";
import type { CertificateKeyPair } from "@alknet/core/identity";
import { publicCertificate } from "./endpoint_options.ts";

/** What becomes of a renewal. */
export interface RenewalEvents {
  /** The certificate is in use. */
  renewed(): void;
  /** It cannot be used; the old one stays. */
  failed(message: string): void;
}

/** A certificate that is followed. Disposing of it ends that. */
export interface CertificateRenewal extends AsyncDisposable {
  /** Looks at the files now, as SIGHUP asks. */
  look(): Promise<void>;
}

/**
 * Follows the files of a certificate, and shows what comes to newcomers. Two files change one after the other: a pair that
 * does not fit is told, and tried again when the other has changed.
 *
 * @param setup Where the certificate comes from; nothing is followed if not from files.
 * @param current The certificate that the endpoint shows now.
 * @param endpoint What shows it.
 * @param events What becomes of it.
 */
export async function followCertificate(
  setup: Readonly<CertificateDocument>,
  current: CertificateKeyPair | undefined,
  endpoint: Pick<Endpoint, "adjustCertificate">,
  events: RenewalEvents,
): Promise<CertificateRenewal> {
  const { mode, certificate_file: certificateFile, key_file: keyFile } = setup;
  if (mode !== "x509" || certificateFile === undefined || keyFile === undefined) return NOTHING;
  let shown = current?.certificate;
  let fault: string | undefined;
  const look = async (): Promise<void> => {
    try {
      const pair = await publicCertificate(setup);
      fault = undefined;
      if (!pair || pair.certificate === shown) return;
      endpoint.adjustCertificate(pair);
      shown = pair.certificate;
      events.renewed();
    } catch (error) {
      if (!(error instanceof AlknetError)) throw error;
      if (fault !== error.message) events.failed(error.message);
      fault = error.message;
    }
  };
  const files = await followFiles([certificateFile, keyFile], look);
  // They may have changed since the endpoint began.
  await look();
  return { look, [Symbol.asyncDispose]: () => files[Symbol.asyncDispose]() };
}

const NOTHING: CertificateRenewal = { look: () => Promise.resolve(), [Symbol.asyncDispose]: () => Promise.resolve() };
