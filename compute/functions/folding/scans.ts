/**
 * Running folds along a dim (ops.md §5, rows 130 to 134): by doubling steps, so that they are parallel, the same each time, and
 * rounding grows with the logarithm of the extent.
 *
 * Each function throws a `ComputeError`: `E_DIM`, `E_DTYPE`, `E_BUFFER`, `E_LIMIT`, `E_OOM`.
 *
 * @module
 */
import { binary, compare, constant, type Expr, isNaNOf, load, select, unary } from "../../table/expression.ts";
import { exp as power, log1p } from "../../table/maths.ts";
import { scanned } from "../../table/movement.ts";
import type { KernelOperand, Tensor } from "../../tensors/tensor.ts";
import { dimOf } from "../../values/shape.ts";
import { add, mul, sub, where } from "../elements/broadcasting.ts";
import { exp, log } from "../elements/unary.ts";
import { gather } from "../lookup/exchange.ts";
import { pad } from "../shapes/joining.ts";
import { checkDType, coordinate, refuse, whole, within, withinAll } from "../tools/tools.ts";
import { flip, narrow } from "../shapes/views.ts";

/** Sums of all up to each; bool is counted in i32. */
export function cumsum(x: Tensor, dim: number): Tensor {
  const run = (): Tensor => running("cumsum", x, dim, (a, b) => binary("add", a, b));
  return x.runner.withGradient("cumsum", [x], run, [], (g) => [backwards(g, dim)]);
}

/** Products of all up to each; bool is multiplied in i32. */
export function cumprod(x: Tensor, dim: number): Tensor {
  const run = (): Tensor => running("cumprod", x, dim, (a, b) => binary("mul", a, b));
  return x.runner.withGradient("cumprod", [x], run, [0], (g, [x]) => [productsBackwards(g, x, dim)]);
}

/** ln of sums of eˣ of all up to each. */
export function logcumsumexp(x: Tensor, dim: number): Tensor {
  checkDType("logcumsumexp", x, "f32");
  const run = (): Tensor => running("logcumsumexp", x, dim, logOfSum);
  return x.runner.withGradient("logcumsumexp", [x], run, [0, 1], (g, [x, o]) => [logsBackwards(g, x, o, dim)]);
}

function logOfSum(a: Expr, b: Expr): Expr {
  const most = binary("max", a, b);
  const apart = binary("sub", binary("min", a, b), most);
  const sum = binary("add", most, log1p(power(apart)));
  return select(compare("lt", unary("abs", most), Infinity), select(compare("eq", b, -Infinity), a, sum), most);
}

/** The largest of all up to each, and its last place; NaN stays. */
export function cummax(x: Tensor, dim: number): readonly [values: Tensor, indices: Tensor<"i32">] {
  return extremes("cummax", x, dim, "ge");
}

/** The smallest of all up to each, and its last place; NaN stays. */
export function cummin(x: Tensor, dim: number): readonly [values: Tensor, indices: Tensor<"i32">] {
  return extremes("cummin", x, dim, "le");
}

/** Differences of neighbours, `times` over. */
export function diff(x: Tensor, times = 1, dim = -1): Tensor {
  const at = dimOf("diff", dim, x.shape);
  if (x.shape.length === 0) refuse("E_DIM", "diff", "a tensor without dims has no neighbours");
  return within(x, (runner) => {
    let y = times === 0 ? x.clone() : x;
    for (let i = 0; i < times; i++) {
      const extent = Math.max(0, y.shape[at] - 1);
      const [after, before] = [narrow(y, at, Math.min(1, y.shape[at]), extent), narrow(y, at, 0, extent)];
      y = y.dtype === "bool" ? runner.map("logical_xor", [after, before]) : sub(after, before);
    }
    return y;
  });
}

function running(op: string, x: Tensor, dim: number, combine: (a: Expr, b: Expr) => Expr): Tensor {
  const at = dimOf(op, dim, x.shape);
  return within(x, (runner) => {
    let y = x.dtype === "bool" ? runner.cast(x, "i32") : x.clone();
    for (let step = 1; step < (x.shape[at] ?? 1) && x.size > 0; step *= 2) {
      const operands = [free(y), coordinate(y.shape, at), whole(step), whole(y.layout.strides[at])];
      y = runner.kernel(op, y.shape, operands, scanned(combine));
    }
    return y;
  });
}

/** Runs over places of x; values are read at the end. */
function extremes(op: string, x: Tensor, dim: number, by: "ge" | "le"): readonly [Tensor, Tensor<"i32">] {
  const at = dimOf(op, dim, x.shape);
  return withinAll(x, (runner) => {
    if (x.shape.length === 0 || x.size === 0) {
      return [x.clone(), runner.kernel(op, x.shape, [], () => constant(0, "i32")) as Tensor<"i32">];
    }
    const along = whole(x.layout.strides[at]);
    const base = { tensor: x, layout: { ...x.layout, strides: x.layout.strides.with(at, 0) }, free: true };
    let places = runner.kernel(op, x.shape, [coordinate(x.shape, at)], (i) => i);
    for (let step = 1; step < x.shape[at]; step *= 2) {
      const words = [whole(step), whole(places.layout.strides[at]), along];
      const operands = [free(places), base, coordinate(x.shape, at), ...words];
      places = runner.kernel(op, x.shape, operands, (state, source, i, back, stride, one) => {
        const later = (a: Expr, b: Expr): Expr => {
          const [p, q] = [a, b].map((place) => load(source, binary("mul", place, one)));
          const wins = comparable(by, q, p);
          if (x.dtype !== "f32") return select(wins, b, a);
          return select(isNaNOf(q), b, select(isNaNOf(p), a, select(wins, b, a)));
        };
        return scanned(later)(state, i, back, stride);
      });
    }
    return [gather(x, at, places), places as Tensor<"i32">];
  });
}

/** Sums of all from each on. */
function backwards(g: Tensor, dim: number): Tensor {
  if (g.shape.length === 0) return g;
  return flip(cumsum(flip(g, dim), dim), dim);
}

/**
 * What products send back: the product of all before an element, times Sᵢ = gᵢ + xᵢ₊₁·Sᵢ₊₁, which goes by doubling steps and
 * divides by nothing.
 */
function productsBackwards(g: Tensor, x: Tensor, dim: number): Tensor {
  if (x.shape.length === 0 || x.size === 0) return g;
  const at = dimOf("cumprod", dim, x.shape);
  const extent = x.shape[at];
  const moved = (of: Tensor, by: number, value: number): Tensor => {
    const sizes = new Array(2 * (of.shape.length - at)).fill(0);
    sizes.splice(-2, 2, Math.max(0, -by), Math.max(0, by));
    return narrow(pad(of, sizes, { value }), at, Math.max(0, by), extent);
  };
  let [sum, factor]: [Tensor, Tensor] = [g, moved(x, 1, 0)];
  for (let step = 1; step < extent; step *= 2) {
    sum = add(sum, mul(factor, moved(sum, step, 0)));
    if (2 * step < extent) factor = mul(factor, moved(factor, step, 0));
  }
  return mul(sum, moved(cumprod(x, at), -1, 1));
}

/** What logarithms of sums send back: Σ gₖ·e^(xᵢ−oₖ), the positive and the negative by themselves, without overflow. */
function logsBackwards(g: Tensor, x: Tensor, o: Tensor, dim: number): Tensor {
  if (x.shape.length === 0 || x.size === 0) return g;
  const part = (of: Tensor): Tensor => {
    const logs = where(x.runner.map("gt", [of, 0]), sub(log(of), o), -Infinity);
    const sums = flip(logcumsumexp(flip(logs, dim), dim), dim);
    return exp(add(sums, x));
  };
  return sub(part(g), part(x.runner.map("neg", [g])));
}

function comparable(by: "ge" | "le", x: Expr, y: Expr): Expr {
  if (x.dtype !== "bool") return compare(by, x, y);
  const [a, b] = [x, y].map((one) => select(one, constant(1, "i32"), 0));
  return compare(by, a, b);
}

function free(tensor: Tensor): KernelOperand {
  return { tensor, layout: tensor.layout, free: true };
}
