/**
 * What a guest says and gives, for a terminal.
 *
 * @module
 */
import { note, print } from "../terminal/output.ts";

/** A guest's text without what would move a terminal's cursor. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** A value of a guest. */
export function shown(value: unknown): string {
  if (typeof value === "string") return printable(value);
  const text = Deno.inspect(value, { depth: 64, colors: false, iterableLimit: 1000 });
  return printable(text.replaceAll("[Object: null prototype] ", ""));
}

/** Prints a line of a guest's console: warnings and errors to stderr. */
export function printConsole(level: string, text: string): void {
  (level === "warning" || level === "error" ? note : print)(printable(text));
}
