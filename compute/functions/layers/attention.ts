/**
 * Attention, positions and the cells of recurrent networks, forward (ops.md §12, rows 225 to 230).
 *
 * Each function throws a `ComputeError`: `E_SHAPE`, `E_DTYPE`, `E_VALUE`, `E_BUFFER`, `E_LIMIT`, `E_OOM`.
 *
 * @module
 */
import type { Runner, Tensor } from "../../tensors/tensor.ts";
import { add, lerp, mul, sub } from "../elements/broadcasting.ts";
import { cos, sin } from "../elements/functions.ts";
import { relu, sigmoid, tanh } from "../elements/unary.ts";
import { matmul, mean } from "../folding/folds.ts";
import { arange } from "../shapes/creation.ts";
import { cat, repeatInterleave, stack, tril } from "../shapes/joining.ts";
import { chunk, reshape, select, split, unsqueeze } from "../shapes/views.ts";
import { refuse, within, withinAll } from "../tools/tools.ts";
import { maskedSoftmax } from "./norms.ts";
import { linear } from "./products.ts";

/** What of the keys a query sees. */
export interface AttentionOptions {
  /** A bool mask, whose false keeps out, or numbers that are added. */
  readonly mask?: Tensor;
  /** A query sees no key that comes after it. Default false. */
  readonly isCausal?: boolean;
  /** What scores are multiplied by. Default 1/√d. */
  readonly scale?: number;
  /** What is made of the weights before they meet the values: a dropout, for example. */
  readonly onWeights?: (weights: Tensor) => Tensor;
}

/** The weights of a recurrent cell; those of the gates lie one after the other. */
export interface CellWeights {
  /** Of the input. */
  readonly input: Tensor;
  /** Of the state before. */
  readonly hidden: Tensor;
  /** Added to the input's part. */
  readonly inputBias?: Tensor;
  /** Added to the state's part. */
  readonly hiddenBias?: Tensor;
}

/**
 * softmax(scale·q·kᵀ)·v over the last two dims. There may be more heads of queries (dim −3) than of keys, by a whole factor. A
 * query that sees nothing gives 0.
 */
export function scaledDotProductAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: AttentionOptions = {},
): Tensor<"f32"> {
  if (
    q.shape.length < 2 || k.shape.length < 2 || q.shape.at(-1) !== k.shape.at(-1) || k.shape.at(-2) !== v.shape.at(-2)
  ) {
    refuse(
      "E_SHAPE",
      "scaled_dot_product_attention",
      `[${q.shape}], [${k.shape}] and [${v.shape}] are no queries, keys and values`,
    );
  }
  return within(q, () => {
    const [own, theirs] = [q.shape.at(-3) ?? 1, k.shape.at(-3) ?? 1];
    if (own !== theirs && theirs !== 1 && own % theirs !== 0) {
      refuse("E_SHAPE", "scaled_dot_product_attention", `${own} heads of queries are no multiple of ${theirs} of keys`);
    }
    const many = (x: Tensor): Tensor => own === theirs || theirs === 1 ? x : repeatInterleave(x, own / theirs, -3);
    const shares = weightsOf(q, many(k), options);
    return matmul(options.onWeights?.(shares) ?? shares, many(v));
  });
}

/** How much a query takes of each key's value. */
function weightsOf(q: Tensor, k: Tensor, options: AttentionOptions): Tensor {
  const { runner } = q;
  const { mask, isCausal = false, scale = 1 / Math.sqrt(q.shape.at(-1) ?? 1) } = options;
  const scores = matmul(mul(q, scale), k.transpose());
  const [rows, columns] = scores.shape.slice(-2);
  let seen: Tensor | undefined = mask?.dtype === "bool" ? mask : undefined;
  if (isCausal) {
    const before = causalMask(runner, rows, columns);
    seen = seen ? runner.map("logical_and", [seen, before]) : before;
  }
  const biased = mask && mask.dtype !== "bool" ? add(scores, mask) : scores;
  if (scores.size === 0) return biased;
  const lowest = runner.map("ne", [biased, -Infinity]);
  const allowed = seen ? runner.map("logical_and", [lowest, seen]) : lowest;
  return maskedSoftmax(biased, allowed, -1);
}

/**
 * Attention of several heads: projections of queries, keys and values, {@linkcode scaledDotProductAttention}, and a projection
 * of what it gives. Operands are [batch, length, width].
 */
export function multiHeadAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  heads: number,
  weights: { input: Tensor; inputBias?: Tensor; output: Tensor; outputBias?: Tensor },
  options: AttentionOptions = {},
): Tensor<"f32"> {
  checkHeads(q, heads);
  return within(q, () => {
    const [a, b, c] = [q, k, v].map((x, i) => headsOf(x, heads, i, weights));
    const joined = scaledDotProductAttention(a, b, c, options).transpose(1, 2);
    return linear(reshape(joined, q.shape), weights.output, weights.outputBias);
  });
}

/** What {@linkcode multiHeadAttention} weighs values by: the mean over the heads, [batch, queries, keys]. */
export function multiHeadWeights(
  q: Tensor,
  k: Tensor,
  heads: number,
  weights: { input: Tensor; inputBias?: Tensor },
  options: AttentionOptions = {},
): Tensor<"f32"> {
  checkHeads(q, heads);
  return within(q, () => {
    const [a, b] = [q, k].map((x, i) => headsOf(x, heads, i, weights));
    return mean(weightsOf(a, b, options), { dim: 1 });
  });
}

function checkHeads(q: Tensor, heads: number): void {
  const width = q.shape.at(-1) ?? 0;
  if (q.shape.length !== 3 || !(heads >= 1) || width % heads !== 0) {
    refuse("E_SHAPE", "multi_head_attention", `[${q.shape}] does not make ${heads} heads`);
  }
}

/** Queries, keys or values of each head: [batch, heads, length, width of one]. */
function headsOf(x: Tensor, heads: number, part: number, weights: { input: Tensor; inputBias?: Tensor }): Tensor {
  const width = weights.input.shape[0] / 3;
  const bias = weights.inputBias && split(weights.inputBias, width, 0)[part];
  const y = linear(x, split(weights.input, width, 0)[part], bias);
  return reshape(y, [x.shape[0], x.shape[1], heads, width / heads]).transpose(1, 2);
}

/** Whether a column is at or before its row. */
export function causalMask(engine: Runner, rows: number, columns = rows): Tensor<"bool"> {
  return engine.scope(({ keep }) => {
    const all = engine.kernel("causal_mask", [rows, columns], [{ value: 1, dtype: "bool" }], (one) => one);
    return keep(tril(all) as Tensor<"bool">);
  });
}

/**
 * Pairs of the last dim turned by their position (dim −2) times base^(−2i/d): the halves of the dim, or neighbours.
 *
 * @param options `offset` is the position of the first row.
 */
export function rotaryEmbedding(
  x: Tensor,
  options: { base?: number; offset?: number; interleaved?: boolean } = {},
): Tensor<"f32"> {
  const { base = 10000, offset = 0, interleaved = false } = options;
  const [length, width] = x.shape.slice(-2);
  if (x.shape.length < 2 || width % 2 !== 0) {
    refuse("E_SHAPE", "rotary_embedding", `[${x.shape}] has no pairs in its last dim`);
  }
  return within(x, (runner) => {
    const rates = runner.tensor(Float32Array.from({ length: width / 2 }, (_, i) => base ** (-2 * i / width)));
    const angles = mul(unsqueeze(arange(runner, offset, offset + length), 1), rates);
    const [c, s] = [cos(angles), sin(angles)];
    const pairs = interleaved ? reshape(x, [...x.shape.slice(0, -1), width / 2, 2]) : undefined;
    const [a, b] = pairs ? [select(pairs, -1, 0), select(pairs, -1, 1)] : chunk(x, 2, -1);
    const turned = [sub(mul(a, c), mul(b, s)), add(mul(a, s), mul(b, c))];
    return (pairs ? reshape(stack(turned, -1), x.shape) : cat(turned, -1)) as Tensor<"f32">;
  });
}

/** Sines and cosines of positions, one after the other: [length, width]. */
export function sinusoidalPositions(engine: Runner, length: number, width: number, base = 10000): Tensor<"f32"> {
  if (width % 2 !== 0) refuse("E_SHAPE", "sinusoidal_positions", `a width of ${width} has no pairs`);
  return engine.scope(({ keep }) => {
    const rates = engine.tensor(Float32Array.from({ length: width / 2 }, (_, i) => base ** (-2 * i / width)));
    const angles = mul(unsqueeze(arange(engine, 0, length), 1), rates);
    return keep(reshape(stack([sin(angles), cos(angles)], -1), [length, width]) as Tensor<"f32">);
  });
}

/** What is added to scores of each head for the distance of a key: [heads, rows, columns]. */
export function alibiBias(engine: Runner, heads: number, rows: number, columns = rows): Tensor<"f32"> {
  return engine.scope(({ keep }) => {
    const slopes = engine.tensor(Float32Array.from({ length: heads }, (_, i) => 2 ** (-8 * (i + 1) / heads)), {
      shape: [heads, 1, 1],
    });
    const distance = sub(unsqueeze(arange(engine, 0, columns), 0), unsqueeze(arange(engine, 0, rows), 1));
    return keep(mul(slopes, distance) as Tensor<"f32">);
  });
}

/** One step of a plain recurrent cell. */
export function rnnCell(x: Tensor, h: Tensor, weights: CellWeights, by: "tanh" | "relu" = "tanh"): Tensor<"f32"> {
  return within(x, () => {
    const sum = add(linear(x, weights.input, weights.inputBias), linear(h, weights.hidden, weights.hiddenBias));
    return (by === "tanh" ? tanh(sum) : relu(sum)) as Tensor<"f32">;
  });
}

/** One step of a long short-term memory; gates in the order i, f, g, o. */
export function lstmCell(
  x: Tensor,
  state: readonly [h: Tensor, c: Tensor],
  weights: CellWeights,
): readonly [h: Tensor<"f32">, c: Tensor<"f32">] {
  return withinAll(x, () => {
    const [h, c] = state;
    const sum = add(linear(x, weights.input, weights.inputBias), linear(h, weights.hidden, weights.hiddenBias));
    const [i, f, g, o] = chunk(sum, 4, -1);
    const next = add(mul(sigmoid(f), c), mul(sigmoid(i), tanh(g))) as Tensor<"f32">;
    return [mul(sigmoid(o), tanh(next)) as Tensor<"f32">, next] as const;
  });
}

/** One step of a gated recurrent unit; gates in the order r, z, n, and r after the hidden bias. */
export function gruCell(x: Tensor, h: Tensor, weights: CellWeights): Tensor<"f32"> {
  return within(x, () => {
    const [fromX, fromH] = [linear(x, weights.input, weights.inputBias), linear(h, weights.hidden, weights.hiddenBias)]
      .map((one) => chunk(one, 3, -1));
    const [r, z] = [0, 1].map((gate) => sigmoid(add(fromX[gate], fromH[gate])));
    const fresh = tanh(add(fromX[2], mul(r, fromH[2])));
    return lerp(fresh, h, z);
  });
}
