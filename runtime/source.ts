/**
 * A guest's source before the engine sees it: not too long, not too deep, and without types.
 *
 * @module
 */
import type NodeProcess from "node:process";
import { GuestError } from "./errors.ts";
import { MOST_NESTING, MOST_SOURCE } from "./limits.ts";

/** Each line costs a parse of the whole. */
const MOST_LINES_SEARCHED = 400;

/**
 * Source that the engine may parse. Types become blanks, so that lines and columns stay.
 *
 * @param source JavaScript, or TypeScript when the name ends in `.ts` or `.mts`.
 * @param file Name for messages.
 * @throws {GuestError} `E_REFUSED`: it is too long or too deep. `E_SYNTAX`: it is not TypeScript that can be stripped.
 */
export function preparedSource(source: string, file: string): string {
  if (source.length > MOST_SOURCE) {
    throw new GuestError("E_REFUSED", `${file} has ${source.length} characters; at most ${MOST_SOURCE} are parsed`);
  }
  const line = tooDeepAt(source);
  if (line !== undefined) {
    throw new GuestError("E_REFUSED", `${file}:${line}: brackets or operators nest deeper than ${MOST_NESTING}`);
  }
  return /\.m?ts$/.test(file) ? stripped(source, file) : source;
}

/** Loaded at first use: the first module of Node's doubles the time that the process of a guest takes to start. */
function stripTypes(source: string): string {
  const { process } = globalThis as unknown as { readonly process: Pick<typeof NodeProcess, "getBuiltinModule"> };
  return process.getBuiltinModule("node:module").stripTypeScriptTypes(source);
}

function stripped(source: string, file: string): string {
  try {
    return stripTypes(source);
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).replace(/^\[\w+\] /, "");
    const lines = source.split("\n");
    const at = wrongLine(lines);
    if (at < 0) throw new GuestError("E_SYNTAX", `${file}: ${why}`, { cause: error });
    const text = lines[at];
    const position = { file, line: at + 1, column: text.length - text.trimStart().length + 1, text };
    throw new GuestError("E_SYNTAX", `${file}:${position.line}:${position.column}: ${why}\n  ${text.slice(0, 200)}`, {
      cause: error,
      position,
    });
  }
}

/** The stripper does not say where. It is the first line without which the rest is right; long files are not searched. */
function wrongLine(lines: readonly string[]): number {
  if (lines.length > MOST_LINES_SEARCHED) return -1;
  return lines.findIndex((line, at) => {
    if (line.trim() === "") return false;
    try {
      stripTypes(lines.with(at, "").join("\n"));
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * The line at which a source nests too deep. It counts brackets wherever they stand, in texts too, and unary operators
 * and arrows in a row: a source that is refused wrongly is rarer than an engine that overflows.
 */
function tooDeepAt(source: string): number | undefined {
  let depth = 0;
  let row = 0;
  let line = 1;
  for (let at = 0; at < source.length; at++) {
    const char = source[at];
    if (char === "\n") line++;
    if ("([{".includes(char)) depth++;
    else if (")]}".includes(char)) depth = Math.max(0, depth - 1);
    if ("!~+-=>`".includes(char)) row++;
    else if (/[;\n,]/.test(char)) row = 0;
    if (depth > MOST_NESTING || (row > MOST_NESTING * 2 && isChain(source, at))) return line;
  }
  return undefined;
}

/** Whether the operators before a place stand close together, as in `!!!!!` and `a=>a=>a=>`. */
function isChain(source: string, at: number): boolean {
  const before = source.slice(Math.max(0, at - MOST_NESTING * 2), at);
  return (before.match(/[!~+\-=>`]/g)?.length ?? 0) > before.length / 2;
}
