/**
 * Exponentials and logarithms as trees of arithmetic, so that each target computes the same polynomial. The polynomials are
 * those of Cephes (single precision), good to about one unit in the last place.
 *
 * @module
 */
import {
  binary,
  bitcast,
  compare,
  constant,
  convert,
  type Expr,
  isNaNOf,
  meaning,
  select,
  unary,
} from "./expression.ts";

const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.12194440e-4;

/** eˣ: overflows to ∞ from 88.7228 on. */
export function exp(x: Expr): Expr {
  const bounded = binary("min", binary("max", x, -104), 89);
  const n = unary("rint", binary("mul", bounded, Math.LOG2E));
  const r = binary("sub", binary("sub", bounded, binary("mul", n, LN2_HIGH)), binary("mul", n, LN2_LOW));
  const p = polynomial(r, [1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5]);
  const y = binary("add", binary("add", binary("mul", binary("mul", r, r), p), r), 1);
  return meaning("exp", [x], select(isNaNOf(x), x, scaled(y, n)));
}

/** 2ˣ: overflows to ∞ from 128 on. */
export function exp2(x: Expr): Expr {
  const bounded = binary("min", binary("max", x, -152), 129);
  const n = unary("rint", bounded);
  const y = scaled(exp(binary("mul", binary("sub", bounded, n), Math.LN2)), n);
  return select(isNaNOf(x), x, y);
}

/** x·2ⁿ, exactly where n is a whole number (row 92). */
export function ldexp(x: Expr, y: Expr): Expr {
  const n = binary("min", binary("max", unary("floor", y), -320), 320);
  const rest = select(compare("lt", unary("abs", y), 320), binary("sub", y, n), 0);
  const third = unary("trunc", binary("mul", n, 1 / 3));
  const twice = binary("mul", binary("mul", x, power2(third)), power2(third));
  const whole = binary("mul", twice, power2(binary("sub", n, binary("add", third, third))));
  return select(isNaNOf(y), y, binary("mul", whole, exp(binary("mul", rest, Math.LN2))));
}

/** eˣ−1 (row 17). */
export function expm1(x: Expr): Expr {
  const near = binary("mul", x, polynomial(x, [1 / 24, 1 / 6, 0.5, 1]));
  return meaning("expm1", [x], select(compare("lt", unary("abs", x), 0.02), near, binary("sub", exp(x), 1)));
}

/** ln x: 0 gives −∞, what is below it NaN. */
export function log(x: Expr): Expr {
  const tiny = compare("lt", x, 1.17549435e-38);
  const normal = select(tiny, binary("mul", x, 2 ** 24), x);
  const bits = bitcast(normal, "i32");
  const power = binary("sub", binary("shr", bits, 23), 126);
  const m = bitcast(binary("or", binary("and", bits, 0x7fffff), 0x3f000000), "f32");
  const low = compare("lt", m, Math.SQRT1_2);
  const e = binary(
    "sub",
    binary("sub", convert(power, "f32"), select(low, constant(1, "f32"), 0)),
    select(tiny, constant(24, "f32"), 0),
  );
  const f = binary("sub", select(low, binary("add", m, m), m), 1);
  const z = binary("mul", f, f);
  const p = polynomial(f, [
    7.0376836292e-2,
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
  ]);
  const tail = binary(
    "sub",
    binary("add", binary("mul", binary("mul", f, z), p), binary("mul", e, LN2_LOW)),
    binary("mul", z, 0.5),
  );
  const y = binary("add", binary("add", f, tail), binary("mul", e, LN2_HIGH));
  const beyond = select(compare("eq", x, 0), constant(-Infinity, "f32"), NaN);
  const above = select(compare("gt", x, 3.4028234663852886e38), x, y);
  return meaning("log", [x], select(compare("gt", x, 0), above, beyond));
}

/** ln(1+x) without cancellation near 0 (row 21). */
export function log1p(x: Expr): Expr {
  const u = binary("add", x, 1);
  const step = binary("sub", u, 1);
  const y = binary("div", binary("mul", log(u), x), step);
  const small = compare("eq", step, 0);
  const large = compare("gt", unary("abs", x), 1e7);
  return meaning("log1p", [x], select(small, x, select(large, log(u), y)));
}

/** 1/(1+e⁻ˣ). */
export function sigmoid(x: Expr): Expr {
  return meaning("sigmoid", [x], binary("div", constant(1, "f32"), binary("add", exp(unary("neg", x)), 1)));
}

/** tanh x: exactly ±1 beyond ±9.02. */
export function tanh(x: Expr): Expr {
  const size = unary("abs", x);
  const z = binary("mul", x, x);
  const p = polynomial(z, [
    -5.70498872745e-3,
    2.06390887954e-2,
    -5.37397155531e-2,
    1.33314422036e-1,
    -3.33332819422e-1,
  ]);
  const near = binary("add", binary("mul", binary("mul", p, z), x), x);
  const whole = constant(1, "f32");
  const far = binary("sub", whole, binary("div", constant(2, "f32"), binary("add", exp(binary("add", size, size)), 1)));
  const signed = select(compare("lt", x, 0), unary("neg", far), far);
  return meaning("tanh", [x], select(isNaNOf(x), x, select(compare("lt", size, 0.625), near, signed)));
}

/** Horner's rule, highest power first. */
export function polynomial(x: Expr, coefficients: readonly number[]): Expr {
  const [first, ...rest] = coefficients;
  return rest.reduce((sum: Expr, one) => binary("add", binary("mul", sum, x), one), constant(first, "f32"));
}

/** y·2ⁿ in two steps, so that neither factor leaves the range of f32. */
function scaled(y: Expr, n: Expr): Expr {
  const power = convert(n, "i32");
  const half = binary("shr", power, 1);
  return binary("mul", binary("mul", y, twoTo(half)), twoTo(binary("sub", power, half)));
}

function power2(n: Expr): Expr {
  return twoTo(convert(n, "i32"));
}

function twoTo(power: Expr): Expr {
  return bitcast(binary("shl", binary("add", power, 127), 23), "f32");
}
