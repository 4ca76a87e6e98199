/**
 * A mean of what was learned, which follows slowly.
 *
 * @module
 */
import { noGrad } from "../tensors/autograd/modes.ts";
import type { Flat } from "../tensors/data.ts";
import type { Tensor } from "../tensors/tensor.ts";
import { ComputeError } from "../values/errors.ts";
import { into } from "./optimizer.ts";
import { towards } from "./trees.ts";

/** An exponential moving average of parameters. It is held by `using`. */
export class MovingAverage implements Disposable {
  readonly #params: ReadonlyMap<string, Tensor>;
  readonly #means: ReadonlyMap<string, Tensor>;
  readonly #decay: number;

  /**
   * Begins as the parameters are.
   *
   * @param params By name, as `Module.namedParameters()` gives them.
   * @param decay How much of it stays at a step.
   */
  constructor(params: ReadonlyMap<string, Tensor>, decay = 0.999) {
    if (!(decay >= 0 && decay < 1)) throw new RangeError(`decay ${decay} is not from 0 to below 1`);
    this.#params = new Map(params);
    this.#decay = decay;
    this.#means = new Map(noGrad(() => [...params].map(([name, one]) => [name, one.clone()] as const)));
  }

  /** Follows the parameters by a step. */
  step(): void {
    noGrad(() => {
      for (const [name, mean] of this.#means) {
        into(mean, "moving_average", [mean, this.#params.get(name)!, 1 - this.#decay], towards);
      }
    });
  }

  /** The means by name, for `Module.loadStateDict`. They are its own, not copies. */
  stateDict(): Map<string, Tensor> {
    return new Map(this.#means);
  }

  /**
   * Takes means over.
   *
   * @throws {ComputeError} `E_STATE` for other names or shapes.
   */
  loadState(state: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Flat }>): void {
    for (const [name, { shape }] of this.#means) {
      if (`${state.get(name)?.shape}` === `${shape}` && state.size === this.#means.size) continue;
      throw new ComputeError("E_STATE", "load_state", `the means are not those of ${this.#means.size} such parameters`);
    }
    for (const [name, mean] of this.#means) mean.write(state.get(name)!.data);
  }

  /** Disposes of the means. */
  [Symbol.dispose](): void {
    for (const one of this.#means.values()) one.dispose();
  }
}
