/**
 * Views: other shapes of the same elements (ops.md §11, rows 215 to 224). None of them moves an element, but for
 * {@linkcode reshape}, {@linkcode flatten} and {@linkcode contiguousOf} where there is no other way.
 *
 * Each function throws a `ComputeError`: `E_DIM` for dims that do not exist, `E_SHAPE` for shapes that do not fit.
 *
 * @module
 */
import type { Inverse, Tensor } from "../../tensors/tensor.ts";
import type { DType } from "../../values/dtype.ts";
import {
  broadcast,
  checkShape,
  contiguous,
  dimOf,
  expand as expanded,
  isContiguous,
  type Layout,
  sizeOf,
  viewOf,
} from "../../values/shape.ts";
import { refuse, within } from "../tools/tools.ts";
import { overlapped, undiagonal, unstrided } from "./inverses.ts";

/** The same elements in another shape, which must be possible without a copy; one extent may be −1. */
export function view<D extends DType>(x: Tensor<D>, shape: readonly number[]): Tensor<D> {
  const whole = inferred("view", x, shape);
  const layout = viewOf(x.layout, whole);
  if (layout === undefined) {
    refuse("E_SHAPE", "view", `strides [${x.layout.strides}] of [${x.shape}] do not allow [${whole}]; use reshape`);
  }
  return seen(x, "view", layout, "reshape");
}

/** The same elements in another shape: a view where possible, else a copy; one extent may be −1. */
export function reshape<D extends DType>(x: Tensor<D>, shape: readonly number[]): Tensor<D> {
  const whole = inferred("reshape", x, shape);
  const layout = viewOf(x.layout, whole);
  if (layout) return seen(x, "reshape", layout, "reshape");
  return within(x, (runner) => {
    return seen(runner.copy(x) as Tensor<D>, "reshape", viewOf(contiguous(x.shape), whole)!, "reshape");
  });
}

/** Dims from one to another joined to one. */
export function flatten<D extends DType>(x: Tensor<D>, start = 0, end = -1): Tensor<D> {
  if (x.shape.length === 0) return reshape(x, [1]);
  const [first, last] = [dimOf("flatten", start, x.shape), dimOf("flatten", end, x.shape)];
  if (first > last) refuse("E_DIM", "flatten", `dim ${start} lies behind dim ${end} of [${x.shape}]`);
  const joined = sizeOf(x.shape.slice(first, last + 1));
  return reshape(x, x.shape.toSpliced(first, last - first + 1, joined));
}

/** A dim cut into several; one extent may be −1. */
export function unflatten<D extends DType>(x: Tensor<D>, dim: number, sizes: readonly number[]): Tensor<D> {
  const at = dimOf("unflatten", dim, x.shape);
  const known = sizeOf(sizes.filter((size) => size !== -1));
  const whole = sizes.map((size) => size === -1 ? x.shape[at] / known : size);
  if (sizeOf(whole) !== x.shape[at]) {
    refuse("E_SHAPE", "unflatten", `dim ${dim} of [${x.shape}] does not make [${sizes}]`);
  }
  return reshape(x, x.shape.toSpliced(at, 1, ...whole));
}

/** Dims moved to other places; the rest keep their order. */
export function movedim<D extends DType>(
  x: Tensor<D>,
  from: number | readonly number[],
  to: number | readonly number[],
): Tensor<D> {
  const sources = [from].flat().map((dim) => dimOf("movedim", dim as number, x.shape));
  const targets = [to].flat().map((dim) => dimOf("movedim", dim as number, x.shape));
  if (sources.length !== targets.length || new Set(sources).size + new Set(targets).size !== 2 * sources.length) {
    refuse("E_DIM", "movedim", `dims [${from}] of [${x.shape}] cannot be moved to [${to}]: as many, none twice`);
  }
  const rest = x.shape.map((_, dim) => dim).filter((dim) => !sources.includes(dim));
  const dims = x.shape.map((_, dim) => targets.includes(dim) ? sources[targets.indexOf(dim)] : rest.shift()!);
  return x.permute(...dims);
}

/** Dims of 1 repeated, and dims added in front; −1 keeps an extent. */
export function expand<D extends DType>(x: Tensor<D>, shape: readonly number[]): Tensor<D> {
  const lead = shape.length - x.shape.length;
  const whole = shape.map((extent, dim) => extent === -1 && dim >= lead ? x.shape[dim - lead] : extent);
  const fits = lead >= 0 && x.shape.every((extent, dim) => extent === 1 || extent === whole[dim + lead]);
  if (!fits) refuse("E_SHAPE", "expand", `shape [${x.shape}] does not expand to [${shape}]`);
  return seen(x, "expand", expanded(x.layout, checkShape("expand", whole)), "expand");
}

/** Tensors in the shape that they broadcast to. */
export function broadcastTensors(...tensors: Tensor[]): Tensor[] {
  const shape = broadcast("broadcast_tensors", tensors.map((one) => one.shape));
  return tensors.map((one) => expand(one, shape));
}

/** Without its dims of 1, or without those named that are. */
export function squeeze<D extends DType>(x: Tensor<D>, dim?: number | readonly number[]): Tensor<D> {
  const named = dim === undefined ? undefined : [dim].flat().map((one) => dimOf("squeeze", one as number, x.shape));
  const stays = x.shape.map((extent, at) => extent !== 1 || (named !== undefined && !named.includes(at)));
  const { shape, strides, offset } = x.layout;
  const kept = <T>(values: readonly T[]): T[] => values.filter((_, at) => stays[at]);
  return seen(x, "squeeze", { shape: kept(shape), strides: kept(strides), offset }, "reshape");
}

/** A dim of 1 more. */
export function unsqueeze<D extends DType>(x: Tensor<D>, dim: number): Tensor<D> {
  const at = dimOf("unsqueeze", dim, [...x.shape, 1]);
  const { shape, strides, offset } = x.layout;
  checkShape("unsqueeze", [...shape, 1]);
  const layout = { shape: shape.toSpliced(at, 0, 1), strides: strides.toSpliced(at, 0, 1), offset };
  return seen(x, "unsqueeze", layout, "reshape");
}

/** `length` elements of a dim from `start`; a negative start counts from the end. */
export function narrow<D extends DType>(x: Tensor<D>, dim: number, start: number, length: number): Tensor<D> {
  const at = dimOf("narrow", dim, x.shape);
  const extent = x.shape[at] ?? 0;
  const first = start < 0 ? start + extent : start;
  if (!Number.isInteger(first) || !Number.isInteger(length) || first < 0 || length < 0 || first + length > extent) {
    refuse("E_INDEX", "narrow", `${length} elements from ${start} are not in dim ${dim} of [${x.shape}]`);
  }
  return x.slice(at, { start: first, stop: first + length });
}

/** One place of a dim, which is left out; a negative one counts from the end. */
export function select<D extends DType>(x: Tensor<D>, dim: number, index: number): Tensor<D> {
  const at = dimOf("select", dim, x.shape);
  const extent = x.shape[at] ?? 0;
  const place = index < 0 ? index + extent : index;
  if (!Number.isInteger(place) || place < 0 || place >= extent) {
    refuse("E_INDEX", "select", `${index} is not in dim ${dim} of [${x.shape}]`);
  }
  return within(x, () => squeeze(x.slice(at, { start: place, stop: place + 1 }), at));
}

/** Any shape and strides from a place on, in elements of the tensor's own buffer. */
export function asStrided<D extends DType>(
  x: Tensor<D>,
  shape: readonly number[],
  strides: readonly number[],
  offset = 0,
): Tensor<D> {
  checkShape("as_strided", shape);
  const first = x.layout.offset + offset;
  const reach = (sign: number): number =>
    shape.reduce((sum, extent, dim) => sum + Math.max(0, sign * strides[dim]) * Math.max(0, extent - 1), 0);
  const flat = isContiguous(x.layout);
  const inside = offset - reach(-1) >= 0 && (sizeOf(shape) === 0 || offset + reach(1) < x.size);
  if (strides.length !== shape.length || !strides.every(Number.isInteger) || !flat || !inside) {
    refuse("E_SHAPE", "as_strided", `[${shape}] by [${strides}] from ${offset} does not lie in [${x.shape}]`);
  }
  const layout = { shape: [...shape], strides: [...strides], offset: first };
  const whole = x.shape;
  return seen(x, "as_strided", layout, (g) => unstrided(g, whole, strides, offset));
}

/** Windows of a dim, each `step` after the one before, in a new last dim. */
export function unfold<D extends DType>(x: Tensor<D>, dim: number, size: number, step: number): Tensor<D> {
  const at = dimOf("unfold", dim, x.shape);
  const { shape, strides, offset } = x.layout;
  if (!(size >= 0 && step > 0) || size > shape[at]) {
    refuse("E_SHAPE", "unfold", `windows of ${size} by ${step} do not lie in dim ${dim} of [${shape}]`);
  }
  const count = Math.floor((shape[at] - size) / step) + 1;
  const layout = {
    shape: [...shape.with(at, count), size],
    strides: [...strides.with(at, strides[at] * step), strides[at]],
    offset,
  };
  const dims = [{ dim: at, extent: shape[at], step, dilation: 1 }];
  return seen(x, "unfold", layout, (g) => overlapped(g, dims));
}

/** The diagonal of two dims, as a last dim. */
export function diagonal<D extends DType>(x: Tensor<D>, offset = 0, one = 0, other = 1): Tensor<D> {
  const [a, b] = [dimOf("diagonal", one, x.shape), dimOf("diagonal", other, x.shape)];
  if (a === b || x.shape.length < 2) {
    refuse("E_DIM", "diagonal", `dims ${one} and ${other} of [${x.shape}] are not two`);
  }
  const { shape, strides, offset: from } = x.layout;
  const [down, right] = [Math.max(0, -offset), Math.max(0, offset)];
  const count = Math.max(0, Math.min(shape[a] - down, shape[b] - right));
  const rest = <T>(values: readonly T[]): T[] => values.filter((_, dim) => dim !== a && dim !== b);
  const layout = {
    shape: [...rest(shape), count],
    strides: [...rest(strides), strides[a] + strides[b]],
    offset: count === 0 ? from : from + down * strides[a] + right * strides[b],
  };
  return seen(x, "diagonal", layout, (g) => undiagonal(g, shape, [a, b], [down, right]));
}

/** Dims in the opposite order of elements. */
export function flip<D extends DType>(x: Tensor<D>, dims: number | readonly number[]): Tensor<D> {
  return within(
    x,
    () => [dims].flat().reduce((y, dim) => y.slice(dim as number, { step: -1 }), seen(x, "flip", x.layout, "reshape")),
  );
}

/** A plane turned by quarters, from its first dim to its second. */
export function rot90<D extends DType>(x: Tensor<D>, turns = 1, dims: readonly [number, number] = [0, 1]): Tensor<D> {
  const [a, b] = dims;
  return within(x, () => {
    switch (((turns % 4) + 4) % 4) {
      case 1:
        return flip(x, b).transpose(a, b);
      case 2:
        return flip(x, [a, b]);
      case 3:
        return flip(x.transpose(a, b), b);
      default:
        return seen(x, "rot90", x.layout, "reshape");
    }
  });
}

/** Parts of a dim: of one size, the last one smaller, or of the sizes given. */
export function split<D extends DType>(x: Tensor<D>, size: number | readonly number[], dim = 0): Tensor<D>[] {
  const extent = x.shape[dimOf("split", dim, x.shape)] ?? 0;
  const equal = (one: number): number[] =>
    Array.from({ length: Math.max(1, Math.ceil(extent / one)) }, (_, i) => Math.min(one, extent - i * one));
  if (typeof size === "number" && !(size >= 1)) refuse("E_SHAPE", "split", `parts of ${size} are not possible`);
  const sizes = typeof size === "number" ? equal(size) : size;
  if (sizes.reduce((a, b) => a + b, 0) !== extent) {
    refuse("E_SHAPE", "split", `sizes [${sizes}] do not make dim ${dim} of [${x.shape}]`);
  }
  let start = 0;
  return sizes.map((one) => narrow(x, dim, (start += one) - one, one));
}

/** At most so many parts of a dim, of one size but for the last. */
export function chunk<D extends DType>(x: Tensor<D>, chunks: number, dim = 0): Tensor<D>[] {
  if (!(chunks >= 1)) refuse("E_SHAPE", "chunk", `${chunks} parts are not possible`);
  const extent = x.shape[dimOf("chunk", dim, x.shape)] ?? 0;
  return split(x, Math.max(1, Math.ceil(extent / chunks)), dim);
}

/** Exactly so many parts of a dim, the first ones larger by one where they are not equal, or parts that end at places. */
export function tensorSplit<D extends DType>(x: Tensor<D>, parts: number | readonly number[], dim = 0): Tensor<D>[] {
  const extent = x.shape[dimOf("tensor_split", dim, x.shape)] ?? 0;
  const even = (count: number): number[] =>
    Array.from({ length: count - 1 }, (_, i) => Math.floor(extent / count) * (i + 1) + Math.min(i + 1, extent % count));
  const ends = [...(typeof parts === "number" ? even(parts) : parts), extent];
  return ends.map((end, i) => {
    const start = i === 0 ? 0 : ends[i - 1];
    return x.slice(dim, { start, stop: Math.max(start, end) });
  });
}

/** Each place of a dim. */
export function unbind<D extends DType>(x: Tensor<D>, dim = 0): Tensor<D>[] {
  const extent = x.shape[dimOf("unbind", dim, x.shape)] ?? 0;
  return Array.from({ length: extent }, (_, index) => select(x, dim, index));
}

/** One-dim tensors as the coordinates of a grid; `xy` exchanges the first two dims. */
export function meshgrid(tensors: readonly Tensor[], indexing: "ij" | "xy" = "ij"): Tensor[] {
  if (tensors.length === 0) return [];
  const order = indexing === "xy" && tensors.length > 1 ? [1, 0, ...tensors.keys().drop(2)] : [...tensors.keys()];
  const shape = order.map((one) => tensors[one].size);
  return tensors.map((one, i) =>
    within(one, () => expand(reshape(one, shape.map((extent, dim) => order[dim] === i ? extent : 1)), shape))
  );
}

/** Elements that lie one after the other: the same ones if they do, else a copy. */
export function contiguousOf<D extends DType>(x: Tensor<D>): Tensor<D> {
  return isContiguous(x.layout) ? seen(x, "contiguous", x.layout, "reshape") : x.clone();
}

function inferred(op: string, x: Tensor, shape: readonly number[]): readonly number[] {
  const known = sizeOf(shape.filter((extent) => extent !== -1));
  const open = shape.filter((extent) => extent === -1).length;
  if (open > 0 && known === 0) refuse("E_SHAPE", op, `-1 in [${shape}] could be any extent beside a 0; name it`);
  const whole = shape.map((extent) => extent === -1 ? x.size / known : extent);
  if (open > 1 || !whole.every(Number.isInteger) || sizeOf(whole) !== x.size) {
    refuse("E_SHAPE", op, `shape [${x.shape}] of ${x.size} elements does not make [${shape}]`);
  }
  return checkShape(op, whole);
}

function seen<D extends DType>(x: Tensor<D>, op: string, layout: Layout, inverse: Inverse): Tensor<D> {
  x.storageFor(op);
  return x.runner.view(x, op, layout, inverse) as Tensor<D>;
}
