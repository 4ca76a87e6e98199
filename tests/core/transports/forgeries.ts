/**
 * Copies of a certificate that anyone can make and that webpki cannot read.
 *
 * @module
 */
import { pem } from "../../../core/identity/der.ts";

/** A copy: what was done to it, and its bytes. */
export interface Forgery {
  /** For titles. */
  readonly what: string;
  /** The certificate, DER or nearly. */
  readonly der: Uint8Array;
}

/** Forgeries of a certificate whose outer length takes two or three bytes. */
export function forgeriesOf(der: Uint8Array): Forgery[] {
  const header = der[1] === 0x82 ? 4 : 3;
  const body = der.subarray(header);
  const wrap = (content: Uint8Array): Uint8Array => {
    const { byteLength } = content;
    return concat(Uint8Array.of(0x30, 0x82, byteLength >> 8, byteLength & 0xff), content);
  };
  const version = body.subarray(0, 30).toHex().indexOf("a003020102") / 2;
  const version1 = concat(body);
  version1[version + 4] = 0;
  return [
    { what: "an element appended inside", der: wrap(concat(body, Uint8Array.of(5, 0))) },
    { what: "a byte appended behind", der: concat(der, Uint8Array.of(0)) },
    { what: "a length in more bytes than needed", der: concat(Uint8Array.of(0x30, 0x83, 0, ...lengthOf(body)), body) },
    { what: "unused bits in the signature", der: withUnusedBits(der) },
    { what: "X.509 version 1", der: wrap(version1) },
    { what: "longer than webpki reads", der: concat(Uint8Array.of(0x30, 0x83, 1, 0, 5), new Uint8Array(65_541)) },
    { what: "nothing of a certificate", der: Uint8Array.of(0x30, 0x00) },
  ];
}

/** In PEM. */
export function pemOf(der: Uint8Array): string {
  return pem("CERTIFICATE", der);
}

/** The BIT STRING of the signature is last: its count of unused bits stands 65 bytes before the end (Ed25519). */
function withUnusedBits(der: Uint8Array): Uint8Array {
  const copy = concat(der);
  copy[copy.byteLength - 65] = 1;
  return copy;
}

function lengthOf({ byteLength }: Uint8Array): [number, number] {
  return [byteLength >> 8, byteLength & 0xff];
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}
