/**
 * Base58 as Bitcoin writes it: bytes as one number in base 58, a `1` before it for each leading zero byte.
 *
 * Over arrays rather than a bigint, which could not be wiped. The time grows with the square of the length.
 *
 * @module
 */
import { wipe } from "../secret_bytes.ts";

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** The text of bytes. */
export function encodeBase58(bytes: Uint8Array): string {
  const zeros = leading(bytes, 0);
  // Each byte takes log 256 / log 58, below 1.37 digits.
  const digits = new Uint8Array(Math.ceil(bytes.byteLength * 1.37));
  for (const byte of bytes) shiftIn(digits, byte, 256, 58);
  const text = "1".repeat(zeros) + Array.from(digits.subarray(leading(digits, 0)), (digit) => ALPHABET[digit]).join("");
  wipe(digits);
  return text;
}

/** The bytes of a text, or nothing if it is not base58 of that many bytes. */
export function decodeBase58(text: string, length: number): Uint8Array | undefined {
  // So many digits at most: nothing longer is worked on.
  if (text.length > Math.ceil(length * 1.37)) return undefined;
  const digits = Uint8Array.from(text, (letter) => ALPHABET.indexOf(letter) & 0xff);
  const bytes = new Uint8Array(length);
  const fits = digits.every((digit) => digit < 58 && shiftIn(bytes, digit, 58, 256));
  const exact = fits && leading(bytes, 0) === leading(digits, 0);
  wipe(digits);
  if (exact) return bytes;
  wipe(bytes);
  return undefined;
}

/** `number · factor + addend`, in place, over digits of a base; false if it has no room. */
function shiftIn(number: Uint8Array, addend: number, factor: number, base: number): boolean {
  let carry = addend;
  for (let at = number.byteLength - 1; at >= 0; at--) {
    carry += number[at] * factor;
    number[at] = carry % base;
    carry = Math.floor(carry / base);
  }
  return carry === 0;
}

function leading(bytes: Uint8Array, value: number): number {
  const first = bytes.findIndex((byte) => byte !== value);
  return first < 0 ? bytes.byteLength : first;
}
