/**
 * Paths as text. What is UTF-8 stands as it is; else, and where text would be taken for quoted, it stands in git's quotes
 * (git-config, `core.quotePath`).
 *
 * ```text
 * 61 c3 b6      aö
 * 61 c3         "a\303"
 * ```
 *
 * @module
 */
const ESCAPES: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, '"': 34, "\\": 92 };
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text for a path of which each byte is one character. */
export function pathText(bytes: string): string {
  if (!bytes.startsWith('"')) {
    try {
      return utf8.decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0)));
    } catch { /* It is not UTF-8. */ }
  }
  const quoted = bytes.replaceAll(/[^\x20-\x7e]|["\\]/g, (c) => {
    const code = c.charCodeAt(0);
    const letter = Object.keys(ESCAPES).find((name) => ESCAPES[name] === code);
    return `\\${letter ?? code.toString(8).padStart(3, "0")}`;
  });
  return `"${quoted}"`;
}

/** The path that text means, each byte one character; nothing where quotes hold what nobody writes. */
export function pathBytes(text: string): string | undefined {
  if (!text.startsWith('"')) {
    let bytes = "";
    for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
    return bytes;
  }
  if (!/^"(?:[^"\\]|\\[abtnvfr"\\]|\\[0-3][0-7]{2})*"$/.test(text)) return undefined;
  const inner = text.slice(1, -1).replaceAll(/\\([0-3][0-7]{2}|.)/g, (_, escape: string) => {
    return escape.length === 3 ? `\\${escape}` : `\\${ESCAPES[escape].toString(8).padStart(3, "0")}`;
  });
  let bytes = "";
  for (const byte of new TextEncoder().encode(inner)) bytes += String.fromCharCode(byte);
  return bytes.replaceAll(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
