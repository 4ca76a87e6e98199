/**
 * Functions that put elements together, repeat and mask them (ops.md §6 and §10: rows 150, 151, 208 to 213).
 *
 * Each function throws a `ComputeError`: `E_SHAPE`, `E_DIM`, `E_DTYPE`, `E_BUFFER`, `E_LIMIT`, `E_OOM`.
 *
 * @module
 */
import { compare, constant, select } from "../../table/expression.ts";
import { joined, padded, type PadMode, rolled } from "../../table/movement.ts";
import type { Tensor } from "../../tensors/tensor.ts";
import { bitsOf, type DType, promote } from "../../values/dtype.ts";
import { dimOf, sizeOf } from "../../values/shape.ts";
import { coordinate, refuse, staying, whole, within } from "../tools/tools.ts";
import { diagonal, expand, flatten, flip, narrow, reshape, split, unsqueeze } from "./views.ts";

/** How {@linkcode pad} fills. */
export interface PadOptions {
  /** What lies beyond the ends. Default `constant`. */
  readonly mode?: PadMode;
  /** The constant. Default 0. */
  readonly value?: number;
}

/** One tensor after the other along a dim; types are promoted, and empty tensors of one dim left out. */
export function cat(tensors: readonly Tensor[], dim = 0): Tensor {
  const given = tensors.filter(({ shape }) => !(shape.length === 1 && shape[0] === 0));
  const first = given[0] ?? tensors[0];
  if (first === undefined) throw new TypeError("cat needs a tensor");
  const at = dimOf("cat", dim, first.shape);
  if (first.shape.length === 0) refuse("E_SHAPE", "cat", "a tensor without dims cannot be joined; use stack");
  for (const { shape } of given) {
    const fits = shape.length === first.shape.length && shape.every((one, i) => i === at || one === first.shape[i]);
    if (!fits) refuse("E_SHAPE", "cat", `shapes [${first.shape}] and [${shape}] differ beside dim ${dim}`);
  }
  const dtype = promote("cat", tensors.map((one) => ({ dtype: one.dtype, weak: false })));
  return within(first, (runner) => {
    let parts = given.filter(({ size }) => size > 0).map((one) => one.dtype === dtype ? one : runner.cast(one, dtype));
    if (parts.length === 0) {
      const extent = given.reduce((sum, { shape }) => sum + shape[at], 0);
      return runner.kernel("cat", given.length ? first.shape.with(at, extent) : [0], [], () => constant(0, dtype));
    }
    if (parts.length === 1) return parts[0].clone();
    const extents = parts.map(({ shape }) => shape[at]);
    return runner.withGradient(
      "cat",
      parts,
      () => {
        while (parts.length > 1) {
          const next: Tensor[] = [];
          for (let i = 0; i < parts.length; i += 2) {
            next.push(i + 1 < parts.length ? pair(parts[i], parts[i + 1], at) : parts[i]);
          }
          parts = next;
        }
        return parts[0];
      },
      [],
      (g) => split(g, extents, at),
    );
  });
}

/** Tensors of one shape along a new dim. */
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  const [first] = tensors;
  for (const { shape } of tensors) {
    if (`${shape}` !== `${first.shape}`) refuse("E_SHAPE", "stack", `shapes [${first.shape}] and [${shape}] differ`);
  }
  return within(first, () => cat(tensors.map((one) => unsqueeze(one, dim)), dim));
}

/** Side by side: along the second dim, or the first of tensors of one dim. */
export function hstack(tensors: readonly Tensor[]): Tensor {
  return within(tensors[0], () => {
    const parts = tensors.map((one) => one.shape.length === 0 ? reshape(one, [1]) : one);
    return cat(parts, parts[0].shape.length === 1 ? 0 : 1);
  });
}

/** One below the other. */
export function vstack(tensors: readonly Tensor[]): Tensor {
  return within(tensors[0], () => cat(tensors.map((one) => one.shape.length < 2 ? reshape(one, [1, one.size]) : one)));
}

/** One behind the other. */
export function dstack(tensors: readonly Tensor[]): Tensor {
  return within(tensors[0], () => {
    const deep = (one: Tensor): Tensor => {
      const flat = one.shape.length < 2 ? reshape(one, [1, one.size]) : one;
      return flat.shape.length < 3 ? unsqueeze(flat, -1) : flat;
    };
    return cat(tensors.map(deep), 2);
  });
}

/**
 * More elements at the ends of dims, or fewer.
 *
 * @param sizes Before and after the last dim, then the one before it, and so on; negative ones cut off.
 */
export function pad<D extends DType>(x: Tensor<D>, sizes: readonly number[], options: PadOptions = {}): Tensor<D> {
  const { mode = "constant", value = 0 } = options;
  if (sizes.length % 2 !== 0 || sizes.length > 2 * x.shape.length || !sizes.every(Number.isInteger)) {
    refuse("E_SHAPE", "pad", `[${sizes}] must be pairs of whole numbers for at most the dims of [${x.shape}]`);
  }
  return within(x, () => {
    let y: Tensor = x.slice(0, {});
    for (let pair = 0; 2 * pair < sizes.length; pair++) {
      const [before, after] = sizes.slice(2 * pair, 2 * pair + 2);
      if (before !== 0 || after !== 0) y = padDim(y, x.shape.length - 1 - pair, before, after, mode, value);
    }
    return y as Tensor<D>;
  });
}

/** Elements moved along dims; what leaves at one end comes in at the other. Without dims, all as one row. */
export function roll<D extends DType>(
  x: Tensor<D>,
  shifts: number | readonly number[],
  dims?: number | readonly number[],
): Tensor<D> {
  const by = [shifts].flat() as number[];
  if (x.size === 0) return x.clone();
  return within(x, (runner) => {
    if (dims === undefined) return reshape(roll(flatten(x), shifts, 0), x.shape);
    const along = [dims].flat() as number[];
    if (along.length !== by.length) refuse("E_SHAPE", "roll", `shifts [${by}] and dims [${along}] are not as many`);
    return along.reduce((y: Tensor, dim, i) => {
      const at = dimOf("roll", dim, y.shape);
      const extent = y.shape[at];
      const shift = ((by[i] % extent) + extent) % extent;
      const free = { tensor: y, layout: y.layout, free: true };
      const operands = [free, coordinate(y.shape, at), whole(shift), whole(extent), whole(y.layout.strides[at])];
      const run = () => runner.kernel("roll", y.shape, operands, rolled);
      return runner.withGradient("roll", [y], run, [], (g) => [roll(g, -shift, at)]);
    }, x) as Tensor<D>;
  });
}

/** The whole so many times along each dim; counts for more dims than there are add dims in front. */
export function repeat<D extends DType>(x: Tensor<D>, counts: readonly number[]): Tensor<D> {
  const lead = counts.length - x.shape.length;
  if (lead < 0 || !counts.every((count) => Number.isInteger(count) && count >= 0)) {
    refuse("E_SHAPE", "repeat", `[${counts}] must be a count for each dim of [${x.shape}]`);
  }
  return within(x, (runner) => {
    const shape = [...new Array(lead).fill(1), ...x.shape] as number[];
    const result = shape.map((extent, dim) => extent * counts[dim]);
    // Two dims in place of each, joined where one of them is 1, so that eight dims can be repeated too.
    let y: Tensor = reshape(x, shape);
    counts.forEach((count, dim) => {
      if (count === 1) return;
      const [outer, inner] = [y.shape.slice(0, dim), y.shape.slice(dim)];
      const flat = reshape(y, [sizeOf(outer), 1, sizeOf(inner)]);
      const copy = runner.copy(expand(flat, [sizeOf(outer), count, sizeOf(inner)]));
      y = reshape(copy, [...outer, inner[0] * count, ...inner.slice(1)]);
    });
    return (counts.every((count) => count === 1) ? x.clone() : reshape(y, result)) as Tensor<D>;
  });
}

/** As {@linkcode repeat}, with counts of 1 in front where there are fewer counts than dims. */
export function tile<D extends DType>(x: Tensor<D>, counts: readonly number[]): Tensor<D> {
  const missing = Math.max(0, x.shape.length - counts.length);
  return repeat(x, [...new Array(missing).fill(1), ...counts]);
}

/** Each element so many times in a row; without a dim, of all as one row. */
export function repeatInterleave<D extends DType>(x: Tensor<D>, count: number, dim?: number): Tensor<D> {
  if (!Number.isInteger(count) || count < 0) refuse("E_SHAPE", "repeat_interleave", `${count} is no count`);
  return within(x, () => {
    if (dim === undefined) return repeatInterleave(flatten(x), count, 0);
    const at = dimOf("repeat_interleave", dim, x.shape);
    const shape = x.shape.with(at, x.shape[at] * count);
    const layout = { shape: [sizeOf(x.shape.slice(0, at + 1)), 1, sizeOf(x.shape.slice(at + 1))] };
    const flat = reshape(x, layout.shape);
    return reshape(x.runner.copy(expand(flat, layout.shape.with(1, count))) as Tensor<D>, shape);
  });
}

/** What lies on and below a diagonal of the last two dims; the rest is 0. */
export function tril<D extends DType>(x: Tensor<D>, offset = 0): Tensor<D> {
  return triangle("tril", x, offset, "le");
}

/** What lies on and above a diagonal of the last two dims; the rest is 0. */
export function triu<D extends DType>(x: Tensor<D>, offset = 0): Tensor<D> {
  return triangle("triu", x, offset, "ge");
}

/** The last dim as a diagonal of two new last dims; the rest is 0. */
export function diagEmbed<D extends DType>(x: Tensor<D>, offset = 0): Tensor<D> {
  const extent = x.shape.at(-1);
  if (extent === undefined) refuse("E_DIM", "diag_embed", "a tensor without dims has no diagonal");
  const side = extent + Math.abs(offset);
  const shape = [...x.shape.slice(0, -1), side, side];
  return within(x, (runner) => {
    const rows = shape.length - 2;
    const widened = pad(unsqueeze(x, offset > 0 ? -1 : -2), offset > 0 ? [0, 0, 0, offset] : [0, -offset]);
    const seen = expand(widened, shape);
    const operands = [seen, coordinate(shape, rows), coordinate(shape, rows + 1), whole(offset)];
    const zero = constant(0, x.dtype);
    return runner.kernel("diag_embed", shape, operands, (value, i, j, far) => {
      return select(compare("eq", { kind: "binary", dtype: "i32", name: "sub", of: [j, i] }, far), value, zero);
    }) as Tensor<D>;
  });
}

/** A matrix with a diagonal, or the diagonal of a matrix. */
export function diag<D extends DType>(x: Tensor<D>, offset = 0): Tensor<D> {
  if (x.shape.length === 1) return diagEmbed(x, offset);
  if (x.shape.length !== 2) refuse("E_SHAPE", "diag", `shape [${x.shape}] is neither a vector nor a matrix`);
  return within(x, () => diagonal(x, offset).clone());
}

function triangle<D extends DType>(op: string, x: Tensor<D>, offset: number, side: "le" | "ge"): Tensor<D> {
  const rows = x.shape.length - 2;
  if (rows < 0) refuse("E_SHAPE", op, `shape [${x.shape}] is no matrix`);
  const operands = [x, coordinate(x.shape, rows), coordinate(x.shape, rows + 1), whole(offset)];
  return x.runner.kernel(op, x.shape, operands, (value, i, j, far) => {
    const beyond = { kind: "binary", dtype: "i32", name: "sub", of: [j, i] } as const;
    return select(compare(side, beyond, far), value, constant(0, value.dtype));
  }) as Tensor<D>;
}

function pair(x: Tensor, y: Tensor, dim: number): Tensor {
  const total = x.shape[dim] + y.shape[dim];
  const shape = x.shape.with(dim, total);
  const free = (tensor: Tensor) => ({ tensor, layout: staying(tensor.layout, dim, shape), free: true });
  const words = [x.shape[dim], total, x.layout.strides[dim], y.layout.strides[dim]].map(whole);
  return x.runner.kernel("cat", shape, [free(x), free(y), coordinate(shape, dim), ...words], joined);
}

function padDim(x: Tensor, dim: number, before: number, after: number, mode: PadMode, value: number): Tensor {
  const extent = x.shape[dim];
  const total = extent + before + after;
  const most = mode === "reflect" ? extent - 1 : mode === "circular" ? extent : Infinity;
  if (total < 0 || Math.max(before, after) > most || (mode !== "constant" && extent === 0)) {
    refuse("E_SHAPE", "pad", `${before} and ${after} do not fit dim ${dim} of [${x.shape}] by ${mode}`);
  }
  const shape = x.shape.with(dim, total);
  const filler = { value: x.dtype === "bool" ? Number(value !== 0) : value, dtype: x.dtype };
  bitsOf(value, x.dtype);
  if (x.size === 0) return x.runner.kernel("pad", shape, [filler], (one) => one);
  const free = { tensor: x, layout: staying(x.layout, dim, shape), free: true };
  const words = [extent, x.layout.strides[dim]].map(whole);
  const operands = [free, coordinate(shape, dim, 1, -before), ...words, filler];
  const run = () => x.runner.kernel("pad", shape, operands, padded(mode));
  return x.runner.withGradient("pad", [x], run, [], (g) => [unpadded(g, dim, extent, before, after, mode)]);
}

/** What padding sends back: the middle, and with it what was repeated at the ends. */
function unpadded(g: Tensor, dim: number, extent: number, before: number, after: number, mode: PadMode): Tensor {
  const plain = (part: Tensor, lead: number, trail: number): Tensor => padDim(part, dim, lead, trail, "constant", 0);
  if (mode === "constant") return plain(g, -before, -after);
  return within(g, (runner) => {
    const [first, last] = [Math.max(0, before), Math.max(0, after)];
    const middle = narrow(g, dim, first, g.shape[dim] - first - last);
    let sum = plain(middle, Math.max(0, -before), Math.max(0, -after));
    const place = (part: Tensor, start: number): void => {
      sum = runner.map("add", [sum, plain(part, start, extent - start - part.shape[dim])]);
    };
    const folded = (part: Tensor): Tensor =>
      mode === "reflect"
        ? flip(part, dim)
        : mode === "circular"
        ? part
        : runner.reduce("sum", part, { dim, keepdim: true });
    if (first > 0) {
      const start = mode === "reflect" ? 1 : mode === "circular" ? extent - first : 0;
      place(folded(narrow(g, dim, 0, first)), start);
    }
    if (last > 0) {
      const start = mode === "reflect" ? extent - 1 - last : mode === "circular" ? 0 : extent - 1;
      place(folded(narrow(g, dim, g.shape[dim] - last, last)), start);
    }
    return sum;
  });
}
