/**
 * Running folds along a dim (ops.md §5, rows 130 to 134): by doubling steps, so that they are parallel, the same each time, and
 * rounding grows with the logarithm of the extent.
 *
 * Each function throws a `ComputeError`: `E_DIM`, `E_DTYPE`, `E_BUFFER`, `E_LIMIT`, `E_OOM`.
 *
 * @module
 */
import { binary, compare, constant, type Expr, isNaNOf, load, select, unary } from "../../table/expression.ts";
import { exp, log1p } from "../../table/maths.ts";
import { scanned } from "../../table/movement.ts";
import type { KernelOperand, Tensor } from "../../tensors/tensor.ts";
import { dimOf } from "../../values/shape.ts";
import { sub } from "../elements/broadcasting.ts";
import { checkDType, coordinate, refuse, whole, within, withinAll } from "../tools/tools.ts";
import { narrow } from "../shapes/views.ts";

/** Sums of all up to each; bool is counted in i32. */
export function cumsum(x: Tensor, dim: number): Tensor {
  return running("cumsum", x, dim, (a, b) => binary("add", a, b));
}

/** Products of all up to each; bool is multiplied in i32. */
export function cumprod(x: Tensor, dim: number): Tensor {
  return running("cumprod", x, dim, (a, b) => binary("mul", a, b));
}

/** ln of sums of eˣ of all up to each. */
export function logcumsumexp(x: Tensor, dim: number): Tensor {
  checkDType("logcumsumexp", x, "f32");
  return running("logcumsumexp", x, dim, (a, b) => {
    const most = binary("max", a, b);
    const apart = binary("sub", binary("min", a, b), most);
    const sum = binary("add", most, log1p(exp(apart)));
    return select(compare("lt", unary("abs", most), Infinity), select(compare("eq", b, -Infinity), a, sum), most);
  });
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
    const values = runner.kernel(
      op,
      x.shape,
      [base, places, along],
      (source, i, one) => load(source, binary("mul", i, one)),
    );
    return [values, places as Tensor<"i32">];
  });
}

function comparable(by: "ge" | "le", x: Expr, y: Expr): Expr {
  if (x.dtype !== "bool") return compare(by, x, y);
  const [a, b] = [x, y].map((one) => select(one, constant(1, "i32"), 0));
  return compare(by, a, b);
}

function free(tensor: Tensor): KernelOperand {
  return { tensor, layout: tensor.layout, free: true };
}
