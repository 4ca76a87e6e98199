/**
 * Completion at the prompt: names of the guest, and members of what they lead to. No getter of the guest runs for it.
 *
 * @module
 */
import type { EvaluateOptions } from "@alknet/runtime";

/** What of a guest is asked. */
export interface AskedGuest {
  /** Runs a script. */
  evaluate(source: string, options?: EvaluateOptions): Promise<unknown>;
}

const KEYWORDS = ["async", "await", "class", "const", "delete", "else", "false", "finally", "for", "function", "if"]
  .concat(["instanceof", "let", "new", "null", "return", "switch", "this", "throw", "true", "try", "typeof"])
  .concat(["undefined", "void", "while", "yield"]);
const PATH = /(?:^|[^\w$."'\])])((?:[A-Za-z_$][\w$]*\.)*)([A-Za-z_$][\w$]*)?$/;
const MOST = 200;

/**
 * What may stand in place of the last word of a line.
 *
 * @param declared Names that were declared at the prompt.
 * @returns The completions, and the part of the line that they complete.
 */
export async function completionsOf(
  guest: AskedGuest,
  line: string,
  declared: Iterable<string>,
): Promise<[completions: string[], word: string]> {
  const [, path, word = ""] = PATH.exec(line) ?? [];
  if (path === undefined) return [[], ""];
  const steps = path.split(".").slice(0, -1);
  const script = `(() => {
    const steps = ${JSON.stringify(steps)}, names = new Set();
    let at = globalThis;
    const found = (of, key) => {
      for (let one = of; one !== null && one !== undefined; one = Object.getPrototypeOf(one)) {
        const own = Object.getOwnPropertyDescriptor(one, key);
        if (own) return own.value;
      }
    };
    ${steps.length > 0 ? `at = typeof ${steps[0]} === "undefined" ? undefined : ${steps[0]};` : ""}
    for (const step of steps.slice(1)) at = at === null || at === undefined ? undefined : found(Object(at), step);
    if (at === null || at === undefined) return [];
    for (let one = Object(at); one !== null; one = Object.getPrototypeOf(one)) {
      for (const name of Object.getOwnPropertyNames(one)) names.add(name);
    }
    return [...names].filter((name) => /^[A-Za-z_$][\\w$]*$/.test(name) && name.startsWith(${JSON.stringify(word)}));
  })()`;
  const inside = await guest.evaluate(script).catch(() => []);
  const names = Array.isArray(inside) ? inside.filter((name): name is string => typeof name === "string") : [];
  const own = steps.length === 0 ? [...KEYWORDS, ...declared].filter((name) => name.startsWith(word)) : [];
  // The guest answers for itself, so what it says is looked at again.
  const fit = [...new Set([...names, ...own])].filter((name) => /^[\w$]+$/.test(name) && name.startsWith(word));
  return [fit.sort().slice(0, MOST), word];
}
