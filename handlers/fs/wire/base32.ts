/**
 * Base32 without padding (RFC 4648 §6), written in lower case and read in any.
 *
 * @module
 */
const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** The text of bytes. */
export function toBase32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8 | byte) & 0xfff;
    for (bits += 8; bits >= 5;) text += ALPHABET[held >> (bits -= 5) & 31];
  }
  return bits > 0 ? text + ALPHABET[held << 5 - bits & 31] : text;
}

/** The bytes of a text; nothing where it is none, or not the one text of them. */
export function fromBase32(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(text.length * 5 >> 3);
  let bits = 0;
  let held = 0;
  let length = 0;
  for (const character of text.toLowerCase()) {
    const value = ALPHABET.indexOf(character);
    if (value < 0 || character.length > 1) return undefined;
    held = (held << 5 | value) & 0xfff;
    bits += 5;
    if (bits >= 8) bytes[length++] = held >> (bits -= 8);
  }
  return bits < 5 && length === bytes.byteLength && (held & (1 << bits) - 1) === 0 ? bytes : undefined;
}
