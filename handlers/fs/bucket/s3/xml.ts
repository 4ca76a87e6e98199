/**
 * What of XML the answers of S3 are made of: elements by their names, and their text. Nothing is expanded but characters.
 *
 * @module
 */

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** What stands in each element of a name, none of which holds another of that name. */
export function elements(xml: string, name: string): string[] {
  const found: string[] = [];
  const [begin, end] = [`<${name}>`, `</${name}>`];
  for (let at = xml.indexOf(begin); at >= 0;) {
    const to = xml.indexOf(end, at);
    if (to < 0) break;
    found.push(xml.slice(at + begin.length, to));
    at = xml.indexOf(begin, to);
  }
  return found;
}

/** The text of the first element of a name; nothing where there is none. */
export function textIn(xml: string, name: string): string | undefined {
  return elements(xml, name)[0]?.replace(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(\w{2,4}));/g, (all, ten, hex, word) => {
    if (word !== undefined) return ENTITIES[word] ?? all;
    const code = ten === undefined ? parseInt(hex, 16) : Number(ten);
    return code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}

/** Text as it may stand in an element. */
export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}
