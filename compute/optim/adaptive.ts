/**
 * Optimizers whose rate falls with all the gradients that there were.
 *
 * @module
 */
import type { Tensor } from "../tensors/tensor.ts";
import { type GroupOptions, into, Optimizer, type OptimizerOptions, type ParameterState } from "./optimizer.ts";
import { counted, minus, over, plus, root, times } from "./trees.ts";

/** How {@linkcode Adagrad} goes. */
export interface AdagradOptions extends OptimizerOptions {
  /** How the rate falls with the steps. Default 0. */
  lrDecay?: number;
  /** What the sum of squares begins as. Default 0. */
  initialAccumulatorValue?: number;
  /** What is added to the root. Default 1e-10. */
  eps?: number;
}

/** Divides by the root of the sum of squares. Its rate is 1e-2 by default. */
export class Adagrad extends Optimizer<AdagradOptions> {
  /**
   * An optimizer of these parameters.
   *
   * @param params Parameters, or groups of them.
   */
  constructor(
    params: readonly Tensor[] | readonly GroupOptions<AdagradOptions>[],
    options: Partial<AdagradOptions> = {},
  ) {
    const { lr = 1e-2, lrDecay = 0, initialAccumulatorValue = 0, eps = 1e-10, weightDecay = 0, maximize = false } =
      options;
    super(
      params,
      { lr, lrDecay, initialAccumulatorValue, eps, weightDecay, maximize },
      (o) => ({ sum: o.initialAccumulatorValue }),
    );
  }

  /** See {@linkcode Optimizer}. */
  protected override update(
    param: Tensor,
    grad: Tensor,
    { step, slots: { sum } }: ParameterState,
    o: Required<AdagradOptions>,
  ): void {
    const { lr, lrDecay, eps, weightDecay } = o;
    into(sum, "adagrad", [sum, param, grad, weightDecay], (s, x, g, decay) => {
      const now = counted(o, x, g, decay);
      return plus(s, times(now, now));
    });
    into(
      param,
      "adagrad",
      [param, grad, sum, weightDecay, lr / (1 + (step - 1) * lrDecay), eps],
      (x, g, s, decay, rate, small) => minus(x, over(times(rate, counted(o, x, g, decay)), plus(root(s), small))),
    );
  }
}

/** How {@linkcode Adadelta} goes. */
export interface AdadeltaOptions extends OptimizerOptions {
  /** How slowly the means move. Default 0.9. */
  rho?: number;
  /** What is added below the roots. Default 1e-6. */
  eps?: number;
}

/** Steps as long as those before, over the root of the mean square. Its rate is 1 by default. */
export class Adadelta extends Optimizer<AdadeltaOptions> {
  /**
   * An optimizer of these parameters.
   *
   * @param params Parameters, or groups of them.
   */
  constructor(
    params: readonly Tensor[] | readonly GroupOptions<AdadeltaOptions>[],
    options: Partial<AdadeltaOptions> = {},
  ) {
    const { lr = 1, rho = 0.9, eps = 1e-6, weightDecay = 0, maximize = false } = options;
    super(params, { lr, rho, eps, weightDecay, maximize }, () => ({ square_avg: 0, acc_delta: 0 }));
  }

  /** See {@linkcode Optimizer}. */
  protected override update(
    param: Tensor,
    grad: Tensor,
    { slots: { square_avg: squares, acc_delta: steps } }: ParameterState,
    o: Required<AdadeltaOptions>,
  ): void {
    const { lr, rho, eps, weightDecay } = o;
    into(squares, "adadelta", [squares, param, grad, weightDecay, rho, 1 - rho], (v, x, g, decay, slow, part) => {
      const now = counted(o, x, g, decay);
      return plus(times(slow, v), times(part, times(now, now)));
    });
    using way = param.runner.kernel(
      "adadelta",
      param.shape,
      [param, grad, squares, steps, ...[weightDecay, eps].map((value) => ({ value, dtype: "f32" as const }))],
      (x, g, v, u, decay, small) => times(over(root(plus(u, small)), root(plus(v, small))), counted(o, x, g, decay)),
    );
    into(
      steps,
      "adadelta",
      [steps, way, rho, 1 - rho],
      (u, w, slow, part) => plus(times(slow, u), times(part, times(w, w))),
    );
    into(param, "adadelta", [param, way, lr], (x, w, rate) => minus(x, times(rate, w)));
  }
}
