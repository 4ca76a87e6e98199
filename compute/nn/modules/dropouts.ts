/**
 * Dropouts: in training a share of the elements is 0.
 *
 * @module
 */
import { dropout, dropout2d, type Generator } from "../../functions/random/random.ts";
import { refuse } from "../../functions/tools/tools.ts";
import type { Tensor } from "../../tensors/tensor.ts";
import { type Init, Module } from "../module.ts";

/** A share of the elements is 0 in training, and the others larger in return. */
export class Dropout extends Module {
  /** What is drawn from. */
  readonly generator: Generator;
  /** The share. */
  readonly p: number;

  /**
   * It draws when it is called.
   *
   * @param p The share.
   */
  constructor({ generator }: Pick<Init, "generator">, p = 0.5) {
    super();
    if (!(p >= 0 && p <= 1)) refuse("E_VALUE", "dropout", `${p} is not within 0 to 1`);
    this.generator = this.drawsFrom(generator);
    this.p = p;
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor): Tensor {
    return dropout(x, this.p, this.generator, { training: this.training });
  }
}

/** A share of the channels (dim 1) is 0 in training. */
export class Dropout2d extends Dropout {
  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor): Tensor {
    return dropout2d(x, this.p, this.generator, { training: this.training });
  }
}
