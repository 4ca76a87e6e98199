/**
 * The part of DER (X.690) that certificates of nodes need: a strict reader of elements, and a writer.
 *
 * Only definite lengths in their shortest form and tag numbers below 31 exist here, as DER demands of everything that a
 * certificate holds outside exotic extensions.
 *
 * @module
 */

/** Tag bytes, with class and constructed bit. */
export const Tag = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  OID: 0x06,
  UTF8_STRING: 0x0c,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
  SET: 0x31,
  CONTEXT_0: 0xa0,
  CONTEXT_3: 0xa3,
} as const;

/** One element, as offsets into the bytes that were read. */
export interface Element {
  /** Tag byte. */
  readonly tag: number;
  /** Offset of the tag byte. */
  readonly start: number;
  /** Offset of the content. */
  readonly body: number;
  /** Offset behind the content. */
  readonly end: number;
}

/**
 * Reads the element at `offset`, which has to end at `limit` or before.
 *
 * @returns Nothing if there is none or it is not DER.
 */
export function readElement(bytes: Uint8Array, offset: number, limit: number): Element | undefined {
  if (offset + 2 > limit) return;
  const tag = bytes[offset];
  if ((tag & 0x1f) === 0x1f) return;
  let body = offset + 2;
  let length = bytes[offset + 1];
  if (length & 0x80) {
    const count = length & 0x7f;
    // Four bytes of length would be more than any certificate that TLS carries (RFC 8446 §4.4.2: 2^24-1).
    if (count === 0 || count > 3 || body + count > limit || bytes[body] === 0) return;
    length = 0;
    for (let i = 0; i < count; i++) length = length << 8 | bytes[body++];
    if (length < 0x80) return;
  }
  const end = body + length;
  return end <= limit ? { tag, start: offset, body, end } : undefined;
}

/** Reads elements from `offset` on until `limit`; nothing if they do not fill it exactly. */
export function readElements(bytes: Uint8Array, offset: number, limit: number): Element[] | undefined {
  const elements: Element[] = [];
  while (offset < limit) {
    const element = readElement(bytes, offset, limit);
    if (!element) return;
    elements.push(element);
    offset = element.end;
  }
  return elements;
}

/** Writes one element around its parts. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.byteLength, 0);
  const header = [tag, ...lengthBytes(length)];
  const bytes = new Uint8Array(header.length + length);
  bytes.set(header);
  let offset = header.length;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}

/** Writes an OBJECT IDENTIFIER from its dotted form. */
export function oid(dotted: string): Uint8Array<ArrayBuffer> {
  const [first, second, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift(left & 0x7f | 0x80);
    bytes.push(...groups);
  }
  return element(Tag.OID, Uint8Array.from(bytes));
}

/** Writes a time as RFC 5280 §4.1.2.5 wants it: UTCTime up to 2049, GeneralizedTime later. */
export function time(date: Date): Uint8Array<ArrayBuffer> {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, "");
  const early = date.getUTCFullYear() < 2050;
  return element(early ? Tag.UTC_TIME : Tag.GENERALIZED_TIME, ascii(early ? digits.slice(2) : digits));
}

/** Writes a BIT STRING of whole bytes. */
export function bitString(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return element(Tag.BIT_STRING, Uint8Array.of(0), bytes);
}

/** Bytes of a text. */
export function ascii(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Wraps DER in PEM (RFC 7468). */
export function pem(label: string, der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let left = length; left > 0; left >>>= 8) bytes.unshift(left & 0xff);
  return [0x80 | bytes.length, ...bytes];
}
