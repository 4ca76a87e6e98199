/**
 * How gradients pass views and broadcasting.
 *
 * @module
 */
import { binary, compare, constant, type Expr, load, select } from "../../table/expression.ts";
import type { Inverse, Runner, Tensor } from "../tensor.ts";

/** The sum over dims that were added or repeated. */
export function unbroadcast(g: Tensor, shape: readonly number[]): Tensor {
  const lead = g.shape.length - shape.length;
  const dims = g.shape.flatMap((extent, dim) => dim < lead || (shape[dim - lead] === 1 && extent !== 1) ? [dim] : []);
  if (dims.length === 0) return g;
  return g.runner.reduce("sum", g, { dim: dims, keepdim: true }).reshape(...shape);
}

/** The gradient of what a view was made of, whose shape is given. */
export function inverseOf(g: Tensor, shape: readonly number[], inverse: Inverse): Tensor {
  if (typeof inverse === "function") return inverse(g);
  if (inverse === "reshape") return g.reshape(...shape);
  if (inverse === "expand") return unbroadcast(g, shape);
  if ("permute" in inverse) {
    const back = inverse.permute.map((_, dim) => inverse.permute.indexOf(dim));
    return back.length === 0 ? g : g.permute(...back);
  }
  return placed(g, shape, inverse.dim, inverse.start, inverse.step);
}

/** Elements at every so many places of a dim, and 0 between. */
function placed(g: Tensor, shape: readonly number[], dim: number, start: number, step: number): Tensor {
  const { runner, layout } = g;
  const count = g.shape[dim];
  const zeros = (): Tensor => runner.kernel("slice_backward", shape, [], () => constant(0, "f32"));
  const run = (): Tensor => {
    if (g.size === 0) return zeros();
    const free = { tensor: g, layout: { ...layout, shape, strides: layout.strides.with(dim, 0) }, free: true };
    const strides = shape.map((_, one) => one === dim ? Math.sign(step) : 0);
    const place = { place: { shape, strides, offset: -start * Math.sign(step) } };
    const words = [Math.abs(step), count, layout.strides[dim]].map((value) => ({ value, dtype: "i32" as const }));
    return runner.kernel("slice_backward", shape, [free, place, ...words], spreadOf(Math.abs(step) !== 1));
  };
  return runner.withGradient("slice_backward", [g], run, [], (back) => [sliced(runner, back, dim, start, step, count)]);
}

function spreadOf(apart: boolean): (g: Expr, i: Expr, step: Expr, count: Expr, stride: Expr) => Expr {
  return (g, i, step, count, stride) => {
    const at = apart ? binary("div", i, step) : i;
    const met = binary("and", compare("ge", i, 0), compare("lt", at, count));
    const inside = apart ? binary("and", met, compare("eq", binary("rem", i, step), 0)) : met;
    return select(inside, load(g, select(inside, binary("mul", at, stride), 0)), 0);
  };
}

function sliced(runner: Runner, x: Tensor, dim: number, start: number, step: number, count: number): Tensor {
  const { shape, strides, offset } = x.layout;
  const layout = {
    shape: shape.with(dim, count),
    strides: strides.with(dim, strides[dim] * step),
    offset: count === 0 ? offset : offset + start * strides[dim],
  };
  return runner.view(x, "slice", layout, { dim, start, step });
}
