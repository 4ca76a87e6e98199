/**
 * Bounds of JSON text, looked at before it is parsed: what a parser makes of a short text may take a hundred times its
 * memory, and what walks the value then takes as long as it has parts (core.md §13).
 *
 * @module
 */

/** What one JSON value may have. */
export interface JsonBounds {
  /** Levels of nesting; deeper values overflow the stack of code that walks them. */
  readonly depth: number;
  /** Members and items in all. */
  readonly members: number;
}

/**
 * What of a text goes over the bounds, or nothing. The text need not be JSON: what is none is not counted wrongly enough to
 * matter, and a parser refuses it.
 */
export function boundsFault(text: string, { depth, members }: JsonBounds): string | undefined {
  // Each level and each member takes two characters at least.
  if (text.length <= 2 * Math.min(depth, members)) return undefined;
  let level = 0;
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: // "
        at = endOfString(text, at);
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++level > depth) return `nested below ${depth} levels`;
        count++;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        level--;
        break;
      case 0x2c: // ,
        if (++count > members) return `of more than ${members} members and items`;
    }
  }
  return count > members ? `of more than ${members} members and items` : undefined;
}

/** The index of the quote that ends a string. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === 0x5c) escapes++;
    if (escapes % 2 === 0) return at;
  }
  return text.length;
}
