/**
 * The modules of a guest: names within its own bundle, and nothing else.
 *
 * @module
 */
import { GuestError } from "./errors.ts";
import { MOST_NAME, MOST_SOURCES } from "./limits.ts";
import { preparedSource } from "./source.ts";

/** A guest's bundle: source texts by name. A name is never given twice. */
export class ModuleMap {
  /** Source texts, types stripped, by name. */
  readonly sources: Map<string, string> = new Map();
  #characters = 0;

  /**
   * Takes a module.
   *
   * @param name As `main.ts` or `lib/sum.js`.
   * @param source Its text.
   * @throws {GuestError} `E_REFUSED`: the name is taken or unfit, or the texts are too long.
   */
  add(name: string, source: string): void {
    const canonical = canonicalName(name);
    if (canonical === undefined) {
      throw new GuestError("E_REFUSED", `module name ${JSON.stringify(name)} is not relative`);
    }
    if (this.sources.has(canonical)) throw new GuestError("E_REFUSED", `module ${canonical} is there already`);
    this.#characters += source.length;
    if (this.#characters > MOST_SOURCES) {
      throw new GuestError("E_REFUSED", `the modules have more than ${MOST_SOURCES} characters together`);
    }
    this.sources.set(canonical, preparedSource(source, canonical));
  }

  /** A module that hands on the default export of another, if it has one. */
  entry(canonical: string): string {
    const name = JSON.stringify("./" + canonical);
    const gives = /\bexport\s+default\b|\bas\s+default\b/.test(this.sources.get(canonical) ?? "");
    return gives ? `export { default } from ${name};` : `import ${name};`;
  }

  /** The canonical name of what a module imports, or nothing when it may not or is not there. */
  resolve(specifier: string, referrer: string): string | undefined {
    const relative = specifier.startsWith("./") || specifier.startsWith("../");
    const folder = referrer.includes("/") ? referrer.slice(0, referrer.lastIndexOf("/") + 1) : "";
    const name = canonicalName(relative ? folder + specifier : specifier);
    return name !== undefined && this.sources.has(name) ? name : undefined;
  }
}

/** Why a module that a guest imports cannot be had. */
export function noSuchModule(specifier: string): string {
  const relative = /^\.{0,2}\//.test(specifier);
  const shown = JSON.stringify(specifier.slice(0, MOST_NAME));
  if (relative) return `cannot import ${shown}: the guest has no such module`;
  return `cannot import ${shown}: a guest imports nothing but its own modules, as "./name.ts"`;
}

/** A name without `.` and `..`, or nothing when it leaves the bundle or could mean something else somewhere. */
function canonicalName(name: string): string | undefined {
  // deno-lint-ignore no-control-regex
  if (name.length === 0 || name.length > MOST_NAME || /[\x00-\x1f\\%:?#]/.test(name) || name.startsWith("/")) {
    return undefined;
  }
  const segments: string[] = [];
  for (const segment of name.split("/")) {
    if (segment === "..") {
      if (segments.pop() === undefined) return undefined;
    } else if (segment !== "." && segment !== "") segments.push(segment);
  }
  return segments.join("/") || undefined;
}
