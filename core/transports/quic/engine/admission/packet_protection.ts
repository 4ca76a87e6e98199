/**
 * The protection of a client's Initial packets (RFC 9001 §5): keys that anyone can derive from the packet's destination
 * connection ID, so it hides nothing; it keeps bystanders from breaking a handshake by chance.
 *
 * @module
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from "node:crypto";
import type { LongHeader } from "./packet_header.ts";

/** Keys of the packets that a client sends. */
export interface InitialKeys {
  /** AES-128-GCM key. */
  readonly key: Uint8Array;
  /** Its nonce's other half, 12 bytes. */
  readonly iv: Uint8Array;
  /** Header protection key, AES-128. */
  readonly hp: Uint8Array;
}

/** An Initial packet without its protection. */
export interface OpenedInitial {
  /** The first byte, unprotected. */
  readonly first: number;
  /** The frames. */
  readonly payload: Uint8Array;
}

/** RFC 9001 §5.2. */
const INITIAL_SALT = Uint8Array.from([
  ...[0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17],
  ...[0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a],
]);
const CLIENT_IN = hkdfLabel("client in", 32);
const SERVER_IN = hkdfLabel("server in", 32);
/** With the block counter that HKDF-Expand puts behind the label (RFC 5869 §2.3): each of these fits one block. */
const KEY = firstBlock(hkdfLabel("quic key", 16));
const IV = firstBlock(hkdfLabel("quic iv", 12));
const HP = firstBlock(hkdfLabel("quic hp", 16));

const TAG_LENGTH = 16;
const SAMPLE_LENGTH = 16;
/** The sample begins where a packet number of four bytes would end (RFC 9001 §5.4.2). */
const SAMPLE_OFFSET = 4;

/** The keys of what a client sends to `dcid`, the destination connection ID of its first packet (RFC 9001 §5.2). */
export function clientInitialKeys(dcid: Uint8Array): InitialKeys {
  return initialKeys(dcid, CLIENT_IN);
}

/** The keys of what the server sends back to that client (RFC 9001 §5.2). */
export function serverInitialKeys(dcid: Uint8Array): InitialKeys {
  return initialKeys(dcid, SERVER_IN);
}

/**
 * Protects an Initial packet.
 *
 * @param header The unprotected header, packet number (1 byte) included; protected in place.
 * @param payload The frames, at least 3 bytes, so that a sample fits.
 * @returns The packet.
 */
export function sealInitial(keys: InitialKeys, header: Uint8Array, payload: Uint8Array): Uint8Array {
  const nonce = keys.iv.slice();
  nonce[nonce.length - 1] ^= header[header.length - 1];
  const cipher = createCipheriv("aes-128-gcm", keys.key, nonce);
  cipher.setAAD(header);
  const sealed = Uint8Array.from([...cipher.update(payload), ...cipher.final(), ...cipher.getAuthTag()]);
  const sampleAt = SAMPLE_OFFSET - 1;
  const mask = headerMask(keys.hp, sealed.subarray(sampleAt, sampleAt + SAMPLE_LENGTH));
  header[0] ^= mask[0] & 0x0f;
  header[header.length - 1] ^= mask[1];
  return Uint8Array.from([...header, ...sealed]);
}

function initialKeys(dcid: Uint8Array, label: Uint8Array): InitialKeys {
  const secret = new Uint8Array(hkdfSync("sha256", dcid, INITIAL_SALT, label, 32));
  return {
    key: expandOne(secret, KEY).subarray(0, 16),
    iv: expandOne(secret, IV).subarray(0, 12),
    hp: expandOne(secret, HP).subarray(0, 16),
  };
}

/**
 * Takes the protection off the Initial packet that begins at `start`; nothing if it does not authenticate. The datagram
 * stays as it is, for the engine reads it again.
 */
export function openInitial(
  keys: InitialKeys,
  datagram: Uint8Array,
  start: number,
  header: LongHeader,
): OpenedInitial | undefined {
  const { payload: numberAt, end } = header;
  const sampleAt = numberAt + SAMPLE_OFFSET;
  if (sampleAt + SAMPLE_LENGTH > end) return undefined;
  const mask = headerMask(keys.hp, datagram.subarray(sampleAt, sampleAt + SAMPLE_LENGTH));
  const first = datagram[start] ^ (mask[0] & 0x0f);
  const numberLength = (first & 3) + 1;
  const bodyAt = numberAt + numberLength;
  // The sample fits, so number and tag do too: 4 + 16 bytes at least.
  // Copied by the constructor: slice() of a Buffer, which sockets of node:dgram give, is a view.
  const associated = new Uint8Array(datagram.subarray(start, bodyAt));
  associated[0] = first;
  const nonce = new Uint8Array(keys.iv);
  for (let i = 0; i < numberLength; i++) {
    const byte = datagram[numberAt + i] ^ mask[1 + i];
    associated[associated.length - numberLength + i] = byte;
    // Nothing of ours was acknowledged yet, so the number is sent whole (RFC 9000 §17.1, A.2): no expansion.
    nonce[nonce.length - numberLength + i] ^= byte;
  }
  const decipher = createDecipheriv("aes-128-gcm", keys.key, nonce);
  decipher.setAAD(associated);
  decipher.setAuthTag(datagram.subarray(end - TAG_LENGTH, end));
  const payload = decipher.update(datagram.subarray(bodyAt, end - TAG_LENGTH));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return { first, payload };
}

function headerMask(hp: Uint8Array, sample: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-128-ecb", hp, null);
  cipher.setAutoPadding(false);
  const mask = cipher.update(sample);
  // Deno frees a cipher's native half in final() alone: kept for reuse or left without it, each one leaks.
  cipher.final();
  return mask;
}

function expandOne(secret: Uint8Array, block: Uint8Array): Uint8Array {
  return createHmac("sha256", secret).update(block).digest();
}

/** HkdfLabel with an empty context (RFC 8446 §7.1). */
function hkdfLabel(label: string, length: number): Uint8Array {
  const name = new TextEncoder().encode(`tls13 ${label}`);
  return Uint8Array.from([length >> 8, length & 0xff, name.length, ...name, 0]);
}

function firstBlock(label: Uint8Array): Uint8Array {
  return Uint8Array.from([...label, 1]);
}
