/**
 * Types by their names, as master files and people write them (RFC 1035 §3.2, RFC 3597 §5).
 *
 * @module
 */
import { DnsSyntaxError } from "./errors.ts";
import { Type } from "./types.ts";

/** Types that are asked for, and no data of zones. */
const QUESTIONS: ReadonlySet<number> = new Set([Type.SIG, Type.OPT, Type.TSIG]);
const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(Type).filter(([, type]) => !QUESTIONS.has(type)).map(([name, type]) => [type, name]),
);
const TYPES: ReadonlyMap<string, number> = new Map([...NAMES].map(([type, name]) => [name, type]));

/** A type as text: its name, or `TYPE65280`. */
export function formatType(type: number): string {
  return NAMES.get(type) ?? `TYPE${type}`;
}

/**
 * A type from text, letters in any case.
 *
 * @throws {DnsSyntaxError} It is none.
 */
export function parseType(text: string): number {
  const upper = text.toUpperCase();
  const [, number] = /^TYPE(\d{1,5})$/.exec(upper) ?? [];
  const type = number === undefined ? TYPES.get(upper) : Number(number);
  if (type === undefined || type > 65_535) throw new DnsSyntaxError(`${JSON.stringify(text)} is no type of record`);
  return type;
}
