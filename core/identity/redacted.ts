/**
 * Objects with secrets that can be printed without harm.
 *
 * @module
 */

/** What stands where a secret would. */
export const REDACTED = "[redacted]";

/**
 * Makes instances of a class print a summary in `JSON.stringify`, `console.log`, `Deno.inspect` and Node's `util.inspect`.
 * `summary` holds nothing secret.
 */
export function redact<T extends object>(prototype: T, summary: (instance: T) => string): void {
  const print = function (this: T): string {
    return summary(this);
  };
  // The two inspectors find their hook under a symbol; as declared members these would have no type that can be published.
  for (const name of ["toJSON", Symbol.for("Deno.customInspect"), Symbol.for("nodejs.util.inspect.custom")]) {
    Object.defineProperty(prototype, name, { value: print, configurable: true });
  }
}
