/**
 * Writes X.509 v3 certificates (RFC 5280) that their own key signs. Synchronous, so that a key has its certificate
 * at once.
 *
 * @module
 */
import { ascii, bitString, element, oid, Tag, time } from "./der.ts";

/** What goes into a self-signed certificate. */
export interface CertificateContent {
  /** Subject and issuer common name; at most 64 characters (RFC 5280 appendix A, ub-common-name). */
  readonly commonName: string;
  /** Subject alternative names; see {@linkcode dnsName} and {@linkcode ipAddress}. */
  readonly names: readonly Uint8Array[];
  /** First moment of validity. */
  readonly notBefore: Date;
  /** Last moment of validity. */
  readonly notAfter: Date;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** AlgorithmIdentifier of the signature, DER. */
  readonly algorithm: Uint8Array;
  /** Signs the body. */
  readonly sign: (data: Uint8Array) => Uint8Array;
}

const COMMON_NAME = oid("2.5.4.3");
const SUBJECT_ALT_NAME = oid("2.5.29.17");
const KEY_USAGE = oid("2.5.29.15");
const EXTENDED_KEY_USAGE = oid("2.5.29.37");
const SERVER_AUTH = oid("1.3.6.1.5.5.7.3.1");
const CLIENT_AUTH = oid("1.3.6.1.5.5.7.3.2");
/** keyUsage with digitalSignature alone: one significant bit, seven unused. */
const DIGITAL_SIGNATURE = Uint8Array.of(Tag.BIT_STRING, 2, 7, 0x80);
const CRITICAL = Uint8Array.of(Tag.BOOLEAN, 1, 0xff);
const VERSION_3 = Uint8Array.of(Tag.CONTEXT_0, 3, Tag.INTEGER, 1, 2);
/** Random bytes of a serial number; RFC 5280 §4.1.2.2 allows 20 in all. */
const SERIAL_LENGTH = 16;

/** The certificate, DER. */
export function selfSigned(content: CertificateContent): Uint8Array<ArrayBuffer> {
  const name = element(
    Tag.SEQUENCE,
    element(Tag.SET, element(Tag.SEQUENCE, COMMON_NAME, element(Tag.UTF8_STRING, ascii(content.commonName)))),
  );
  const body = element(
    Tag.SEQUENCE,
    VERSION_3,
    serialNumber(),
    content.algorithm,
    name,
    element(Tag.SEQUENCE, time(content.notBefore), time(content.notAfter)),
    name,
    content.spki,
    element(Tag.CONTEXT_3, extensions(content.names)),
  );
  return element(Tag.SEQUENCE, body, content.algorithm, bitString(content.sign(body)));
}

/** A subject alternative name of type dNSName. */
export function dnsName(name: string): Uint8Array {
  return element(0x82, ascii(name));
}

/** A subject alternative name of type iPAddress. */
export function ipAddress(bytes: Uint8Array): Uint8Array {
  return element(0x87, bytes);
}

function serialNumber(): Uint8Array {
  const serial = crypto.getRandomValues(new Uint8Array(SERIAL_LENGTH));
  // Positive, and no leading zero that DER would forbid.
  serial[0] = serial[0] & 0x7f | 0x40;
  return element(Tag.INTEGER, serial);
}

function extensions(names: readonly Uint8Array[]): Uint8Array {
  return element(
    Tag.SEQUENCE,
    element(Tag.SEQUENCE, KEY_USAGE, CRITICAL, element(Tag.OCTET_STRING, DIGITAL_SIGNATURE)),
    element(
      Tag.SEQUENCE,
      EXTENDED_KEY_USAGE,
      element(Tag.OCTET_STRING, element(Tag.SEQUENCE, SERVER_AUTH, CLIENT_AUTH)),
    ),
    element(Tag.SEQUENCE, SUBJECT_ALT_NAME, element(Tag.OCTET_STRING, element(Tag.SEQUENCE, ...names))),
  );
}
