/**
 * Values between host and guest: a text in JSON, and beside it the bytes that it names, which are copied as they are.
 *
 * What JSON lacks is an object whose `$` names it: `u` undefined, `f` a number (`NaN`, `-0`), `n` a bigint, `b` the bytes
 * at an index, `o` an object that itself has a member `$`. The guest's half of this is in the prelude.
 *
 * @module
 */
import { GuestError } from "./errors.ts";
import { MOST_CROSSING, MOST_DEPTH, MOST_NODES } from "./limits.ts";

/** A value on its way. */
export interface Crossing {
  /** JSON, with tags. */
  readonly text: string;
  /** The bytes that it names. */
  readonly buffers: readonly Uint8Array[];
}

/**
 * A value of the host, for a guest: null, booleans, numbers, strings, bigints, bytes, arrays, plain objects.
 *
 * @throws {GuestError} `E_CROSSING`: what cannot cross, or that it is too large.
 */
export function encodeCrossing(value: unknown): Crossing {
  const buffers: Uint8Array[] = [];
  let bytes = 0;
  let nodes = 0;
  const tagged = (value: unknown, depth: number): unknown => {
    if (++nodes > MOST_NODES) throw refusal(`it has more than ${MOST_NODES} parts`);
    if (value === undefined) return { $: "u" };
    if (typeof value === "bigint") return { $: "n", v: String(value) };
    if (typeof value === "number") {
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $: "f", v: Object.is(value, -0) ? "-0" : String(value) };
    }
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value !== "object") throw refusal(`it holds a ${typeof value}`);
    if (depth >= MOST_DEPTH) throw refusal(`it is deeper than ${MOST_DEPTH}`);
    if (value instanceof Uint8Array) {
      bytes += value.length;
      if (bytes > MOST_CROSSING) throw refusal(`its bytes are more than ${MOST_CROSSING}`);
      return { $: "b", v: buffers.push(value) - 1 };
    }
    if (Array.isArray(value)) return value.map((item) => tagged(item, depth + 1));
    const proto = Object.getPrototypeOf(value);
    if (proto !== null && proto !== Object.prototype) throw refusal("it holds an instance of a class");
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    const pairs = members.map(([key, member]): [string, unknown] => [key, tagged(member, depth + 1)]);
    return Object.hasOwn(value, "$") ? { $: "o", v: pairs } : Object.fromEntries(pairs);
  };
  const text = JSON.stringify(tagged(value, 0));
  if (text.length > MOST_CROSSING) throw refusal(`its text is longer than ${MOST_CROSSING}`);
  return { text, buffers };
}

/**
 * A value of a guest, for the host. Objects have no prototype, so that no key means anything.
 *
 * @throws {GuestError} `E_CROSSING`: it is not as the prelude writes it.
 */
export function decodeCrossing({ text, buffers }: Crossing): unknown {
  if (typeof text !== "string") throw refusal("it is no text");
  if (text.length > MOST_CROSSING) throw refusal(`its text is longer than ${MOST_CROSSING}`);
  let nodes = 0;
  const plain = (value: unknown, depth: number): unknown => {
    if (++nodes > MOST_NODES) throw refusal(`it has more than ${MOST_NODES} parts`);
    if (typeof value === "string") return value.toWellFormed();
    if (typeof value !== "object" || value === null) return value;
    // A tag is a level of the text that is none of the value.
    if (depth > MOST_DEPTH) throw refusal(`it is deeper than ${MOST_DEPTH}`);
    if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1));
    if (Object.hasOwn(value, "$")) return untagged(value as { $: unknown; v?: unknown }, depth);
    const object = Object.create(null);
    for (const [key, member] of Object.entries(value)) object[key.toWellFormed()] = plain(member, depth + 1);
    return object;
  };
  const untagged = ({ $: tag, v: value }: { $: unknown; v?: unknown }, depth: number): unknown => {
    if (tag === "u") return undefined;
    if (tag === "f" && typeof value === "string") return Number(value);
    if (tag === "n" && typeof value === "string" && /^-?\d+$/.test(value)) return BigInt(value);
    if (tag === "b" && typeof value === "number" && buffers[value] !== undefined) return buffers[value];
    if (tag !== "o" || !Array.isArray(value)) throw refusal("it has an unknown tag");
    const object = Object.create(null);
    for (const [key, member] of value) object[String(key).toWellFormed()] = plain(member, depth + 1);
    return object;
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new GuestError("E_CROSSING", "a value cannot cross: it is not JSON", { cause: error });
  }
  return plain(parsed, 0);
}

/** Characters and bytes of a value on its way. */
export function sizeOfCrossing({ text, buffers }: Crossing): number {
  return buffers.reduce((sum, { length }) => sum + length, text.length);
}

function refusal(why: string): GuestError {
  return new GuestError("E_CROSSING", `a value cannot cross between host and guest: ${why}`);
}
