/**
 * Gradients that are too large are made smaller.
 *
 * @module
 */
import { add, clamp, div, maximum, minimum, mul } from "../functions/elements/broadcasting.ts";
import { pow } from "../functions/elements/arithmetic.ts";
import { abs } from "../functions/elements/unary.ts";
import { amax, sum } from "../functions/folding/folds.ts";
import { noGrad } from "../tensors/autograd/modes.ts";
import type { Tensor } from "../tensors/tensor.ts";

/** Beside a norm of 0. */
const NEARLY_NOTHING = 1e-6;

/**
 * Makes gradients smaller, all by one factor, until the norm of all of them is at most so much. Nothing is read: a norm that is
 * not finite makes them NaN or 0, as PyTorch's does.
 *
 * @param params Those without a gradient do not count.
 * @returns The norm before, on the device.
 * @throws {RangeError} When no parameter has a gradient, and for a norm or a bound that is none.
 */
export function clipGradNorm(params: readonly Tensor[], most: number, options: { p?: number } = {}): Tensor<"f32"> {
  const { p = 2 } = options;
  if (!(most >= 0) || !(p > 0)) throw new RangeError(`there is no norm ${p} of at most ${most}`);
  const grads = gradientsOf(params);
  const [first] = grads;
  if (first === undefined) throw new RangeError("no parameter has a gradient; go backward first");
  return noGrad(() =>
    first.runner.scope(({ keep }) => {
      const parts = grads.map((one) => p === Infinity ? amax(abs(one)) : sum(pow(abs(one), p)));
      const all = parts.reduce((a, b) => p === Infinity ? maximum(a, b) : add(a, b));
      const norm = p === Infinity ? all.clone() : pow(all, 1 / p);
      const factor = minimum(div(most, add(norm, NEARLY_NOTHING)), 1);
      for (const one of grads) one.write(mul(one, factor));
      return keep(norm) as Tensor<"f32">;
    })
  );
}

/** Bounds each element of the gradients: none is above `most`, nor below −`most`. */
export function clipGradValue(params: readonly Tensor[], most: number): void {
  if (!(most >= 0)) throw new RangeError(`gradients cannot be at most ${most}`);
  noGrad(() => {
    for (const one of gradientsOf(params)) {
      using bounded = clamp(one, -most, most);
      one.write(bounded);
    }
  });
}

function gradientsOf(params: readonly Tensor[]): Tensor[] {
  return params.flatMap(({ grad }) => grad === undefined ? [] : [grad]);
}
