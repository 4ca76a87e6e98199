/**
 * Convolutions (ops.md §7). Layouts are [batch, channels, …].
 *
 * @module
 */
import {
  conv1d,
  conv2d,
  conv3d,
  type ConvOptions,
  convTranspose1d,
  convTranspose2d,
  type ConvTransposeOptions,
  listed,
} from "../../functions/layers/windows.ts";
import { refuse } from "../../functions/tools/tools.ts";
import type { Tensor } from "../../tensors/tensor.ts";
import { sizeOf } from "../../values/shape.ts";
import { byFan } from "../initial.ts";
import { type Init, Module } from "../module.ts";
import type { BiasOptions } from "./linear.ts";

/** How a convolution steps, and whether something is added. */
export type ConvModuleOptions = Omit<ConvOptions, "bias"> & BiasOptions;
/** The same of a transposed one. */
export type ConvTransposeModuleOptions = Omit<ConvTransposeOptions, "bias"> & BiasOptions;

/** What convolutions share. */
export abstract class Convolution extends Module {
  /** [out, in/groups, …]; of a transposed one [in, out/groups, …]. */
  readonly weight: Tensor;
  /** [out]. */
  readonly bias: Tensor | undefined;

  /** Of subclasses. */
  constructor(init: Init, shape: readonly number[], outputs: number, { bias = true, groups = 1 }: Grouped) {
    super();
    if (![...shape, outputs / groups].every((one) => Number.isInteger(one) && one >= 1)) {
      refuse("E_SHAPE", "convolution", `[${shape}] for ${outputs} channels in ${groups} groups is no weight`);
    }
    const fan = sizeOf(shape.slice(1));
    this.weight = this.parameter("weight", byFan(init, shape, fan));
    this.bias = bias ? this.parameter("bias", byFan(init, [outputs], fan)) : undefined;
  }
}

/** What a weight's shape follows from. */
export type Grouped = BiasOptions & { readonly groups?: number };
/** Extents of a window. */
export type Extents = number | readonly number[];

/** A convolution along one dim. */
export class Conv1d extends Convolution {
  readonly #options: ConvModuleOptions;

  /**
   * Its first values are drawn from the generator.
   *
   * @param kernel Extents of a window; a number stands for all.
   */
  constructor(init: Init, inputs: number, outputs: number, kernel: number, options: ConvModuleOptions = {}) {
    super(init, [outputs, inputs / (options.groups ?? 1), ...listed(kernel, 1)], outputs, options);
    this.#options = options;
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor): Tensor {
    return conv1d(x, this.weight, { ...this.#options, bias: this.bias });
  }
}

/** A convolution along two dims. */
export class Conv2d extends Convolution {
  readonly #options: ConvModuleOptions;

  /**
   * Its first values are drawn from the generator.
   *
   * @param kernel Extents of a window; a number stands for all.
   */
  constructor(init: Init, inputs: number, outputs: number, kernel: Extents, options: ConvModuleOptions = {}) {
    super(init, [outputs, inputs / (options.groups ?? 1), ...listed(kernel, 2)], outputs, options);
    this.#options = options;
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, { ...this.#options, bias: this.bias });
  }
}

/** A convolution along three dims. */
export class Conv3d extends Convolution {
  readonly #options: ConvModuleOptions;

  /**
   * Its first values are drawn from the generator.
   *
   * @param kernel Extents of a window; a number stands for all.
   */
  constructor(init: Init, inputs: number, outputs: number, kernel: Extents, options: ConvModuleOptions = {}) {
    super(init, [outputs, inputs / (options.groups ?? 1), ...listed(kernel, 3)], outputs, options);
    this.#options = options;
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor): Tensor {
    return conv3d(x, this.weight, { ...this.#options, bias: this.bias });
  }
}

/** The adjoint of {@linkcode Conv1d}. */
export class ConvTranspose1d extends Convolution {
  readonly #options: ConvTransposeModuleOptions;

  /**
   * Its first values are drawn from the generator.
   *
   * @param kernel Extents of a window; a number stands for all.
   */
  constructor(init: Init, inputs: number, outputs: number, kernel: number, options: ConvTransposeModuleOptions = {}) {
    super(init, [inputs, outputs / (options.groups ?? 1), ...listed(kernel, 1)], outputs, options);
    this.#options = options;
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor): Tensor {
    return convTranspose1d(x, this.weight, { ...this.#options, bias: this.bias });
  }
}

/** The adjoint of {@linkcode Conv2d}. */
export class ConvTranspose2d extends Convolution {
  readonly #options: ConvTransposeModuleOptions;

  /**
   * Its first values are drawn from the generator.
   *
   * @param kernel Extents of a window; a number stands for all.
   */
  constructor(init: Init, inputs: number, outputs: number, kernel: Extents, options: ConvTransposeModuleOptions = {}) {
    super(init, [inputs, outputs / (options.groups ?? 1), ...listed(kernel, 2)], outputs, options);
    this.#options = options;
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight, { ...this.#options, bias: this.bias });
  }
}
