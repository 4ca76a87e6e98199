/**
 * Shapes, strides and how they broadcast (ops.md §1.4).
 *
 * @module
 */
import { ComputeError } from "./errors.ts";

/** The most dims a tensor may have. */
export const MOST_DIMS = 8;
/** The most elements a tensor may have. */
export const MOST_ELEMENTS = 2 ** 32 - 1;

/** Where the elements of a tensor lie in its buffer, in elements. A stride may be 0 or negative. */
export interface Layout {
  /** Extent of each dim. */
  readonly shape: readonly number[];
  /** Distance of neighbours along each dim. */
  readonly strides: readonly number[];
  /** Place of the first element. */
  readonly offset: number;
}

/** How many elements a shape has. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, extent) => size * extent, 1);
}

/**
 * Checks a shape.
 *
 * @throws {ComputeError} `E_SHAPE` for extents that are no counts, `E_LIMIT` for too many dims or elements.
 */
export function checkShape(op: string, shape: readonly number[]): readonly number[] {
  if (!Array.isArray(shape) || shape.some((extent) => !Number.isSafeInteger(extent) || extent < 0)) {
    throw new ComputeError("E_SHAPE", op, `shape [${shape}] must be a list of whole numbers from 0`);
  }
  if (shape.length > MOST_DIMS) {
    throw new ComputeError(
      "E_LIMIT",
      op,
      `shape [${shape}] has ${shape.length} dims; at most ${MOST_DIMS} are possible`,
    );
  }
  if (sizeOf(shape) > MOST_ELEMENTS) {
    throw new ComputeError("E_LIMIT", op, `shape [${shape}] has more than ${MOST_ELEMENTS} elements`);
  }
  return [...shape];
}

/** Row-major layout from the start of a buffer. */
export function contiguous(shape: readonly number[]): Layout {
  const strides: number[] = new Array(shape.length);
  let step = 1;
  for (let dim = shape.length - 1; dim >= 0; dim--) {
    strides[dim] = step;
    step *= Math.max(1, shape[dim]);
  }
  return { shape, strides, offset: 0 };
}

/** Whether elements follow one another in row-major order, wherever the first lies. */
export function isContiguous({ shape, strides }: Layout): boolean {
  let step = 1;
  for (let dim = shape.length - 1; dim >= 0; dim--) {
    if (shape[dim] === 0) return true;
    if (shape[dim] !== 1 && strides[dim] !== step) return false;
    step *= shape[dim];
  }
  return true;
}

/**
 * The same elements, in the same order, in another shape of as many; undefined where no strides give it.
 *
 * @param shape Of as many elements.
 */
export function viewOf(layout: Layout, shape: readonly number[]): Layout | undefined {
  if (sizeOf(shape) === 0) return { ...contiguous(shape), offset: layout.offset };
  const joined = coalesce(layout.shape, [layout.strides]);
  const strides: number[] = new Array(shape.length);
  let dim = shape.length - 1;
  for (let from = joined.shape.length - 1; from >= 0; from--) {
    let [step, left] = [joined.strides[0][from], joined.shape[from]];
    while (dim >= 0 && (left > 1 || shape[dim] === 1)) {
      if (left % shape[dim] !== 0) return undefined;
      strides[dim] = step;
      step *= shape[dim];
      left /= shape[dim--];
    }
    if (left > 1) return undefined;
  }
  return { shape, strides, offset: layout.offset };
}

/**
 * A dim counted from the start.
 *
 * @throws {ComputeError} `E_DIM` outside [−rank, rank−1]; a rank-0 tensor accepts 0 and −1.
 */
export function dimOf(op: string, dim: number, shape: readonly number[]): number {
  const rank = Math.max(1, shape.length);
  if (!Number.isInteger(dim) || dim < -rank || dim >= rank) {
    throw new ComputeError("E_DIM", op, `dim ${dim} does not exist in shape [${shape}]; ${-rank} to ${rank - 1} do`);
  }
  return dim < 0 ? dim + rank : dim;
}

/**
 * The shape that operands broadcast to: trailing dims aligned, sizes equal or one of them 1.
 *
 * @throws {ComputeError} `E_SHAPE`, with all shapes and the dim in which they differ.
 */
export function broadcast(op: string, shapes: readonly (readonly number[])[]): readonly number[] {
  const rank = Math.max(...shapes.map(({ length }) => length));
  const result: number[] = new Array(rank).fill(1);
  for (const shape of shapes) {
    for (let i = 0; i < shape.length; i++) {
      const dim = rank - shape.length + i;
      if (shape[i] === result[dim] || shape[i] === 1) continue;
      if (result[dim] !== 1) {
        const all = shapes.map((one) => `[${one}]`).join(" and ");
        const dims = `${result[dim]} and ${shape[i]} in dim ${dim - rank}`;
        throw new ComputeError("E_SHAPE", op, `shapes ${all} do not broadcast: ${dims} are neither equal nor 1`);
      }
      result[dim] = shape[i];
    }
  }
  return result;
}

/** A layout seen in a larger shape that it broadcasts to: strides of 0 along the dims that repeat. */
export function expand(layout: Layout, shape: readonly number[]): Layout {
  const lead = shape.length - layout.shape.length;
  const strides = shape.map((extent, dim) => {
    const own = dim - lead;
    return own < 0 || (layout.shape[own] === 1 && extent !== 1) ? 0 : layout.strides[own];
  });
  return { shape, strides, offset: layout.offset };
}

/**
 * Several layouts of one shape with the fewest dims: dims of 1 are left out and neighbours that every layout runs
 * through as one are joined. At least one dim is left.
 */
export function coalesce(
  shape: readonly number[],
  strides: readonly (readonly number[])[],
): { readonly shape: number[]; readonly strides: number[][] } {
  const dims: number[] = [];
  const joined: number[][] = strides.map(() => []);
  for (let dim = 0; dim < shape.length; dim++) {
    if (shape[dim] === 1) continue;
    const last = dims.length - 1;
    if (last >= 0 && joined.every((own, i) => own[last] === strides[i][dim] * shape[dim])) {
      dims[last] *= shape[dim];
      joined.forEach((own, i) => own[last] = strides[i][dim]);
    } else {
      dims.push(shape[dim]);
      joined.forEach((own, i) => own.push(strides[i][dim]));
    }
  }
  if (dims.length === 0) {
    dims.push(1);
    joined.forEach((own) => own.push(0));
  }
  return { shape: dims, strides: joined };
}
