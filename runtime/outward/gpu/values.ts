/**
 * Values of a guest that asks for something of the GPU: what cannot be is refused before a device hears of it.
 *
 * @module
 */
import { GpuError } from "../../device/errors.ts";

/** Source of a shader, in characters. */
const MOST_SOURCE = 65_536;
/** Brackets open at once: compilers recurse. */
const MOST_NESTING = 100;
/** Workgroups of a dispatch. */
const MOST_GROUPS = 65_536;
/** Workgroups along a side of a dispatch (WebGPU). */
const MOST_SIDE = 65_535;

/** An error of a value that cannot be. */
export function refused(message: string): GpuError {
  return new GpuError("GPU_REFUSED", message);
}

/** The source of a shader. @throws {GpuError} `GPU_REFUSED`, `GPU_LIMIT`. */
export function checkedSource(source: unknown): string {
  if (typeof source !== "string") throw refused("a shader is text in WGSL");
  if (source.length > MOST_SOURCE) throw new GpuError("GPU_LIMIT", `a shader has at most ${MOST_SOURCE} characters`);
  let open = 0;
  for (const character of source) {
    if ("([{".includes(character)) open++;
    else if (")]}".includes(character)) open--;
    if (open > MOST_NESTING) throw new GpuError("GPU_LIMIT", `at most ${MOST_NESTING} brackets may be open at once`);
  }
  return source;
}

/** The name of a shader's function. @throws {GpuError} `GPU_REFUSED`. */
export function checkedEntry(entry: unknown): string {
  if (typeof entry !== "string" || !/^\w{1,64}$/.test(entry)) {
    throw refused("an entry is a name of at most 64 characters");
  }
  return entry;
}

/** Bytes. @throws {GpuError} `GPU_REFUSED`. */
export function checkedBytes(data: unknown): Uint8Array<ArrayBuffer> {
  if (!(data instanceof Uint8Array)) throw refused("data are bytes");
  return data as Uint8Array<ArrayBuffer>;
}

/** Workgroups along each side. @throws {GpuError} `GPU_REFUSED`, `GPU_LIMIT`. */
export function checkedGrid(grid: unknown): readonly number[] {
  const sides = Array.isArray(grid) ? grid : [grid];
  if (sides.length < 1 || sides.length > 3 || !sides.every(isCount)) throw refused("a grid is 1 to 3 whole numbers");
  if (sides.reduce((a, b) => a * b, 1) > MOST_GROUPS || Math.max(...sides) > MOST_SIDE) {
    throw new GpuError("GPU_LIMIT", `a grid has at most ${MOST_GROUPS} workgroups, ${MOST_SIDE} along a side`);
  }
  return sides;
}

/** A part of a buffer; without a length the rest of it. @throws {GpuError} `GPU_REFUSED`. */
export function checkedRange(
  offset: unknown,
  length: unknown,
  bytes: number,
): { readonly offset: number; readonly length: number } {
  if (length === undefined && isCount(offset) && offset <= bytes) length = bytes - offset;
  if (!isCount(offset) || !isCount(length) || offset % 4 !== 0 || length % 4 !== 0) {
    throw refused("offset and length are whole multiples of 4");
  }
  if (offset + length > bytes) throw refused(`the buffer ends at ${bytes}`);
  return { offset, length };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
