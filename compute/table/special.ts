/**
 * Special functions as trees of arithmetic (ops.md §2, rows 34 to 38 and 47; §4, row 84). Sources: Cephes (single precision) for
 * erf and erfc, M. Giles, "Approximating the erfinv function" (2010), for erfinv, Lanczos for lgamma.
 *
 * @module
 */
import { binary, compare, constant, type Expr, isNaNOf, meaning, select, unary } from "./expression.ts";
import { exp, log, polynomial } from "./maths.ts";
import { number, sinPi, tan, withSign } from "./trigonometry.ts";

/** The error function. */
export function erf(x: Expr): Expr {
  const size = unary("abs", x);
  const far = withSign(binary("sub", number(1), tail(size)), x);
  return meaning("erf", [x], select(compare("lt", size, 1), middle(x), far));
}

/** 1 − erf x, without cancellation for what is above 1. */
export function erfc(x: Expr): Expr {
  const size = unary("abs", x);
  const far = select(compare("lt", x, 0), binary("sub", number(2), tail(size)), tail(size));
  return meaning("erfc", [x], select(compare("lt", size, 1), binary("sub", number(1), middle(x)), far));
}

/** The inverse of erf; ±∞ at ±1, NaN beyond. */
export function erfinv(x: Expr): Expr {
  const w = unary("neg", log(binary("mul", binary("sub", number(1), x), binary("add", x, 1))));
  const near = polynomial(binary("sub", w, 2.5), [
    2.81022636e-08,
    3.43273939e-07,
    -3.5233877e-06,
    -4.39150654e-06,
    0.00021858087,
    -0.00125372503,
    -0.00417768164,
    0.246640727,
    1.50140941,
  ]);
  const far = polynomial(binary("sub", unary("sqrt", w), 3), [
    -0.000200214257,
    0.000100950558,
    0.00134934322,
    -0.00367342844,
    0.00573950773,
    -0.0076224613,
    0.00943887047,
    1.00167406,
    2.83297682,
  ]);
  const y = binary("mul", select(compare("lt", w, 5), near, far), x);
  const size = unary("abs", x);
  const ends = select(compare("eq", size, 1), withSign(number(Infinity), x), y);
  return select(compare("le", size, 1), ends, NaN);
}

/** ln|Γ(x)|; ∞ at 0, −1, … */
export function lgamma(x: Expr): Expr {
  const low = compare("lt", x, 0.5);
  const z = binary("sub", select(low, binary("sub", number(1), x), x), 1);
  const t = binary("add", z, 7.5);
  const terms = [
    676.5203681218851,
    -1259.1392167224028,
    771.32342877765313,
    -176.61502916214059,
    12.507343278686905,
    -0.13857109526572012,
    9.9843695780195716e-6,
    1.5056327351493116e-7,
  ];
  const series = terms.reduce(
    (total, term, i) => binary("add", total, binary("div", number(term), binary("add", z, i + 1))),
    number(0.99999999999980993),
  );
  const whole = binary("sub", binary("mul", binary("add", z, 0.5), binary("sub", log(t), 1)), 7);
  const y = binary("add", binary("add", whole, Math.log(2 * Math.PI) / 2), log(series));
  const reflected = binary("sub", log(binary("div", number(Math.PI), unary("abs", sinPi(x)))), y);
  const pole = binary("and", compare("le", x, 0), compare("eq", x, unary("trunc", x)));
  const value = select(low, reflected, y);
  const large = binary("or", pole, compare("eq", unary("abs", x), Infinity));
  return select(large, number(Infinity), value);
}

/** The derivative of ln Γ; −∞ at 0, NaN at −1, −2, … */
export function digamma(x: Expr): Expr {
  const low = compare("lt", x, 0);
  let z = select(low, binary("sub", number(1), x), x);
  let shift = number(0);
  for (let step = 0; step < 8; step++) {
    const small = compare("lt", z, 8);
    shift = select(small, binary("sub", shift, binary("div", number(1), z)), shift);
    z = select(small, binary("add", z, 1), z);
  }
  const inverse = binary("div", number(1), z);
  const square = binary("mul", inverse, inverse);
  const p = polynomial(square, [1 / 240, -1 / 252, 1 / 120, -1 / 12]);
  const series = binary("add", binary("sub", log(z), binary("mul", inverse, 0.5)), binary("mul", square, p));
  const y = binary("add", series, shift);
  const fraction = binary("sub", x, unary("rint", x));
  const reflected = binary("sub", y, binary("div", number(Math.PI), tan(binary("mul", fraction, Math.PI))));
  const value = select(low, select(compare("eq", fraction, 0), number(NaN), reflected), y);
  return meaning("digamma", [x], select(compare("eq", x, 0), number(-Infinity), value));
}

/** The derivative of {@linkcode digamma}. */
export function trigamma(x: Expr): Expr {
  const low = compare("lt", x, 0);
  let z = select(low, binary("sub", number(1), x), x);
  let shift = number(0);
  for (let step = 0; step < 8; step++) {
    const small = compare("lt", z, 8);
    shift = select(small, binary("add", shift, binary("div", number(1), binary("mul", z, z))), shift);
    z = select(small, binary("add", z, 1), z);
  }
  const inverse = binary("div", number(1), z);
  const square = binary("mul", inverse, inverse);
  const p = polynomial(square, [-1 / 30, 1 / 42, -1 / 30, 1 / 6]);
  const series = binary(
    "mul",
    inverse,
    binary("add", binary("add", number(1), binary("mul", inverse, 0.5)), binary("mul", square, p)),
  );
  const y = binary("add", series, shift);
  // Its own pole is that of the half that is not taken.
  const turned = binary("div", number(Math.PI), sinPi(select(low, x, 0.5)));
  return select(low, binary("sub", binary("mul", turned, turned), y), y);
}

/** ∛x. */
export function cbrt(x: Expr): Expr {
  const size = unary("abs", x);
  const guess = exp(binary("mul", log(size), 1 / 3));
  const square = binary("mul", guess, guess);
  const error = binary("sub", guess, binary("div", size, square));
  const better = binary("sub", guess, binary("mul", error, 1 / 3));
  const plain = binary("or", compare("eq", size, 0), compare("eq", size, Infinity));
  return withSign(select(plain, size, better), x);
}

/** x to the power of y, in the cases of ops.md §4.2. */
export function power(x: Expr, y: Expr): Expr {
  if (x.dtype !== "f32") return wholePower(x, y);
  const size = unary("abs", x);
  const half = binary("mul", y, 0.5);
  const whole = compare("eq", y, unary("trunc", y));
  const odd = binary("and", whole, compare("ne", half, unary("trunc", half)));
  const grown = exp(binary("mul", y, log(size)));
  const below = select(whole, grown, NaN);
  const infinite = compare("eq", size, Infinity);
  const raised = select(compare("lt", x, 0), select(infinite, grown, below), grown);
  const square = binary("mul", x, x);
  const exact = [
    [0.5, unary("sqrt", x)],
    [1, x],
    [2, square],
    [3, binary("mul", square, x)],
    [-1, binary("div", number(1), x)],
    [-2, binary("div", number(1), square)],
  ] as const;
  const negative = binary("and", odd, compare("lt", x, 0));
  const signed = select(negative, unary("neg", raised), raised);
  // A power that is neither: 0 and the infinities, and −0 with an odd exponent.
  const zero = withSign(select(compare("lt", y, 0), number(Infinity), 0), select(odd, x, number(0)));
  let value = select(compare("eq", x, 0), zero, signed);
  const finite = binary("and", compare("lt", size, Infinity), compare("ne", x, 0));
  for (const [exponent, result] of exact) {
    value = select(binary("and", finite, compare("eq", y, exponent)), result, value);
  }
  // (−1) to ±∞ is 1, as C has it.
  const unit = binary("and", compare("eq", size, 1), compare("eq", unary("abs", y), Infinity));
  const one = binary("or", binary("or", compare("eq", y, 0), compare("eq", x, 1)), unit);
  return meaning("pow", [x, y], select(one, number(1), select(isNaNOf(y), y, value)));
}

/** By squaring, which wraps; a negative exponent gives 1 for 1, ±1 for −1, else 0. */
function wholePower(x: Expr, y: Expr): Expr {
  const one = constant(1, x.dtype);
  let [result, base] = [one, x];
  for (let bit = 0; bit < 32; bit++) {
    const set = compare("ne", binary("and", binary("shr", y, bit), 1), 0);
    result = select(set, binary("mul", result, base), result);
    base = binary("mul", base, base);
  }
  if (x.dtype === "u32") return result;
  const odd = compare("ne", binary("and", y, 1), 0);
  const minus = select(odd, constant(-1, "i32"), 1);
  const small = select(compare("eq", x, 1), one, select(compare("eq", x, -1), minus, 0));
  return select(compare("lt", y, 0), small, result);
}

/** erf of what lies within ±1. */
function middle(x: Expr): Expr {
  const z = binary("mul", x, x);
  const p = polynomial(z, [
    7.853861353153693e-5,
    -8.010193625184903e-4,
    5.188327685732524e-3,
    -2.685381193529856e-2,
    1.128358514861418e-1,
    -3.7612625824233e-1,
    1.12837916672671,
  ]);
  return binary("mul", x, p);
}

/** erfc of what is 1 or more. */
function tail(x: Expr): Expr {
  const q = binary("div", number(1), x);
  const y = binary("mul", q, q);
  const near = polynomial(y, [
    2.326819970068386e-2,
    -1.387039388740657e-1,
    3.687424674597105e-1,
    -5.824733027278666e-1,
    6.210004621745983e-1,
    -4.944515323274145e-1,
    3.404879937665872e-1,
    -2.741127028184656e-1,
    5.638259427386472e-1,
  ]);
  const far = polynomial(y, [
    -1.047766399936249e1,
    1.297719955372516e1,
    -7.495518717768503,
    2.921019019210786,
    -1.0152652792027,
    4.218463358204948e-1,
    -2.820767439740514e-1,
    5.641895067754075e-1,
  ]);
  const p = select(compare("lt", x, 2), near, far);
  return binary("mul", binary("mul", exp(unary("neg", binary("mul", x, x))), q), p);
}
