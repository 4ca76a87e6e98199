/**
 * Trigonometric and hyperbolic functions as trees of arithmetic (ops.md §2, rows 22 to 33). The polynomials are those of Cephes
 * (single precision); arguments are reduced by three words of π/2, which is good to about 10⁴.
 *
 * @module
 */
import { binary, bitcast, compare, constant, convert, type Expr, meaning, select, unary } from "./expression.ts";
import { exp, log, log1p, polynomial } from "./maths.ts";

/** A constant of f32. */
export function number(value: number): Expr {
  return constant(value, "f32");
}

/** |x| with the sign of another. */
export function withSign(size: Expr, of: Expr): Expr {
  const sign = binary("and", bitcast(of, "u32"), 0x80000000);
  return meaning("copysign", [size, of], bitcast(binary("or", bitcast(size, "u32"), sign), "f32"));
}

/** sin x; NaN of an infinity. */
export function sin(x: Expr): Expr {
  const { sine, cosine, quadrant } = parts(x);
  return meaning("sin", [x], turned(quadrant, sine, cosine));
}

/** cos x; NaN of an infinity. */
export function cos(x: Expr): Expr {
  const { sine, cosine, quadrant } = parts(x);
  return meaning("cos", [x], turned(binary("add", quadrant, 1), sine, cosine));
}

/** tan x. */
export function tan(x: Expr): Expr {
  const { sine, cosine, quadrant } = parts(x);
  const odd = compare("ne", binary("and", quadrant, 1), 0);
  return select(odd, unary("neg", binary("div", cosine, sine)), binary("div", sine, cosine));
}

/** arcsin x; NaN beyond ±1. */
export function asin(x: Expr): Expr {
  const size = unary("abs", x);
  const far = binary("sub", number(Math.PI / 2), binary("mul", arc(halfway(size)), 2));
  return within(x, withSign(select(compare("gt", size, 0.5), far, arc(size)), x));
}

/** arccos x; NaN beyond ±1. */
export function acos(x: Expr): Expr {
  const size = unary("abs", x);
  const far = binary("mul", arc(halfway(size)), 2);
  const near = binary("sub", number(Math.PI / 2), withSign(arc(size), x));
  const below = select(compare("lt", x, -0.5), binary("sub", number(Math.PI), far), near);
  return within(x, select(compare("gt", x, 0.5), far, below));
}

/** arctan x. */
export function atan(x: Expr): Expr {
  const size = unary("abs", x);
  const large = compare("gt", size, 2.414213562373095);
  const middle = compare("gt", size, 0.4142135623730951);
  const inverse = binary("div", number(-1), size);
  const between = binary("div", binary("sub", size, 1), binary("add", size, 1));
  const reduced = select(large, inverse, select(middle, between, size));
  const start = select(large, number(Math.PI / 2), select(middle, number(Math.PI / 4), 0));
  const z = binary("mul", reduced, reduced);
  const p = polynomial(z, [8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1]);
  const y = binary("add", start, binary("add", binary("mul", binary("mul", p, z), reduced), reduced));
  return withSign(y, x);
}

/** The angle of the point (x, y), y first (row 89). */
export function atan2(y: Expr, x: Expr): Expr {
  const [height, width] = [unary("abs", y), unary("abs", x)];
  const both = binary("and", compare("eq", height, Infinity), compare("eq", width, Infinity));
  const origin = binary("and", compare("eq", height, 0), compare("eq", width, 0));
  const ratio = select(both, number(1), select(origin, number(0), binary("div", height, width)));
  const angle = atan(ratio);
  const negative = compare("lt", bitcast(x, "i32"), 0);
  return withSign(select(negative, binary("sub", number(Math.PI), angle), angle), y);
}

/** sinh x. */
export function sinh(x: Expr): Expr {
  const size = unary("abs", x);
  const z = binary("mul", x, x);
  const p = polynomial(z, [2.03721912945e-4, 8.33028376239e-3, 1.66667160211e-1]);
  const near = binary("add", binary("mul", binary("mul", p, z), x), x);
  const [half, inverse] = halves(size);
  return select(compare("lt", size, 1), near, withSign(binary("sub", half, inverse), x));
}

/** cosh x. */
export function cosh(x: Expr): Expr {
  const [half, inverse] = halves(unary("abs", x));
  return binary("add", half, inverse);
}

/** arsinh x. */
export function asinh(x: Expr): Expr {
  const size = unary("abs", x);
  const z = binary("mul", size, size);
  const root = unary("sqrt", binary("add", z, 1));
  const near = log1p(binary("add", size, binary("div", z, binary("add", root, 1))));
  const y = select(compare("gt", size, 1e4), binary("add", log(size), Math.LN2), near);
  return withSign(y, x);
}

/** arcosh x; NaN below 1. */
export function acosh(x: Expr): Expr {
  const beyond = binary("sub", x, 1);
  const root = unary("sqrt", binary("add", binary("add", beyond, beyond), binary("mul", beyond, beyond)));
  const y = select(compare("gt", x, 1e4), binary("add", log(x), Math.LN2), log1p(binary("add", beyond, root)));
  return select(compare("ge", x, 1), y, NaN);
}

/** artanh x; ±∞ at ±1, NaN beyond. */
export function atanh(x: Expr): Expr {
  const size = unary("abs", x);
  const y = binary("mul", log1p(binary("div", binary("add", size, size), binary("sub", number(1), size))), 0.5);
  return within(x, withSign(select(compare("eq", size, 1), number(Infinity), y), x));
}

/** sin(πx)/(πx), and 1 at 0 (row 39). */
export function sinc(x: Expr): Expr {
  const angle = binary("mul", x, Math.PI);
  const z = binary("mul", angle, angle);
  const near = binary("sub", number(1), binary("mul", z, 1 / 6));
  return select(compare("lt", unary("abs", x), 1e-3), near, binary("div", sinPi(x), angle));
}

/** sin(πx), exactly 0 at whole numbers. */
export function sinPi(x: Expr): Expr {
  const n = unary("rint", x);
  const y = sin(binary("mul", binary("sub", x, n), Math.PI));
  const half = binary("mul", n, 0.5);
  return select(compare("ne", unary("trunc", half), half), unary("neg", y), y);
}

/** sin and cos of what is left of x beyond n·π/2, and n modulo 4. */
function parts(x: Expr): { sine: Expr; cosine: Expr; quadrant: Expr } {
  const n = unary("rint", binary("mul", x, 2 / Math.PI));
  let r = x;
  for (const word of [1.5703125, 4.837512969970703125e-4, 7.549789948768648e-8]) {
    r = binary("sub", r, binary("mul", n, word));
  }
  const z = binary("mul", r, r);
  const s = polynomial(z, [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1]);
  const c = polynomial(z, [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2]);
  const sine = binary("add", binary("mul", binary("mul", s, z), r), r);
  const cosine = binary("add", binary("sub", binary("mul", binary("mul", c, z), z), binary("mul", z, 0.5)), 1);
  const bounded = compare("lt", unary("abs", x), Infinity);
  const keep = (value: Expr): Expr => select(bounded, value, NaN);
  return { sine: keep(sine), cosine: keep(cosine), quadrant: binary("and", convert(n, "i32"), 3) };
}

function turned(quadrant: Expr, sine: Expr, cosine: Expr): Expr {
  const y = select(compare("ne", binary("and", quadrant, 1), 0), cosine, sine);
  return select(compare("ne", binary("and", quadrant, 2), 0), unary("neg", y), y);
}

/** arcsin of what lies in 0 to ½. */
function arc(x: Expr): Expr {
  const z = binary("mul", x, x);
  const p = polynomial(z, [4.2163199048e-2, 2.4181311049e-2, 4.5470025998e-2, 7.4953002686e-2, 1.6666752422e-1]);
  return binary("add", binary("mul", binary("mul", p, z), x), x);
}

function halfway(size: Expr): Expr {
  return unary("sqrt", binary("mul", binary("sub", number(1), size), 0.5));
}

/** eˣ/2 and e⁻ˣ/2, by the root of eˣ, which is finite for longer. */
function halves(x: Expr): [Expr, Expr] {
  const root = exp(binary("mul", x, 0.5));
  const half = binary("mul", binary("mul", root, 0.5), root);
  return [half, binary("div", number(0.25), half)];
}

/** NaN beyond ±1. */
function within(x: Expr, y: Expr): Expr {
  return select(compare("le", unary("abs", x), 1), y, NaN);
}
