/**
 * Norms (ops.md §9).
 *
 * @module
 */
import { batchNorm, groupNorm, instanceNorm, layerNorm, rmsNorm } from "../../functions/layers/norms.ts";
import { refuse } from "../../functions/tools/tools.ts";
import { noGrad } from "../../tensors/autograd/modes.ts";
import type { Tensor } from "../../tensors/tensor.ts";
import { filled } from "../initial.ts";
import { type Init, Module } from "../module.ts";

/** How something is normalized. */
export interface NormModuleOptions {
  /** What is added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Whether it is multiplied and moved by what is learned. Default true, of {@linkcode InstanceNorm} false. */
  readonly affine?: boolean;
}

/** How a batch is normalized. */
export interface BatchNormModuleOptions extends NormModuleOptions {
  /** How much a batch counts in the running statistics. Default 0.1. */
  readonly momentum?: number;
  /** Keeps running statistics, which are used when it is not trained. Default true. */
  readonly trackRunningStats?: boolean;
}

/** What norms share: a weight of ones and a bias of zeros. */
export abstract class Norm extends Module {
  /** What it is multiplied by. */
  readonly weight: Tensor | undefined;
  /** What is added. */
  readonly bias: Tensor | undefined;
  /** What is added to the variance. */
  readonly eps: number;

  /** Of subclasses. */
  constructor({ engine }: Init, shape: readonly number[], affine: boolean, eps: number) {
    super();
    this.eps = eps;
    this.weight = affine ? this.parameter("weight", filled(engine, shape, 1)) : undefined;
    this.bias = affine ? this.parameter("bias", filled(engine, shape, 0)) : undefined;
  }
}

/** Mean 0 and variance 1 over the last dims. */
export class LayerNorm extends Norm {
  readonly #shape: readonly number[];

  /**
   * Its weight begins as ones, its bias as zeros.
   *
   * @param shape Of the last dims; a number is the last one's extent.
   */
  constructor(init: Init, shape: number | readonly number[], options: NormModuleOptions = {}) {
    super(init, [shape].flat(), options.affine ?? true, options.eps ?? 1e-5);
    this.#shape = [shape].flat();
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor): Tensor {
    return layerNorm(x, this.#shape, this);
  }
}

/** Mean square 1 over the last dims; `eps` is that of the machine by default. */
export class RMSNorm extends Module {
  /** What it is multiplied by. */
  readonly weight: Tensor | undefined;
  readonly #shape: readonly number[];
  readonly #eps: number | undefined;

  /**
   * Its weight begins as ones.
   *
   * @param shape Of the last dims; a number is the last one's extent.
   */
  constructor({ engine }: Init, shape: number | readonly number[], options: NormModuleOptions = {}) {
    super();
    this.#shape = [shape].flat();
    this.#eps = options.eps;
    this.weight = options.affine ?? true ? this.parameter("weight", filled(engine, this.#shape, 1)) : undefined;
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor): Tensor {
    return rmsNorm(x, this.#shape, { weight: this.weight, eps: this.#eps });
  }
}

/** Mean 0 and variance 1 over groups of channels. */
export class GroupNorm extends Norm {
  readonly #groups: number;

  /**
   * Its weight begins as ones, its bias as zeros.
   *
   * @param groups How many; `channels` is the extent of dim 1.
   */
  constructor(init: Init, groups: number, channels: number, options: NormModuleOptions = {}) {
    super(init, [channels], options.affine ?? true, options.eps ?? 1e-5);
    this.#groups = groups;
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor): Tensor {
    return groupNorm(x, this.#groups, this);
  }
}

/** Mean 0 and variance 1 of each channel of each sample. */
export class InstanceNorm extends Norm {
  /**
   * Its weight begins as ones, its bias as zeros.
   *
   * @param channels Extent of dim 1.
   */
  constructor(init: Init, channels: number, options: NormModuleOptions = {}) {
    super(init, [channels], options.affine ?? false, options.eps ?? 1e-5);
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor): Tensor {
    return instanceNorm(x, this);
  }
}

/** What batch norms share. */
export abstract class BatchNorm extends Norm {
  /** Mean of each channel. */
  readonly runningMean: Tensor | undefined;
  /** Variance of each channel. */
  readonly runningVar: Tensor | undefined;
  readonly #batches: Tensor | undefined;
  readonly #momentum: number;
  readonly #ranks: readonly number[];

  /** Of subclasses. */
  constructor(init: Init, channels: number, options: BatchNormModuleOptions, ranks: readonly number[]) {
    const { eps = 1e-5, affine = true, momentum = 0.1, trackRunningStats = true } = options;
    super(init, [channels], affine, eps);
    this.#momentum = momentum;
    this.#ranks = ranks;
    if (!trackRunningStats) return;
    const { engine } = init;
    this.runningMean = this.buffer("running_mean", filled(engine, [channels], 0));
    this.runningVar = this.buffer("running_var", filled(engine, [channels], 1));
    this.#batches = this.buffer("num_batches_tracked", engine.tensor(0, { shape: [], dtype: "i32" }));
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor): Tensor {
    if (!this.#ranks.includes(x.shape.length)) {
      refuse("E_SHAPE", "batch_norm", `shape [${x.shape}] has not ${this.#ranks.join(" or ")} dims`);
    }
    const { weight, bias, eps, runningMean, runningVar, training } = this;
    const own = training || runningMean === undefined;
    const after = batchNorm(x, { weight, bias, eps, runningMean, runningVar, training: own, momentum: this.#momentum });
    if (!training || !after.runningMean || !after.runningVar) return after.output;
    noGrad(() => {
      runningMean!.write(after.runningMean!);
      runningVar!.write(after.runningVar!);
      using more = x.runner.map("add", [this.#batches!, 1]);
      this.#batches!.write(more);
    });
    after.runningMean.dispose();
    after.runningVar.dispose();
    return after.output;
  }
}

/** Mean 0 and variance 1 of each channel over [batch, channels] or [batch, channels, length]. */
export class BatchNorm1d extends BatchNorm {
  /**
   * Its weight begins as ones, its bias as zeros.
   *
   * @param channels Extent of dim 1.
   */
  constructor(init: Init, channels: number, options: BatchNormModuleOptions = {}) {
    super(init, channels, options, [2, 3]);
  }
}

/** Mean 0 and variance 1 of each channel over [batch, channels, height, width]. */
export class BatchNorm2d extends BatchNorm {
  /**
   * Its weight begins as ones, its bias as zeros.
   *
   * @param channels Extent of dim 1.
   */
  constructor(init: Init, channels: number, options: BatchNormModuleOptions = {}) {
    super(init, channels, options, [4]);
  }
}
