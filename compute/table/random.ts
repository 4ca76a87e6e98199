/**
 * Random numbers as trees: Philox4x32-10 (J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), counted
 * by the place of an element, so that they are the same on every target and in every order.
 *
 * @module
 */
import { binary, bitcast, compare, constant, convert, type Expr, select, unary } from "./expression.ts";
import { log } from "./maths.ts";
import { cos, number, sin } from "./trigonometry.ts";

const ROUNDS = 10;
const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const;
const WEYL = [0x9e3779b9, 0xbb67ae85] as const;

/**
 * Four words of one counter.
 *
 * @param counter Low and high word; the upper half of the counter is 0.
 * @param key The seed and the stream.
 */
export function philox(counter: readonly [Expr, Expr], key: readonly [Expr, Expr]): readonly [Expr, Expr, Expr, Expr] {
  const zero = constant(0, "u32");
  let [c0, c1, c2, c3]: [Expr, Expr, Expr, Expr] = [counter[0], counter[1], zero, zero];
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const [m0, m1] = MULTIPLIERS.map((one) => constant(one, "u32"));
    const [high0, low0] = [highOf(c0, m0), binary("mul", c0, m0)];
    const [high1, low1] = [highOf(c2, m1), binary("mul", c2, m1)];
    [c0, c1, c2, c3] = [
      binary("xor", binary("xor", high1, c1), k0),
      low1,
      binary("xor", binary("xor", high0, c3), k1),
      low0,
    ];
    k0 = binary("add", k0, WEYL[0]);
    k1 = binary("add", k1, WEYL[1]);
  }
  return [c0, c1, c2, c3];
}

/** The word of an element: four share a counter. */
export function wordOf(place: Expr, seed: Expr, stream: Expr, low: Expr, high: Expr): Expr {
  const words = philox(counterOf(binary("shr", unsigned(place), 2), low, high), [seed, stream]);
  const lane = binary("and", unsigned(place), 3);
  return select(
    compare("lt", lane, 2),
    select(compare("eq", lane, 0), words[0], words[1]),
    select(compare("eq", lane, 2), words[2], words[3]),
  );
}

/** A number from 0, which it may be, to 1, in steps of 2⁻²⁴. */
export function uniformOf(word: Expr): Expr {
  return binary("mul", convert(binary("shr", word, 8), "f32"), 2 ** -24);
}

/** A standard normal number, by Box and Muller from the words of a pair of elements. */
export function normalOf(place: Expr, seed: Expr, stream: Expr, low: Expr, high: Expr): Expr {
  const words = philox(counterOf(binary("shr", unsigned(place), 2), low, high), [seed, stream]);
  const second = compare("ge", binary("and", unsigned(place), 3), 2);
  const [a, b] = [select(second, words[2], words[0]), select(second, words[3], words[1])];
  // Above 0, so that its logarithm is finite.
  const radius = binary("mul", convert(binary("add", binary("shr", a, 8), 1), "f32"), 2 ** -24);
  const length = unary("sqrt", binary("mul", log(radius), -2));
  const angle = binary("mul", binary("sub", uniformOf(b), number(0.5)), 2 * Math.PI);
  const odd = compare("ne", binary("and", place, 1), 0);
  return binary("mul", length, select(odd, sin(angle), cos(angle)));
}

/** A whole number below `count`, of 64 random bits: what is left of bias is below 2⁻³². */
export function wholeOf(place: Expr, seed: Expr, stream: Expr, low: Expr, high: Expr, count: Expr): Expr {
  const words = philox(counterOf(binary("shr", unsigned(place), 1), low, high), [seed, stream]);
  const second = compare("ne", binary("and", unsigned(place), 1), 0);
  const [a, b] = [select(second, words[2], words[0]), select(second, words[3], words[1])];
  const below = binary("mul", a, count);
  const sum = binary("add", below, highOf(b, count));
  const carry = select(compare("lt", sum, below), constant(1, "u32"), 0);
  return binary("add", highOf(a, count), carry);
}

function counterOf(block: Expr, low: Expr, high: Expr): readonly [Expr, Expr] {
  const sum = binary("add", block, low);
  return [sum, binary("add", high, select(compare("lt", sum, low), constant(1, "u32"), 0))];
}

/** The upper 32 bits of a product, from products of halves. */
function highOf(x: Expr, y: Expr): Expr {
  const [xLow, xHigh] = [binary("and", x, 0xffff), binary("shr", x, 16)];
  const [yLow, yHigh] = [binary("and", y, 0xffff), binary("shr", y, 16)];
  const middle = binary("add", binary("mul", xHigh, yLow), binary("shr", binary("mul", xLow, yLow), 16));
  const other = binary("add", binary("mul", xLow, yHigh), binary("and", middle, 0xffff));
  const top = binary("add", binary("mul", xHigh, yHigh), binary("shr", middle, 16));
  return binary("add", top, binary("shr", other, 16));
}

function unsigned(place: Expr): Expr {
  return bitcast(place, "u32");
}
