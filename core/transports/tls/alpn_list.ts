/**
 * Protocol names as `node:tls` takes them without assuming an encoding.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** The ProtocolNameList of one name: a length byte and the name (RFC 7301 §3.1). */
export function alpnList(name: string): Uint8Array {
  const bytes = Buffer.from(name);
  return Buffer.concat([Uint8Array.of(bytes.byteLength), bytes]);
}
