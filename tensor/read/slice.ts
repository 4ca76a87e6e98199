/**
 * Parts of a tensor along its dimensions: which byte runs they touch, and what shape they have.
 *
 * @module
 */
import { type Dtype, DTYPES } from "../format/dtype.ts";
import { TensorError } from "../format/errors.ts";

/**
 * One dimension of a slice: from, to (not included) and step, as in Python: negative places count from the end, what is
 * left out is the whole. A number alone takes one place and drops the dimension.
 */
export type SliceRange = number | readonly [start?: number | null, stop?: number | null, step?: number | null];

/** What a slice comes to. */
export interface SlicePlan {
  /** Extents that remain. */
  readonly shape: number[];
  /** Bytes. */
  readonly size: number;
  /** Runs. */
  readonly count: number;
  /** Visits the runs in order: offset within the tensor, and length, in bytes. */
  runs(visit: (offset: number, length: number) => void): void;
}

/** Plans a slice; dimensions beyond those named are whole. */
export function planSlice(
  name: string,
  dtype: Dtype,
  shape: readonly number[],
  ranges: readonly SliceRange[],
): SlicePlan {
  if (ranges.length > shape.length) {
    throw new RangeError(`tensor ${name} has ${shape.length} dimensions, not ${ranges.length}`);
  }
  const parts = shape.map((extent, axis) => normalized(name, extent, axis, ranges[axis] ?? []));
  const { bits } = DTYPES[dtype];
  const kept = parts.filter(({ dropped }) => !dropped).map(({ count }) => count);
  const size = parts.reduce((product, { count }) => product * count, 1) * bits / 8;
  // Trailing dimensions that are whole, and one before them that has no gaps, are one run.
  let axis = shape.length;
  let run = bits;
  while (axis > 0 && parts[axis - 1].count === shape[axis - 1] && parts[axis - 1].step === 1) run *= shape[--axis];
  const strides: number[] = new Array(shape.length);
  for (let i = shape.length - 1, stride = bits; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i];
  }
  let first = 0;
  if (axis > 0 && parts[axis - 1].step === 1) {
    axis--;
    first = parts[axis].start * strides[axis];
    run = parts[axis].count * strides[axis];
  }
  const outer = parts.slice(0, axis);
  const places = [run, first, ...outer.flatMap(({ start, step }, i) => [start * strides[i], step * strides[i]])];
  if (size > 0 && places.some((bit) => bit % 8 !== 0)) {
    throw new TensorError("E_SUBBYTE", `the slice cuts bytes that hold several ${dtype} elements`, { tensor: name });
  }
  const count = size > 0 ? outer.reduce((product, part) => product * part.count, 1) : 0;
  return { shape: kept, size, count, runs: (visit) => size > 0 && walk(outer, strides, 0, first, run, visit) };
}

interface Part {
  readonly start: number;
  readonly step: number;
  readonly count: number;
  readonly dropped: boolean;
}

function walk(
  parts: readonly Part[],
  strides: readonly number[],
  axis: number,
  bit: number,
  run: number,
  visit: (offset: number, length: number) => void,
): void {
  if (axis === parts.length) return visit(bit / 8, run / 8);
  const { start, step, count } = parts[axis];
  for (let i = 0; i < count; i++) walk(parts, strides, axis + 1, bit + (start + i * step) * strides[axis], run, visit);
}

function normalized(name: string, extent: number, axis: number, range: SliceRange): Part {
  if (typeof range === "number") {
    const start = range < 0 ? range + extent : range;
    if (!Number.isInteger(range) || start < 0 || start >= extent) {
      throw new RangeError(`tensor ${name} has places 0 to ${extent - 1} in dimension ${axis}, not ${range}`);
    }
    return { start, step: 1, count: 1, dropped: true };
  }
  const [from, to, by] = range;
  const step = by ?? 1;
  if (!Number.isInteger(step) || step < 1) throw new RangeError(`a step is a whole number from 1, not ${step}`);
  const start = clamped(from ?? 0, extent);
  const stop = clamped(to ?? extent, extent);
  return { start, step, count: Math.max(0, Math.ceil((stop - start) / step)), dropped: false };
}

function clamped(place: number, extent: number): number {
  if (!Number.isInteger(place)) throw new RangeError(`a place in a slice is a whole number, not ${place}`);
  return Math.min(extent, Math.max(0, place < 0 ? place + extent : place));
}
