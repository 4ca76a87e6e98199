/**
 * Modules without a state: names for what {@linkcode Sequential} takes as functions too.
 *
 * @module
 */
import { logSoftmax, softmax } from "../../functions/layers/norms.ts";
import {
  adaptiveAvgPool,
  type AveragePoolOptions,
  avgPool,
  interpolate,
  type InterpolateOptions,
  maxPool,
  pixelShuffle,
  type PoolOptions,
} from "../../functions/layers/pooling.ts";
import { flatten, unflatten } from "../../functions/shapes/views.ts";
import { Apply } from "../containers.ts";

/** Gives back what it takes. */
export class Identity extends Apply {
  /** It takes no options. */
  constructor() {
    super((x) => x);
  }
}

/** Some dims as one. */
export class Flatten extends Apply {
  /**
   * It computes by these settings.
   *
   * @param start The first of them, by default behind the batch; `end` the last.
   */
  constructor(start = 1, end = -1) {
    super((x) => flatten(x, start, end));
  }
}

/** One dim as several. */
export class Unflatten extends Apply {
  /**
   * It computes by these settings.
   *
   * @param dim Which; `shape` is what it becomes.
   */
  constructor(dim: number, shape: readonly number[]) {
    super((x) => unflatten(x, dim, shape));
  }
}

/** The largest of each window; the kernel has as many extents as dims are pooled. */
export class MaxPool extends Apply {
  /**
   * It computes by these settings.
   *
   * @param kernel Extents of a window.
   */
  constructor(kernel: readonly number[], options: PoolOptions = {}) {
    super((x) => maxPool(x, kernel, options));
  }
}

/** The mean of each window. */
export class AvgPool extends Apply {
  /**
   * It computes by these settings.
   *
   * @param kernel Extents of a window.
   */
  constructor(kernel: readonly number[], options: AveragePoolOptions = {}) {
    super((x) => avgPool(x, kernel, options));
  }
}

/** The mean of each of so many bins. */
export class AdaptiveAvgPool extends Apply {
  /**
   * It computes by these settings.
   *
   * @param size How many along each dim.
   */
  constructor(size: readonly number[]) {
    super((x) => adaptiveAvgPool(x, size));
  }
}

/** So many times as large along each dim. */
export class Upsample extends Apply {
  /**
   * It computes by these settings.
   *
   * @param factor How many times, a whole number.
   */
  constructor(factor: number, options: InterpolateOptions = {}) {
    super((x) => interpolate(x, x.shape.slice(2).map((extent) => extent * factor), options));
  }
}

/** Channels as pixels. */
export class PixelShuffle extends Apply {
  /**
   * It computes by these settings.
   *
   * @param factor How many times as high and wide.
   */
  constructor(factor: number) {
    super((x) => pixelShuffle(x, factor));
  }
}

/** Shares of a sum along a dim. */
export class Softmax extends Apply {
  /**
   * It computes by these settings.
   *
   * @param dim Which.
   */
  constructor(dim: number) {
    super((x) => softmax(x, dim));
  }
}

/** Logarithms of {@linkcode Softmax}. */
export class LogSoftmax extends Apply {
  /**
   * It computes by these settings.
   *
   * @param dim Which.
   */
  constructor(dim: number) {
    super((x) => logSoftmax(x, dim));
  }
}
