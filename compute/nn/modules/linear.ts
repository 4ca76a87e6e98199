/**
 * Linear layers and tables of vectors (ops.md §6, §10).
 *
 * @module
 */
import { prelu } from "../../functions/elements/activations.ts";
import { ne, where } from "../../functions/elements/broadcasting.ts";
import { embedding, embeddingBag } from "../../functions/indexing/gathering.ts";
import { bilinear, linear } from "../../functions/layers/products.ts";
import { unsqueeze } from "../../functions/shapes/views.ts";
import { noGrad } from "../../tensors/autograd/modes.ts";
import { compare, constant, select } from "../../table/expression.ts";
import { coordinate, refuse, whole } from "../../functions/tools/tools.ts";
import type { KernelOperand, Tensor } from "../../tensors/tensor.ts";
import { byFan, filled, normal } from "../initial.ts";
import { type Init, Module } from "../module.ts";

/** Whether something is added. */
export interface BiasOptions {
  /** Default true. */
  readonly bias?: boolean;
}

/** x·Wᵀ + b over the last dim. */
export class Linear extends Module {
  /** [out, in]. */
  readonly weight: Tensor;
  /** [out]. */
  readonly bias: Tensor | undefined;

  /**
   * Its first values are drawn from the generator.
   *
   * @param inputs Extent of the last dim, which becomes `outputs`.
   */
  constructor(init: Init, inputs: number, outputs: number, options: BiasOptions = {}) {
    super();
    this.weight = this.parameter("weight", byFan(init, [outputs, inputs], inputs));
    this.bias = options.bias ?? true ? this.parameter("bias", byFan(init, [outputs], inputs)) : undefined;
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}

/** xᵀ·W·y + b for each output. */
export class Bilinear extends Module<readonly [x: Tensor, y: Tensor]> {
  /** [out, of x, of y]. */
  readonly weight: Tensor;
  /** [out]. */
  readonly bias: Tensor | undefined;

  /**
   * Its first values are drawn from the generator.
   *
   * @param first Extent of the last dim of x; `second` that of y.
   */
  constructor(init: Init, first: number, second: number, outputs: number, options: BiasOptions = {}) {
    super();
    this.weight = this.parameter("weight", byFan(init, [outputs, first, second], first));
    this.bias = options.bias ?? true ? this.parameter("bias", byFan(init, [outputs], first)) : undefined;
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor, y: Tensor): Tensor {
    return bilinear(x, y, this.weight, this.bias);
  }
}

/** How a table is made. */
export interface EmbeddingOptions {
  /** A row that begins as 0 and is never learned. */
  readonly paddingIndex?: number;
}

/** Rows of a table by index. */
export class Embedding extends Module {
  /** [rows, width]. */
  readonly weight: Tensor;
  readonly #padding: number | undefined;

  /**
   * Its first values are drawn from the generator.
   *
   * @param rows How many; `width` is the extent of each.
   */
  constructor(init: Init, rows: number, width: number, options: EmbeddingOptions = {}) {
    super();
    const { paddingIndex } = options;
    this.#padding = paddingIndex !== undefined && paddingIndex < 0 ? paddingIndex + rows : paddingIndex;
    if (
      this.#padding !== undefined && !(Number.isInteger(this.#padding) && this.#padding < rows && this.#padding >= 0)
    ) {
      refuse("E_INDEX", "embedding", `row ${paddingIndex} is not one of ${rows}`);
    }
    this.weight = this.parameter("weight", normal(init, [rows, width]));
    if (this.#padding === undefined) return;
    using without = withoutRow(this.weight, this.#padding);
    noGrad(() => this.weight.write(without));
  }

  /** See {@linkcode Module.forward}. */
  override forward(indices: Tensor): Tensor {
    const rows = embedding(indices, this.weight);
    if (this.#padding === undefined) return rows;
    const learned = unsqueeze(ne(indices, this.#padding), -1);
    return where(learned, rows, rows.detach());
  }
}

/** Rows of a table by index, put together bag by bag. */
export class EmbeddingBag extends Module {
  /** [rows, width]. */
  readonly weight: Tensor;
  readonly #mode: "sum" | "mean" | "max";

  /**
   * Its first values are drawn from the generator.
   *
   * @param options `mode` is how they are put together. Default `mean`.
   */
  constructor(init: Init, rows: number, width: number, options: { readonly mode?: "sum" | "mean" | "max" } = {}) {
    super();
    this.#mode = options.mode ?? "mean";
    this.weight = this.parameter("weight", normal(init, [rows, width]));
  }

  /** See {@linkcode Module.forward}. */
  override forward(indices: Tensor): Tensor {
    return embeddingBag(indices, this.weight, { mode: this.#mode });
  }
}

/** x above 0 and w·x below, with a weight for all channels (dim 1) or for each. */
export class PReLU extends Module {
  /** [1] or [channels]. */
  readonly weight: Tensor;

  /**
   * Its first values are constants.
   *
   * @param options `first` is what weights begin as. Default 0.25.
   */
  constructor({ engine }: Init, channels = 1, options: { readonly first?: number } = {}) {
    super();
    this.weight = this.parameter("weight", filled(engine, [channels], options.first ?? 0.25));
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }
}

/** The same with a row of zeros; it is not recorded. */
function withoutRow(x: Tensor, row: number): Tensor {
  const operands: KernelOperand[] = [x, coordinate(x.shape, 0), whole(row)];
  return noGrad(() =>
    x.runner.kernel(
      "padding_row",
      x.shape,
      operands,
      (one, place, at) => select(compare("eq", place, at), constant(0, "f32"), one),
    )
  );
}
