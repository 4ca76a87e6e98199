/**
 * What views of windows, diagonals and strides send back (ops.md §11): sums where elements were seen more than once.
 *
 * @module
 */
import { binary, compare, constant, type Expr, load, select } from "../../table/expression.ts";
import type { KernelOperand, Tensor } from "../../tensors/tensor.ts";
import { sizeOf } from "../../values/shape.ts";
import { coordinate, whole, within } from "../tools/tools.ts";

/** A dim that was seen in windows. */
export interface WindowedDim {
  /** Which. */
  readonly dim: number;
  /** Its extent. */
  readonly extent: number;
  /** From window to window. */
  readonly step: number;
  /** From element to element of a window. */
  readonly dilation: number;
}

/** Elements of a window that one kernel sums. */
const AT_A_TIME = 32;

/**
 * The sum of windows at their places. Each element looks for the windows that hold it, so nothing is written twice.
 *
 * @param g The dims with a place of a window for each of those that were seen, and behind them the elements of windows.
 */
export function overlapped(g: Tensor, dims: readonly WindowedDim[]): Tensor {
  const rank = g.shape.length - dims.length;
  const shape = g.shape.slice(0, rank).map((extent, dim) => dims.find((one) => one.dim === dim)?.extent ?? extent);
  const { runner } = g;
  const kernel = g.shape.slice(rank);
  const seen = g.shape;
  const zeros = (): Tensor => runner.kernel("windows_backward", shape, [], () => constant(0, "f32"));
  const run = (): Tensor => {
    if (g.size === 0) return zeros();
    const { strides } = g.layout;
    const base = {
      shape,
      strides: strides.slice(0, rank).map((step, dim) => dims.some((one) => one.dim === dim) ? 0 : step),
      offset: g.layout.offset,
    };
    const words = dims.flatMap(({ dim }, i) => [whole(g.shape[dim]), whole(strides[dim]), whole(strides[rank + i])]);
    const places = dims.map(({ dim }) => coordinate(shape, dim));
    const operands: KernelOperand[] = [{ tensor: g, layout: base, free: true }, ...places, ...words];
    const elements = [...everyPlace(kernel)];
    let total: Tensor | undefined;
    for (let from = 0; from < elements.length; from += AT_A_TIME) {
      const some = elements.slice(from, from + AT_A_TIME);
      const part = runner.kernel("windows_backward", shape, operands, summing(some, dims));
      total = total ? runner.map("add", [total, part]) : part;
    }
    return total!;
  };
  return runner.withGradient("windows_backward", [g], run, [], (back) => {
    const { strides, offset } = back.layout;
    const layout = {
      shape: seen,
      strides: [
        ...strides.map((step, dim) => step * (dims.find((one) => one.dim === dim)?.step ?? 1)),
        ...dims.map(({ dim, dilation }) => strides[dim] * dilation),
      ],
      offset,
    };
    return [runner.view(back, "unfold", layout, (other) => overlapped(other, dims))];
  });
}

function summing(elements: readonly (readonly number[])[], dims: readonly WindowedDim[]) {
  return (g: Expr, ...rest: Expr[]): Expr => {
    const [at, words] = [rest.slice(0, dims.length), rest.slice(dims.length)];
    const parts = elements.map((element) => {
      let [inside, place]: [Expr, Expr] = [constant(1, "bool"), constant(0, "i32")];
      dims.forEach(({ step, dilation }, i) => {
        const [count, stride, elementStride] = words.slice(3 * i, 3 * i + 3);
        const from = binary("sub", at[i], element[i] * dilation);
        const window = step === 1 ? from : binary("div", from, step);
        inside = binary("and", inside, binary("and", compare("ge", from, 0), compare("lt", window, count)));
        if (step !== 1) inside = binary("and", inside, compare("eq", binary("rem", from, step), 0));
        const beyond = binary("add", binary("mul", window, stride), binary("mul", elementStride, element[i]));
        place = binary("add", place, beyond);
      });
      return select(inside, load(g, select(inside, place, 0)), 0);
    });
    return parts.reduce((sum, one) => binary("add", sum, one));
  };
}

/** Elements of a diagonal at their places, and 0 elsewhere. */
export function undiagonal(
  g: Tensor,
  shape: readonly number[],
  [a, b]: readonly [number, number],
  [down, right]: readonly [number, number],
): Tensor {
  const { runner, shape: seen } = g;
  const run = (): Tensor => {
    if (g.size === 0) return runner.kernel("diagonal_backward", shape, [], () => constant(0, "f32"));
    const own = g.layout.strides.slice(0, -1);
    const strides = shape.map((_, dim) => dim === a || dim === b ? 0 : own.shift()!);
    const free = { tensor: g, layout: { shape, strides, offset: g.layout.offset }, free: true };
    const words = [g.shape.at(-1)!, g.layout.strides.at(-1)!].map(whole);
    const operands = [free, coordinate(shape, a, 1, -down), coordinate(shape, b, 1, -right), ...words];
    return runner.kernel("diagonal_backward", shape, operands, (source, i, j, count, stride) => {
      const within = binary("and", compare("ge", i, 0), compare("lt", i, count));
      const inside = binary("and", within, compare("eq", i, j));
      return select(inside, load(source, select(inside, binary("mul", i, stride), 0)), 0);
    });
  };
  return runner.withGradient("diagonal_backward", [g], run, [], (back) => {
    const { strides, offset } = back.layout;
    const rest = strides.filter((_, dim) => dim !== a && dim !== b);
    const layout = {
      shape: seen,
      strides: [...rest, strides[a] + strides[b]],
      offset: sizeOf(seen) === 0 ? offset : offset + down * strides[a] + right * strides[b],
    };
    return [runner.view(back, "diagonal", layout, (other) => undiagonal(other, shape, [a, b], [down, right]))];
  });
}

/** The sum of elements that strides saw, a launch for each place of all dims but the longest. */
export function unstrided(g: Tensor, shape: readonly number[], strides: readonly number[], offset: number): Tensor {
  return within(g, (runner) => {
    const size = sizeOf(shape);
    let total = runner.kernel("as_strided_backward", [size], [], () => constant(0, "f32"));
    if (g.size === 0) return total.reshape(...shape);
    const longest = g.shape.length === 0 ? -1 : g.shape.indexOf(Math.max(...g.shape));
    const others = g.shape.map((extent, dim) => dim === longest ? 1 : extent);
    for (const place of everyPlace(others)) {
      const row = place.reduce(
        (part: Tensor, at, dim) => dim === longest ? part : part.slice(dim, { start: at, stop: at + 1 }),
        g,
      ).reshape(-1);
      const start = offset + place.reduce((sum, at, dim) => sum + at * strides[dim], 0);
      const step = longest < 0 ? 1 : strides[longest];
      if (step === 0) {
        total = runner.map("add", [total, spread(runner.reduce("sum", row, { keepdim: true }), size, start, 1)]);
      } else total = runner.map("add", [total, spread(row, size, start, step)]);
    }
    return total.reshape(...shape);
  });
}

/** A row at every so many places of a longer one. */
function spread(row: Tensor, size: number, start: number, step: number): Tensor {
  const { runner, size: count } = row;
  const run = (): Tensor => {
    const free = { tensor: row, layout: { ...row.layout, shape: [size], strides: [0] }, free: true };
    const place = { place: { shape: [size], strides: [Math.sign(step)], offset: -start * Math.sign(step) } };
    const operands = [free, place, whole(row.size), whole(row.layout.strides[0])];
    return runner.kernel("as_strided_backward", [size], operands, (source, i, count, stride) => {
      const at = binary("div", i, Math.abs(step));
      const met = binary("and", compare("ge", i, 0), compare("lt", at, count));
      const inside = binary("and", met, compare("eq", binary("rem", i, Math.abs(step)), 0));
      return select(inside, load(source, select(inside, binary("mul", at, stride), 0)), 0);
    });
  };
  return runner.withGradient("as_strided_backward", [row], run, [], (back) => {
    const stop = start + (count - 1) * step + Math.sign(step);
    return [back.slice(0, { start, stop: stop < 0 ? undefined : stop, step })];
  });
}

function* everyPlace(extents: readonly number[]): Iterable<number[]> {
  for (let index = 0; index < sizeOf(extents); index++) {
    let rest = index;
    const place: number[] = new Array(extents.length);
    for (let dim = extents.length - 1; dim >= 0; dim--) {
      place[dim] = rest % extents[dim];
      rest = Math.floor(rest / extents[dim]);
    }
    yield place;
  }
}
