/**
 * Adding elements where an index leads, one after the other in their order, so that a sum is the same each time.
 *
 * @module
 */
import type { Collection } from "../device.ts";

/** Where elements lie in a memory of words, from which place on. */
export interface Words {
  /** The memory as f32. */
  readonly floats: Float32Array;
  /** The same memory as i32. */
  readonly whole: Int32Array;
  /** First word of the target, of the index and of the source. */
  readonly places: readonly [target: number, index: number, source: number];
}

/** Sums of so many places at most are kept in float64 until all is added. */
const MOST_WIDE = 1 << 20;

/** Adds; what an index leads outside of is left out. The target holds what is added to. */
export function collect({ floats, whole, places }: Words, { shape, extents, dim, index, source }: Collection): void {
  const [target, indexPlace, sourcePlace] = places;
  const size = extents.reduce((a, b) => a * b, 1);
  const sums = size <= MOST_WIDE ? Float64Array.from(floats.subarray(target, target + size)) : floats;
  const start = size <= MOST_WIDE ? 0 : target;
  const steps: number[] = new Array(extents.length);
  extents.reduceRight((step, extent, one) => (steps[one] = step) * extent, 1);
  const extent = extents[dim];
  const last = shape.length - 1;
  const row = shape[last];
  const along = steps[dim];
  // Along the dim itself the place is the index's.
  const beside = steps.map((step, one) => one === dim ? 0 : step);
  const at = new Array<number>(shape.length).fill(0);
  const rows = shape.reduce((a, b) => a * b, 1) / row;
  for (let count = 0; count < rows; count++) {
    let [i, s, o] = [indexPlace + index.offset, sourcePlace + source.offset, start];
    for (let one = 0; one < last; one++) {
      i += at[one] * index.strides[one];
      s += at[one] * source.strides[one];
      o += at[one] * beside[one];
    }
    const [indexStep, sourceStep, step] = [index.strides[last], source.strides[last], beside[last]];
    for (let element = 0; element < row; element++) {
      const place = whole[i];
      if (place >= 0 && place < extent) sums[o + place * along] += floats[s];
      i += indexStep;
      s += sourceStep;
      o += step;
    }
    for (let one = last - 1; one >= 0 && ++at[one] === shape[one]; one--) at[one] = 0;
  }
  if (sums !== floats) floats.set(sums, target);
}
