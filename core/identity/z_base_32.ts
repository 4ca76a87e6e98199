/**
 * z-base-32, the form in which people see a node's key: lower case, no padding, nothing that is easily confused.
 *
 * Five bits a character, most significant first; bits that are left over in the last character are zero.
 *
 * @module
 */

const ALPHABET = "ybndrfg8ejkmcpqxot1uwisza345h769";
const VALUES: ReadonlyMap<string, number> = new Map([...ALPHABET].map((character, value) => [character, value]));

/** The z-base-32 form of some bytes. */
export function encodeZBase32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8 | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[held >> bits & 31];
    }
  }
  return bits > 0 ? text + ALPHABET[held << (5 - bits) & 31] : text;
}

/** Why a text is not z-base-32 in its one canonical form. */
export type ZBase32Fault = { readonly at: number; readonly found: string } | "length" | "trailing bits";

/** The bytes that a text stands for, or why there are none. Each byte string has exactly one accepted text. */
export function decodeZBase32(text: string): Uint8Array<ArrayBuffer> | ZBase32Fault {
  const bytes = new Uint8Array(text.length * 5 >> 3);
  let bits = 0;
  let held = 0;
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    const value = VALUES.get(text[at]);
    if (value === undefined) return { at, found: text[at] };
    held = (held << 5 | value) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[length++] = held >> bits;
    }
  }
  if (bits >= 5) return "length";
  return (held & (1 << bits) - 1) === 0 ? bytes : "trailing bits";
}
