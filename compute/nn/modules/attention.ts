/**
 * Attention and the layers of transformers (ops.md §12). Layouts are [batch, length, width]: PyTorch's with `batch_first`.
 *
 * @module
 */
import { relu } from "../../functions/elements/unary.ts";
import { add, where } from "../../functions/elements/broadcasting.ts";
import { multiHeadAttention, multiHeadWeights } from "../../functions/layers/attention.ts";
import { reshape } from "../../functions/shapes/views.ts";
import { refuse, within } from "../../functions/tools/tools.ts";
import { dropout, type Generator } from "../../functions/random/random.ts";
import type { Tensor } from "../../tensors/tensor.ts";
import { filled, xavierUniform } from "../initial.ts";
import { type Init, Module } from "../module.ts";
import { Dropout } from "./dropouts.ts";
import { type BiasOptions, Linear } from "./linear.ts";
import { LayerNorm } from "./norms.ts";

/** What of the keys a query sees. */
export interface MaskOptions {
  /** A bool mask, whose false keeps out, or numbers that are added; it broadcasts to [batch, heads, queries, keys]. */
  readonly mask?: Tensor;
  /** Keys that are only padding: bool, [batch, keys]. */
  readonly keyPadding?: Tensor;
  /** A query sees no key that comes after it. Default false. */
  readonly isCausal?: boolean;
}

/** How attention is made. */
export interface AttentionModuleOptions extends BiasOptions {
  /** The share of weights that is left out in training. Default 0. */
  readonly dropout?: number;
}

/** How the layers of transformers are made. */
export interface TransformerLayerOptions {
  /** Width between the two linear layers. Default 2048. */
  readonly feedForward?: number;
  /** The share that is left out in training. Default 0.1. */
  readonly dropout?: number;
  /** The function between the two linear layers. Default relu. */
  readonly activation?: (x: Tensor) => Tensor;
  /** Normalizes before each part, not behind it. Default false. */
  readonly normFirst?: boolean;
  /** What is added to the variance. Default 1e-5. */
  readonly eps?: number;
}

/** Queries look keys up, with several heads. */
export class MultiheadAttention
  extends Module<readonly [q: Tensor, k: Tensor, v: Tensor, options?: MaskOptions | undefined]> {
  /** Those of queries, keys and values, one after the other: [3·width, width]. */
  readonly inProjWeight: Tensor;
  /** [3·width]. */
  readonly inProjBias: Tensor | undefined;
  /** What puts the heads together. */
  readonly outProj: Linear;
  readonly #heads: number;
  readonly #dropout: number;
  readonly #generator: Generator;

  /**
   * Its first values are drawn from the generator.
   *
   * @param width Extent of queries, keys and values, a multiple of `heads`.
   */
  constructor(init: Init, width: number, heads: number, options: AttentionModuleOptions = {}) {
    super();
    const { bias = true, dropout = 0 } = options;
    if (!(heads >= 1) || width % heads !== 0) {
      refuse("E_SHAPE", "multi_head_attention", `a width of ${width} does not make ${heads} heads`);
    }
    this.#heads = heads;
    this.#dropout = dropout;
    this.#generator = this.drawsFrom(init.generator);
    this.inProjWeight = this.parameter("in_proj_weight", xavierUniform(init, 3 * width, width));
    this.inProjBias = bias ? this.parameter("in_proj_bias", filled(init.engine, [3 * width], 0)) : undefined;
    this.outProj = this.child("out_proj", new Linear(init, width, width, { bias }));
    if (!this.outProj.bias) return;
    this.outProj.loadStateDict(new Map([["bias", { shape: [width], data: new Float32Array(width) }]]), {
      strict: false,
    });
  }

  /** See {@linkcode Module.forward}. */
  override forward(q: Tensor, k: Tensor, v: Tensor, options: MaskOptions = {}): Tensor {
    const weights = {
      input: this.inProjWeight,
      inputBias: this.inProjBias,
      output: this.outProj.weight,
      outputBias: this.outProj.bias,
    };
    const left = this.training && this.#dropout > 0;
    return multiHeadAttention(q, k, v, this.#heads, weights, {
      mask: maskOf(options, k),
      isCausal: options.isCausal,
      onWeights: left ? (weights) => dropout(weights, this.#dropout, this.#generator) : undefined,
    });
  }

  /** What values are weighed by, the mean over the heads: [batch, queries, keys]. Nothing is left out. */
  weights(q: Tensor, k: Tensor, options: MaskOptions = {}): Tensor {
    const weights = { input: this.inProjWeight, inputBias: this.inProjBias };
    return within(
      q,
      () => multiHeadWeights(q, k, this.#heads, weights, { mask: maskOf(options, k), isCausal: options.isCausal }),
    );
  }
}

/** What the layers of transformers share. */
export abstract class TransformerLayer<I extends readonly unknown[]> extends Module<I> {
  /** How a sequence looks at itself. */
  readonly selfAttention: MultiheadAttention;
  /** The first of the two linear layers. */
  readonly linear1: Linear;
  /** The second. */
  readonly linear2: Linear;
  /** Norms in their order. */
  protected readonly norms: readonly LayerNorm[];
  readonly #normFirst: boolean;
  readonly #activation: (x: Tensor) => Tensor;
  readonly #inner: Dropout;
  readonly #outer: Dropout;

  /** Of subclasses. */
  constructor(init: Init, width: number, heads: number, parts: number, options: TransformerLayerOptions) {
    super();
    const { feedForward = 2048, dropout = 0.1, activation = relu, normFirst = false, eps } = options;
    this.#normFirst = normFirst;
    this.#activation = activation;
    this.selfAttention = this.child("self_attn", new MultiheadAttention(init, width, heads, { dropout }));
    this.linear1 = this.child("linear1", new Linear(init, width, feedForward));
    this.linear2 = this.child("linear2", new Linear(init, feedForward, width));
    this.norms = Array.from(
      { length: parts },
      (_, i) => this.child(`norm${i + 1}`, new LayerNorm(init, width, { eps })),
    );
    this.#inner = this.child("dropout", new Dropout(init, dropout));
    this.#outer = this.child("dropout1", new Dropout(init, dropout));
  }

  /** x and what a part makes of it, normalized before or behind. */
  protected beside(x: Tensor, part: number, run: (x: Tensor) => Tensor): Tensor {
    const norm = this.norms[part];
    if (this.#normFirst) return add(x, this.#outer.call(run(norm.call(x))));
    return norm.call(add(x, this.#outer.call(run(x))));
  }

  /** The two linear layers. */
  protected feedForward(x: Tensor): Tensor {
    return this.linear2.call(this.#inner.call(this.#activation(this.linear1.call(x))));
  }
}

/** A sequence looks at itself, then each place for itself. */
export class TransformerEncoderLayer extends TransformerLayer<readonly [x: Tensor, options?: MaskOptions | undefined]> {
  /**
   * Its first values are drawn from the generator.
   *
   * @param width Extent of the last dim, a multiple of `heads`.
   */
  constructor(init: Init, width: number, heads: number, options: TransformerLayerOptions = {}) {
    super(init, width, heads, 2, options);
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor, options: MaskOptions = {}): Tensor {
    const seen = this.beside(x, 0, (y) => this.selfAttention.call(y, y, y, options));
    return this.beside(seen, 1, (y) => this.feedForward(y));
  }
}

/** A sequence looks at itself, then at another, then each place for itself. */
export class TransformerDecoderLayer extends TransformerLayer<
  readonly [x: Tensor, memory: Tensor, options?: MaskOptions | undefined, memoryOptions?: MaskOptions | undefined]
> {
  /** How it looks at the other. */
  readonly crossAttention: MultiheadAttention;

  /**
   * Its first values are drawn from the generator.
   *
   * @param width Extent of the last dim, a multiple of `heads`.
   */
  constructor(init: Init, width: number, heads: number, options: TransformerLayerOptions = {}) {
    super(init, width, heads, 3, options);
    const { dropout = 0.1 } = options;
    this.crossAttention = this.child("multihead_attn", new MultiheadAttention(init, width, heads, { dropout }));
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor, memory: Tensor, options: MaskOptions = {}, memoryOptions: MaskOptions = {}): Tensor {
    const seen = this.beside(x, 0, (y) => this.selfAttention.call(y, y, y, options));
    const told = this.beside(seen, 1, (y) => this.crossAttention.call(y, memory, memory, memoryOptions));
    return this.beside(told, 2, (y) => this.feedForward(y));
  }
}

/** One mask of both. */
function maskOf({ mask, keyPadding }: MaskOptions, k: Tensor): Tensor | undefined {
  if (keyPadding === undefined) return mask;
  if (keyPadding.dtype !== "bool" || `${keyPadding.shape}` !== `${k.shape.slice(0, 2)}`) {
    refuse(
      "E_SHAPE",
      "multi_head_attention",
      `padding is [${keyPadding.shape}] of ${keyPadding.dtype}, not [${k.shape.slice(0, 2)}] of bool`,
    );
  }
  const padding = reshape(keyPadding, [k.shape[0], 1, 1, k.shape[1]]);
  const { runner } = k;
  if (mask && mask.dtype !== "bool") return where(padding, -Infinity, mask);
  const seen = runner.map("logical_not", [padding]);
  return mask ? runner.map("logical_and", [seen, mask]) : seen;
}
