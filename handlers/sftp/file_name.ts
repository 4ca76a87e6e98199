/**
 * Names of files as text. A name is bytes to POSIX and to SFTP version 3; most are UTF-8. A byte that is not stands in the
 * text as a lone surrogate, U+DC00 plus the byte (Python's "surrogateescape"), so that every name comes back as it was.
 *
 * @module
 */

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** The text of a name, whatever its bytes are. */
export function decodeName(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeByPieces(bytes);
  }
}

/**
 * The bytes of a name.
 *
 * @throws {RangeError} The text holds half of a surrogate pair that stands for no byte.
 */
export function encodeName(name: string): Uint8Array<ArrayBuffer> {
  if (name.isWellFormed()) return encoder.encode(name);
  const bytes: number[] = [];
  for (const character of name) {
    const code = character.codePointAt(0)!;
    if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00);
    else if (code >= 0xd800 && code <= 0xdfff) throw new RangeError("a name holds half of a surrogate pair");
    else bytes.push(...encoder.encode(character));
  }
  return Uint8Array.from(bytes);
}

function decodeByPieces(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = lengthOfCharacter(bytes[at]);
    try {
      text += strict.decode(bytes.subarray(at, at + length));
      at += length;
    } catch {
      text += String.fromCharCode(0xdc00 + bytes[at]);
      at++;
    }
  }
  return text;
}

/** What the first byte of a character in UTF-8 says of its length. */
function lengthOfCharacter(first: number): number {
  if (first < 0xc0) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}
