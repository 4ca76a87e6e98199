/**
 * Random tensors (ops.md §13, rows 235 to 243; §8, row 170). A {@linkcode Generator} counts what was drawn; the same seed gives
 * the same numbers on the CPU and on a GPU. They are not for secrets.
 *
 * Each function throws a `ComputeError`: `E_SHAPE`, `E_VALUE`, `E_DTYPE`, `E_BUFFER`, `E_LIMIT`, `E_OOM`.
 *
 * @module
 */
import { binary, bitcast, compare, type Forward, unary } from "../../table/expression.ts";
import { log1p } from "../../table/maths.ts";
import { normalOf, uniformOf, wholeOf, wordOf } from "../../table/random.ts";
import { tan } from "../../table/trigonometry.ts";
import type { KernelOperand, Runner, Tensor } from "../../tensors/tensor.ts";
import { checkShape, contiguous, sizeOf } from "../../values/shape.ts";
import { add, div, mul, where } from "../elements/broadcasting.ts";
import { log as logarithm, neg } from "../elements/unary.ts";
import { cumsum } from "../folding/scans.ts";
import { argmax } from "../folding/statistics.ts";
import { oneHot } from "../indexing/gathering.ts";
import { topk } from "../indexing/ordering.ts";
import { argsort, searchsorted } from "../lookup/searching.ts";
import { narrow } from "../shapes/views.ts";
import { softmax } from "../layers/norms.ts";
import { checkDType, refuse, within } from "../tools/tools.ts";

/** Where random numbers come from: a seed, a stream of it, and how far it was drawn. */
export class Generator {
  /** The seed, of 32 bits. */
  readonly seed: number;
  /** Which of its streams, of 32 bits. */
  readonly stream: number;
  #drawn: number;

  /**
   * A generator at a place of its stream.
   *
   * @param seed A whole number from 0 to 2³² − 1; streams of one seed have nothing in common.
   * @param offset How many counters were drawn; {@linkcode Generator.offset} of another goes on from there.
   */
  constructor(seed: number, stream = 0, offset = 0) {
    for (const one of [seed, stream]) {
      if (!Number.isInteger(one) || one < 0 || one >= 2 ** 32) {
        throw new RangeError(`seed and stream are whole numbers from 0 to 2³² − 1, not ${one}`);
      }
    }
    if (!Number.isSafeInteger(offset) || offset < 0) throw new RangeError(`offset ${offset} is no count`);
    this.seed = seed;
    this.stream = stream;
    this.#drawn = offset;
  }

  /** How many counters were drawn, for going on later. */
  get offset(): number {
    return this.#drawn;
  }

  /** Goes to a place of its stream, for drawing the same again. */
  rewind(offset: number): void {
    if (!Number.isSafeInteger(offset) || offset < 0) throw new RangeError(`offset ${offset} is no count`);
    this.#drawn = offset;
  }

  /** The operands of a draw of so many counters. */
  draw(counters: number): KernelOperand[] {
    const at = this.#drawn;
    this.#drawn += counters;
    return [this.seed, this.stream, at % 2 ** 32, Math.floor(at / 2 ** 32)].map((value) => ({ value, dtype: "u32" }));
  }
}

/** Words of 32 random bits. */
export function randomBits(engine: Runner, shape: readonly number[], from: Generator): Tensor<"u32"> {
  return drawn("random_bits", engine, shape, from, 4, [], wordOf) as Tensor<"u32">;
}

/** Numbers from `low`, which they may be, to `high`, which they are not. */
export function rand(
  engine: Runner,
  shape: readonly number[],
  from: Generator,
  options: { low?: number; high?: number } = {},
): Tensor<"f32"> {
  const { low = 0, high = 1 } = options;
  if (!(high > low)) refuse("E_VALUE", "rand", `there is no number from ${low} to ${high}`);
  const bounds = [low, high - low, below(high)].map((value) => ({ value, dtype: "f32" as const }));
  return drawn("rand", engine, shape, from, 4, bounds, (...given) => {
    const u = uniformOf(wordOf(given[0], given[1], given[2], given[3], given[4]));
    return binary("min", binary("add", given[5], binary("mul", given[6], u)), given[7]);
  }) as Tensor<"f32">;
}

/** Normal numbers. */
export function randn(
  engine: Runner,
  shape: readonly number[],
  from: Generator,
  options: { mean?: number; std?: number } = {},
): Tensor<"f32"> {
  const { mean = 0, std = 1 } = options;
  if (!(std >= 0)) refuse("E_VALUE", "randn", `a deviation of ${std} is not possible`);
  const words = [mean, std].map((value) => ({ value, dtype: "f32" as const }));
  return drawn("randn", engine, shape, from, 4, words, (place, seed, stream, low, high, middle, spread) => {
    return binary("add", middle, binary("mul", spread, normalOf(place, seed, stream, low, high)));
  }) as Tensor<"f32">;
}

/** Whole numbers from `low` to below `high`. */
export function randint(
  engine: Runner,
  low: number,
  high: number,
  shape: readonly number[],
  from: Generator,
): Tensor<"i32"> {
  const bounds = [low, high].every((one) => Number.isInteger(one) && one >= -(2 ** 31) && one <= 2 ** 31);
  if (!bounds || high <= low) refuse("E_VALUE", "randint", `there is no i32 from ${low} to below ${high}`);
  const words: KernelOperand[] = [{ value: high - low, dtype: "u32" }, { value: low, dtype: "i32" }];
  return drawn(
    "randint",
    engine,
    shape,
    from,
    2,
    words,
    (place, seed, stream, first, second, count, least) =>
      binary("add", bitcast(wholeOf(place, seed, stream, first, second, count), "i32"), least),
  ) as Tensor<"i32">;
}

/** Whether a number drawn from 0 to 1 is below p, element by element. */
export function bernoulli(p: Tensor, from: Generator): Tensor<"f32"> {
  checkDType("bernoulli", p, "f32");
  checkRange("bernoulli", p, 0, 1);
  return within(p, (runner) => runner.cast(runner.map("lt", [rand(runner, p.shape, from), p]), "f32"));
}

/** x with a share p of its elements 0 and the others larger in return; without training, x. */
export function dropout(x: Tensor, p: number, from: Generator, options: { training?: boolean } = {}): Tensor<"f32"> {
  if (!(p >= 0 && p <= 1)) refuse("E_VALUE", "dropout", `${p} is not within 0 to 1`);
  checkDType("dropout", x, "f32");
  if (options.training === false || p === 0) return x.clone() as Tensor<"f32">;
  return within(x, (runner) => {
    const kept = runner.map("ge", [rand(runner, x.shape, from), p]);
    return where(kept, div(x, p === 1 ? 1 : 1 - p), 0) as Tensor<"f32">;
  });
}

/** Dropout of whole channels (dim 1). */
export function dropout2d(x: Tensor, p: number, from: Generator, options: { training?: boolean } = {}): Tensor<"f32"> {
  if (!(p >= 0 && p <= 1)) refuse("E_VALUE", "dropout2d", `${p} is not within 0 to 1`);
  if (options.training === false || p === 0) return x.clone() as Tensor<"f32">;
  return within(x, (runner) => {
    const shape = x.shape.map((extent, dim) => dim < 2 ? extent : 1);
    const kept = runner.map("ge", [rand(runner, shape, from), p]);
    return where(kept, div(x, p === 1 ? 1 : 1 - p), 0) as Tensor<"f32">;
  });
}

/**
 * Places of the last dim, drawn by weight; without replacement each at most once.
 *
 * @throws {ComputeError} `E_VALUE` for more places than there are, and on the CPU for weights below 0 or rows without any.
 */
export function multinomial(
  weights: Tensor,
  count: number,
  from: Generator,
  options: { replacement?: boolean } = {},
): Tensor<"i32"> {
  checkDType("multinomial", weights, "f32");
  const extent = weights.shape.at(-1) ?? 0;
  if (!(count >= 1) || (!options.replacement && count > extent)) {
    refuse("E_VALUE", "multinomial", `${count} places cannot be drawn of ${extent}`);
  }
  checkRange("multinomial", weights, 0, 3.4028234663852886e38);
  return within(weights, (runner) => {
    const total = runner.reduce("sum", weights, { dim: -1, keepdim: true });
    if (runner.device.kind === "cpu" && runner.peek(runner.reduce("all", total)) === 0) {
      refuse("E_VALUE", "multinomial", "a row has no weight above 0");
    }
    if (options.replacement) {
      const sums = cumsum(weights, -1);
      const draws = rand(runner, [...weights.shape.slice(0, -1), count], from);
      const ends = narrow(sums, -1, extent - 1, 1);
      return searchsorted(sums, mul(draws, ends), { right: true });
    }
    const race = div(exponential(runner, weights.shape, from), weights);
    return topk(race, count, { largest: false })[1];
  });
}

/** The numbers from 0 to below n in an order of chance. */
export function randperm(engine: Runner, n: number, from: Generator): Tensor<"i32"> {
  checkShape("randperm", [n]);
  return engine.scope(({ keep }) => keep(argsort(randomBits(engine, [n], from), { dim: 0 })));
}

/** Exponential numbers of a rate. */
export function exponential(engine: Runner, shape: readonly number[], from: Generator, rate = 1): Tensor<"f32"> {
  if (!(rate > 0)) refuse("E_VALUE", "exponential", `a rate of ${rate} is not possible`);
  return inverse(
    "exponential",
    engine,
    shape,
    from,
    [rate],
    (u, by) => binary("div", unary("neg", log1p(unary("neg", u))), by),
  );
}

/** Numbers of Cauchy's distribution. */
export function cauchy(
  engine: Runner,
  shape: readonly number[],
  from: Generator,
  median = 0,
  scale = 1,
): Tensor<"f32"> {
  return inverse(
    "cauchy",
    engine,
    shape,
    from,
    [median, scale],
    (u, middle, by) => binary("add", middle, binary("mul", by, tan(binary("mul", binary("sub", u, 0.5), Math.PI)))),
  );
}

/** How many trials of a chance p it takes, from 1. */
export function geometric(engine: Runner, shape: readonly number[], from: Generator, p: number): Tensor<"f32"> {
  if (!(p > 0 && p < 1)) refuse("E_VALUE", "geometric", `${p} is not between 0 and 1`);
  return inverse(
    "geometric",
    engine,
    shape,
    from,
    [Math.log1p(-p)],
    (u, by) => binary("max", unary("ceil", binary("div", log1p(unary("neg", u)), by)), 1),
  );
}

/** Numbers whose logarithms are normal. */
export function logNormal(engine: Runner, shape: readonly number[], from: Generator, mean = 1, std = 2): Tensor<"f32"> {
  return engine.scope(({ keep }) =>
    keep(engine.map("exp", [randn(engine, shape, from, { mean, std })]) as Tensor<"f32">)
  );
}

/** {@linkcode softmax} of x with noise of Gumbel's; `hard` gives 1 at the largest and 0 elsewhere. */
export function gumbelSoftmax(
  x: Tensor,
  from: Generator,
  options: { tau?: number; hard?: boolean; dim?: number } = {},
): Tensor<"f32"> {
  const { tau = 1, hard = false, dim = -1 } = options;
  return within(x, (runner) => {
    const noise = neg(logarithm(exponential(runner, x.shape, from)));
    const y = softmax(div(add(x, noise), tau), dim);
    if (!hard) return y;
    const last = x.shape.length - 1;
    const at = dim < 0 ? dim + x.shape.length : dim;
    const chosen = (): Tensor<"f32"> => {
      const best = oneHot(argmax(y, { dim: at }), x.shape[at]);
      return runner.cast(at === last ? best : movedLast(best, at), "f32");
    };
    // The gradient is that of the shares.
    return runner.withGradient("gumbel_softmax", [y], chosen, [], (g) => [g]);
  });
}

function movedLast(x: Tensor, to: number): Tensor {
  const dims = x.shape.map((_, dim) => dim).slice(0, -1);
  return x.permute(...dims.toSpliced(to, 0, x.shape.length - 1));
}

function inverse(
  op: string,
  engine: Runner,
  shape: readonly number[],
  from: Generator,
  words: readonly number[],
  of: Forward,
): Tensor<"f32"> {
  const operands = words.map((value) => ({ value, dtype: "f32" as const }));
  return drawn(
    op,
    engine,
    shape,
    from,
    4,
    operands,
    (place, seed, stream, low, high, ...rest) => of(uniformOf(wordOf(place, seed, stream, low, high)), ...rest),
  ) as Tensor<"f32">;
}

function drawn(
  op: string,
  engine: Runner,
  shape: readonly number[],
  from: Generator,
  each: number,
  operands: readonly KernelOperand[],
  forward: Forward,
): Tensor {
  checkShape(op, shape);
  const counters = from.draw(Math.ceil(sizeOf(shape) / each));
  return engine.kernel(op, shape, [{ place: contiguous(shape) }, ...counters, ...operands], forward);
}

/** The largest f32 below a number. */
function below(value: number): number {
  const float = new Float32Array([value]);
  const bits = new Int32Array(float.buffer);
  if (float[0] < value) return float[0];
  if (float[0] === 0) return -1.401298464324817e-45;
  bits[0] += float[0] > 0 ? -1 : 1;
  return float[0];
}

function checkRange(op: string, x: Tensor, low: number, high: number): void {
  const { runner } = x;
  if (runner.device.kind !== "cpu" || x.size === 0) return;
  const fine = runner.scope(() => {
    const inside = runner.kernel(
      op,
      x.shape,
      [x],
      (value) => binary("and", compare("ge", value, low), compare("le", value, high)),
    );
    return runner.peek(runner.reduce("all", inside));
  });
  if (fine === 0) refuse("E_VALUE", op, `an element is outside of ${low} to ${high}`);
}
