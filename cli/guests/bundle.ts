/**
 * A guest's source: a file, and what it imports from its folder.
 *
 * @module
 */
import { basename, dirname, join, normalize } from "node:path";

const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*["'](\.{1,2}\/[^"'\n]+)["']/g;

/** A file and what it imports from its folder and below, by names relative to that folder. */
export async function bundle(file: string): Promise<Map<string, string>> {
  const folder = dirname(file);
  const found = new Map<string, string>();
  const wanted = [basename(file)];
  for (const name of wanted) {
    if (found.has(name)) continue;
    const source = await Deno.readTextFile(join(folder, name)).catch(() => undefined);
    // What is not there is for the guest to complain of, with the line that imports it.
    if (source === undefined) continue;
    found.set(name, source);
    for (const [, specifier] of source.matchAll(IMPORT)) {
      const target = normalize(join(dirname(name), specifier));
      if (!target.startsWith("..")) wanted.push(target);
    }
  }
  return found;
}
