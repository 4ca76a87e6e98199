/**
 * Words, as master files and people write them (RFC 1035 §5.1): blanks part them, quotes keep them together.
 *
 * @module
 */
import { DnsSyntaxError } from "../errors.ts";

/** A word of a record's data; a quoted one may be empty and have blanks. */
export interface Word {
  /** Its text; `\` and `\DDD` still stand. Quotes within, as in `alpn="h2,h3"`, are gone. */
  readonly text: string;
  /** Whether it was in quotes. */
  readonly quoted: boolean;
}

/** Words out of a text: blanks part them, quotes keep them together. */
export function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"(?=\s|$)|((?!")(?:[^\s"\\]|\\.|"(?:[^"\\]|\\.)*")+)(?=\s|$))/gsuy;
  let at = 0;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    words.push(match[1] !== undefined ? { text: match[1], quoted: true } : plainWord(match[2]));
    at = pattern.lastIndex;
  }
  if (text.slice(at).trim() !== "") {
    throw new DnsSyntaxError(`${JSON.stringify(text.slice(at).trim())} is cut off, or has a quote in it`);
  }
  return words;
}

/** A word that did not begin with a quote; those within go. */
export function plainWord(text: string): Word {
  const unquoted = text.includes('"')
    ? text.replace(/\\.|"((?:[^"\\]|\\.)*)"/gsu, (all, within) => within ?? all)
    : text;
  return { text: unquoted, quoted: false };
}

/** The bytes that a word stands for: `\DDD` one, others as UTF-8. */
export function bytesOfText(text: string): Uint8Array {
  if (!text.includes("\\")) return new TextEncoder().encode(text);
  const bytes: number[] = [];
  for (const [, decimal, escaped, plain] of text.matchAll(/\\(\d{3})|\\(.)|([^\\]+)/gsu)) {
    if (decimal !== undefined) {
      if (Number(decimal) > 255) throw new DnsSyntaxError(`\\${decimal} is no byte; \\000 to \\255 are`);
      bytes.push(Number(decimal));
    } else for (const byte of new TextEncoder().encode(escaped ?? plain)) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/** Bytes in quotes. */
export function quoted(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\${String(byte).padStart(3, "0")}`;
  }
  return `"${text}"`;
}
