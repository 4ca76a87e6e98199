/**
 * Optimizers that follow the gradient, or its sign.
 *
 * @module
 */
import type { Tensor } from "../tensors/tensor.ts";
import { type GroupOptions, into, Optimizer, type OptimizerOptions, type ParameterState } from "./optimizer.ts";
import { counted, minus, over, plus, root, signOf, times, towards } from "./trees.ts";

/** How {@linkcode SGD} goes. */
export interface SGDOptions extends OptimizerOptions {
  /** How much of the last step is made again. Default 0. */
  momentum?: number;
  /** How much of the gradient is kept out of that. Default 0. */
  dampening?: number;
  /** Looks ahead by the momentum. Default false. */
  nesterov?: boolean;
}

/** Goes down the gradient, with momentum. Its rate is 1e-3 by default. */
export class SGD extends Optimizer<SGDOptions> {
  /**
   * An optimizer of these parameters.
   *
   * @param params Parameters, or groups of them.
   */
  constructor(params: readonly Tensor[] | readonly GroupOptions<SGDOptions>[], options: Partial<SGDOptions> = {}) {
    const { lr = 1e-3, momentum = 0, dampening = 0, nesterov = false, weightDecay = 0, maximize = false } = options;
    super(
      params,
      { lr, momentum, dampening, nesterov, weightDecay, maximize },
      (o): Record<string, number> => {
        if (o.nesterov && (o.momentum === 0 || o.dampening !== 0)) {
          throw new RangeError("nesterov takes a momentum above 0 and no dampening");
        }
        return o.momentum > 0 ? { momentum_buffer: 0 } : {};
      },
    );
  }

  /** See {@linkcode Optimizer}. */
  protected override update(
    param: Tensor,
    grad: Tensor,
    { step, slots: { momentum_buffer: before } }: ParameterState,
    o: Required<SGDOptions>,
  ): void {
    const { lr, momentum, dampening, weightDecay } = o;
    if (before === undefined) {
      return into(
        param,
        "sgd",
        [param, grad, lr, weightDecay],
        (x, g, rate, decay) => minus(x, times(rate, counted(o, x, g, decay))),
      );
    }
    const first = step === 1;
    into(
      before,
      "sgd",
      [before, param, grad, weightDecay, momentum, 1 - dampening],
      (b, x, g, decay, much, part) => {
        const now = counted(o, x, g, decay);
        return first ? now : plus(times(much, b), times(part, now));
      },
    );
    into(
      param,
      "sgd",
      [param, before, grad, lr, weightDecay, momentum],
      (x, b, g, rate, decay, much) =>
        minus(x, times(rate, o.nesterov ? plus(counted(o, x, g, decay), times(much, b)) : b)),
    );
  }
}

/** How {@linkcode RMSprop} goes. */
export interface RMSpropOptions extends OptimizerOptions {
  /** How slowly the mean of squares moves. Default 0.99. */
  alpha?: number;
  /** What is added to the root. Default 1e-8. */
  eps?: number;
  /** How much of the last step is made again. Default 0. */
  momentum?: number;
  /** Takes the variance of the gradient, not its square. Default false. */
  centered?: boolean;
}

/** Divides by the root of the mean square. Its rate is 1e-2 by default. */
export class RMSprop extends Optimizer<RMSpropOptions> {
  /**
   * An optimizer of these parameters.
   *
   * @param params Parameters, or groups of them.
   */
  constructor(
    params: readonly Tensor[] | readonly GroupOptions<RMSpropOptions>[],
    options: Partial<RMSpropOptions> = {},
  ) {
    const { lr = 1e-2, alpha = 0.99, eps = 1e-8, momentum = 0, centered = false, weightDecay = 0, maximize = false } =
      options;
    super(params, { lr, alpha, eps, momentum, centered, weightDecay, maximize }, (o) => ({
      square_avg: 0,
      ...o.centered ? { grad_avg: 0 } : {},
      ...o.momentum > 0 ? { momentum_buffer: 0 } : {},
    }));
  }

  /** See {@linkcode Optimizer}. */
  protected override update(
    param: Tensor,
    grad: Tensor,
    { slots: { square_avg: squares, grad_avg: means, momentum_buffer: before } }: ParameterState,
    o: Required<RMSpropOptions>,
  ): void {
    const { lr, alpha, eps, momentum, weightDecay } = o;
    into(squares, "rmsprop", [squares, param, grad, weightDecay, alpha, 1 - alpha], (v, x, g, decay, slow, part) => {
      const now = counted(o, x, g, decay);
      return plus(times(slow, v), times(part, times(now, now)));
    });
    if (means) {
      into(
        means,
        "rmsprop",
        [means, param, grad, weightDecay, 1 - alpha],
        (m, x, g, decay, part) => towards(m, counted(o, x, g, decay), part),
      );
    }
    using way = param.runner.kernel(
      "rmsprop",
      param.shape,
      [
        param,
        grad,
        squares,
        means ?? squares,
        ...[weightDecay, eps].map((value) => ({ value, dtype: "f32" as const })),
      ],
      (x, g, v, m, decay, small) => {
        const spread = means ? minus(v, times(m, m)) : v;
        return over(counted(o, x, g, decay), plus(root(spread), small));
      },
    );
    if (before) into(before, "rmsprop", [before, way, momentum], (b, w, much) => plus(times(much, b), w));
    into(param, "rmsprop", [param, before ?? way, lr], (x, w, rate) => minus(x, times(rate, w)));
  }
}

/** How {@linkcode Lion} goes. */
export interface LionOptions extends OptimizerOptions {
  /** How much of the mean is in the sign that is followed. Default 0.9. */
  beta1?: number;
  /** How slowly the mean moves. Default 0.99. */
  beta2?: number;
}

/** Follows the sign of a mean of gradients; decay is apart from it. Its rate is 1e-4 by default. */
export class Lion extends Optimizer<LionOptions> {
  /**
   * An optimizer of these parameters.
   *
   * @param params Parameters, or groups of them.
   */
  constructor(params: readonly Tensor[] | readonly GroupOptions<LionOptions>[], options: Partial<LionOptions> = {}) {
    const { lr = 1e-4, beta1 = 0.9, beta2 = 0.99, weightDecay = 0, maximize = false } = options;
    super(params, { lr, beta1, beta2, weightDecay, maximize }, () => ({ exp_avg: 0 }));
  }

  /** See {@linkcode Optimizer}. */
  protected override update(
    param: Tensor,
    grad: Tensor,
    { slots: { exp_avg: means } }: ParameterState,
    o: Required<LionOptions>,
  ): void {
    const plain = { ...o, weightDecay: 0 };
    const { lr, beta1, beta2, weightDecay } = o;
    into(
      param,
      "lion",
      [param, grad, means, lr, 1 - lr * weightDecay, 1 - beta1],
      (x, g, m, rate, left, part) =>
        minus(times(x, left), times(rate, signOf(towards(m, counted(plain, x, g, part), part)))),
    );
    into(means, "lion", [means, grad, 1 - beta2], (m, g, part) => towards(m, counted(plain, m, g, part), part));
  }
}
