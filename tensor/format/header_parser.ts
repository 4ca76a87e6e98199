/**
 * The text of a header to entries, and what they may claim (tensor.md §8, V5 to V17).
 *
 * @module
 */
import { byteSize, isDtype } from "./dtype.ts";
import { type Entry, METADATA, NATIVE } from "./entry.ts";
import { shown, TensorError, type TensorErrorCode, type TensorErrorPlace } from "./errors.ts";
import { MAX_NAME, MAX_RANK, type Mode, type TensorLimits } from "./limits.ts";
import { isPlain, type JsonObject, Scanner } from "./scanner.ts";
import { SmallSet } from "./small_set.ts";

/** Parses a text to its end and reports of all faults the one that the order of checks puts first. */
export class HeaderParser {
  readonly #scan: Scanner;
  readonly #dataLength: number;
  readonly #strict: boolean;
  readonly #limits: TensorLimits;
  readonly #entries = new Map<string, Entry>();
  /** Of the entry that is being read: its keys, and the numbers of a list. */
  readonly #keys = new SmallSet();
  readonly #list: number[] = [];
  #metadata: Map<string, string> | undefined;
  #native: JsonObject | undefined;
  #first: { check: number; error: TensorError } | undefined;

  constructor(
    text: string,
    dataLength: number,
    mode: Mode,
    limits: TensorLimits,
  ) {
    this.#scan = new Scanner(
      text,
      (key) => this.#fault(6, "E_DUPLICATE_KEY", `key ${shown(key)} stands twice`),
    );
    this.#dataLength = dataLength;
    this.#strict = mode === "strict";
    this.#limits = limits;
  }

  /** Reads it. */
  parse(): {
    entries: Map<string, Entry>;
    metadata?: Map<string, string>;
    native?: JsonObject;
  } {
    const scan = this.#scan;
    scan.expect("{");
    const keys = new Set<string>();
    scan.members((key) => this.#member(key, keys), keys);
    scan.end();
    if (this.#first) throw this.#first.error;
    return {
      entries: this.#entries,
      metadata: this.#metadata,
      native: this.#native,
    };
  }

  #member(key: string, keys: Set<string>): void {
    if (keys.size > this.#limits.entries + 2) {
      throw new TensorError(
        "E_LIMIT",
        `the header has more than ${this.#limits.entries} entries`,
      );
    }
    if (key === METADATA) return this.#readMetadata();
    if (key === NATIVE) return this.#readNative();
    if (
      key.length * 3 > MAX_NAME &&
      new TextEncoder().encode(key).length > MAX_NAME
    ) {
      this.#fault(7, "E_LIMIT", `a name is longer than ${MAX_NAME} bytes`, {
        tensor: key,
      });
    }
    if (this.#strict && key === "") {
      this.#fault(22, "E_STRICT", "a name is empty");
    }
    if (this.#strict && key.includes("\0")) {
      this.#fault(22, "E_STRICT", "a name holds U+0000", { tensor: key });
    }
    this.#readEntry(key);
  }

  #readMetadata(): void {
    const scan = this.#scan;
    if (!scan.take("{")) {
      const empty = scan.value(2, false) === null;
      if (!empty || this.#strict) {
        this.#fault(8, "E_METADATA", `${METADATA} is not an object of strings`);
      }
      return;
    }
    const metadata = this.#metadata = new Map<string, string>();
    scan.members((key) => {
      if (scan.peek() !== '"') {
        scan.value(3, false);
        this.#fault(8, "E_METADATA", "the value is not a string", {
          field: `${METADATA}.${key}`,
        });
        return;
      }
      const value = scan.string();
      if (value.length > this.#limits.metadataBytes) {
        const message = `the value is longer than ${this.#limits.metadataBytes} bytes`;
        this.#fault(7, "E_LIMIT", message, { field: `${METADATA}.${key}` });
      }
      metadata.set(key, value);
    }, new Set());
  }

  #readNative(): void {
    const begun = this.#scan.at;
    const value = this.#scan.value(2, true);
    if (this.#scan.at - begun > this.#limits.documentBytes) {
      this.#fault(
        7,
        "E_LIMIT",
        `the document is longer than ${this.#limits.documentBytes} bytes`,
      );
    }
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      this.#native = value;
    } else this.#fault(18, "E_DOC_JSON", `${NATIVE} is not an object`);
  }

  #readEntry(name: string): void {
    const scan = this.#scan;
    if (!scan.take("{")) {
      scan.value(2, false);
      this.#fault(9, "E_ENTRY", "the entry is not an object", { tensor: name });
      return;
    }
    this.#keys.clear();
    let dtype: string | undefined;
    let shape: number[] | undefined;
    let offsets: number[] | undefined;
    scan.members((key) => {
      if (key === "dtype") dtype = this.#readDtype(name);
      else if (key === "shape") shape = this.#integers(name, key, MAX_RANK + 1);
      else if (key === "data_offsets") offsets = this.#integers(name, key, 3);
      else {
        scan.value(3, false);
        if (this.#strict) {
          this.#fault(22, "E_STRICT", "no such member of an entry", {
            tensor: name,
            field: key,
          });
        }
      }
    }, this.#keys);
    if (
      dtype === undefined || shape === undefined || offsets === undefined ||
      offsets.length !== 2
    ) {
      const message = "the entry needs dtype, shape and data_offsets, of two numbers";
      this.#fault(9, "E_ENTRY", message, { tensor: name });
      return;
    }
    this.#check(name, dtype, shape, offsets[0], offsets[1]);
  }

  #readDtype(name: string): string | undefined {
    if (this.#scan.peek() === '"') return this.#scan.string();
    this.#scan.value(3, false);
    this.#fault(9, "E_ENTRY", "dtype is not a string", {
      tensor: name,
      field: "dtype",
    });
  }

  /** An array of integers; those beyond `most` are checked and left out. */
  #integers(name: string, field: string, most: number): number[] | undefined {
    const scan = this.#scan;
    if (!scan.take("[")) {
      scan.value(3, false);
      this.#fault(9, "E_ENTRY", `${field} is not an array of integers`, { tensor: name, field });
      return undefined;
    }
    const list = this.#list;
    let count = 0;
    if (!scan.take("]")) {
      do {
        const value = scan.integer() ?? this.#oddNumber({ tensor: name, field });
        if (value !== undefined && count < most) list[count++] = value;
      } while (scan.take(","));
      scan.expect("]");
    }
    // Of its own, and no longer than it needs to be.
    return list.slice(0, count);
  }

  /** What stands where an integer should that is not spelled plainly, or large. */
  #oddNumber(place: TensorErrorPlace): number | undefined {
    const scan = this.#scan;
    const next = scan.peek();
    if (next !== "-" && !(next >= "0" && next <= "9")) {
      scan.value(4, false);
      this.#fault(9, "E_ENTRY", `${place.field} is not an array of integers`, place);
      return undefined;
    }
    const spelling = scan.number();
    const value = Number(spelling);
    if (!isPlain(spelling)) {
      this.#fault(11, "E_NUMBER", `${shown(spelling)} is not a plain non-negative integer`, place);
    } else if (!Number.isSafeInteger(value)) {
      this.#fault(11, "E_UNSAFE_INT", `${shown(spelling)} is above 2^53 - 1`, place);
    }
    return value;
  }

  /** What one entry claims (V10 to V15). */
  #check(name: string, dtype: string, shape: number[], start: number, end: number): void {
    if (!isDtype(dtype)) {
      this.#fault(10, "E_DTYPE", `dtype ${shown(dtype)} is unknown`, { tensor: name, field: "dtype" });
      return;
    }
    if (shape.length > MAX_RANK) {
      this.#fault(12, "E_RANK", `more than ${MAX_RANK} dimensions`, { tensor: name, field: "shape" });
      return;
    }
    const size = byteSize(dtype, shape);
    if (start <= end && end <= this.#dataLength && end - start === size) {
      this.#entries.set(name, { name, dtype, shape, start, end });
      return;
    }
    const place = { tensor: name, field: "data_offsets", offsets: [start, end] as const };
    if (size === "E_OVERFLOW") {
      this.#fault(13, size, "more elements than a file can hold", { tensor: name, field: "shape" });
    } else if (size === "E_SUBBYTE") {
      this.#fault(13, size, `${dtype} elements do not fill whole bytes`, { tensor: name, field: "shape" });
    } else if (start > end) {
      this.#fault(14, "E_OFFSET_ORDER", "data_offsets run backwards", { tensor: name, offsets: place.offsets });
    } else if (end > this.#dataLength) {
      this.#fault(14, "E_OUT_OF_BOUNDS", `the data region ends at ${this.#dataLength}`, place);
    } else this.#fault(15, "E_SIZE_MISMATCH", `dtype and shape take ${size} bytes`, place);
  }

  /** Notes a fault if none noted stands before it in the order of checks. */
  #fault(
    check: number,
    code: TensorErrorCode,
    message: string,
    place?: TensorErrorPlace,
  ): void {
    if (this.#first && this.#first.check <= check) return;
    this.#first = { check, error: new TensorError(code, message, place) };
  }
}

/** Entries in the order of their offsets; neither holes nor overlaps, and nothing after the last (V16, V17). */
export function inOrder(
  entries: ReadonlyMap<string, Entry>,
  dataLength: number,
): Entry[] {
  const ordered = [...entries.values()];
  if (!areInOrder(ordered)) ordered.sort((a, b) => a.start - b.start || a.end - b.end);
  let at = 0;
  for (const { name: tensor, start, end } of ordered) {
    if (start !== at) {
      const place = { tensor, field: "data_offsets", offsets: [start, end] as const };
      throw new TensorError(start < at ? "E_OVERLAP" : "E_HOLE", `the range before it ends at ${at}`, place);
    }
    at = end;
  }
  if (at !== dataLength) {
    throw new TensorError(
      "E_TRAILING",
      `${dataLength - at} bytes follow the last tensor, which ends at ${at}`,
    );
  }
  return ordered;
}

/** Whether they stand so already, as they do in most files. */
function areInOrder(entries: readonly Entry[]): boolean {
  for (let i = 1; i < entries.length; i++) {
    const before = entries[i - 1];
    const after = entries[i];
    if (after.start < before.start || (after.start === before.start && after.end < before.end)) return false;
  }
  return true;
}
