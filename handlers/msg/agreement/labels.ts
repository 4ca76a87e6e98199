/**
 * What the agreement's byte strings begin with, and the numbers in them (msg.md, at the top).
 *
 * @module
 */
import { ascii } from "@alknet/core/crypto";

const PREFIX = "alknet-msg-v1 ";

/** L(x): the label of one use of a key or a hash. */
export function label(use: string): Uint8Array {
  return ascii(PREFIX + use);
}

/** Stands between a label and what it is for. */
export const SEPARATOR: Uint8Array = Uint8Array.of(0);

/** Z: what stands where a key is absent. */
export const ZEROS: Uint8Array = new Uint8Array(32);

/** A number in four bytes, big-endian. */
export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** The number in four bytes. */
export function readU32(bytes: Uint8Array, at = 0): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at);
}

/** A number in two bytes, big-endian. */
export function u16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 0xff);
}

/** The number in two bytes. */
export function readU16(bytes: Uint8Array, at = 0): number {
  return bytes[at] << 8 | bytes[at + 1];
}

/** Days since 1970 (UTC) of a moment in milliseconds since 1970. */
export function dayOf(milliseconds: number): number {
  return Math.floor(milliseconds / 86_400_000);
}
