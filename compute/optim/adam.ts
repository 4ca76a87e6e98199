/**
 * Adam and its kin: a mean of gradients over the root of a mean of squares.
 *
 * @module
 */
import { binary, unary } from "../table/expression.ts";
import { div, mul, where } from "../functions/elements/broadcasting.ts";
import { norm } from "../functions/folding/statistics.ts";
import type { Tensor } from "../tensors/tensor.ts";
import { type GroupOptions, into, Optimizer, type OptimizerOptions, type ParameterState } from "./optimizer.ts";
import { counted, minus, over, plus, root, times, towards } from "./trees.ts";

/** What all of them take. */
export interface MomentOptions extends OptimizerOptions {
  /** How slowly the mean moves. Default 0.9. */
  beta1?: number;
  /** How slowly the mean of squares moves. Default 0.999. */
  beta2?: number;
  /** What is added to the root. Default 1e-8, of {@linkcode LAMB} 1e-6. */
  eps?: number;
}

/** How {@linkcode Adam} goes. */
export interface AdamOptions extends MomentOptions {
  /** Takes the largest mean of squares that there was. Default false. */
  amsgrad?: boolean;
}

/** How {@linkcode NAdam} goes. */
export interface NAdamOptions extends MomentOptions {
  /** How the momentum grows. Default 4e-3. */
  momentumDecay?: number;
}

/** Beside 1, in numbers of 64 bits. */
const NO_LONGER_COUNTS = 1e-20;

type Given<O> = readonly Tensor[] | readonly GroupOptions<O>[];

/** Divides a mean of gradients by the root of a mean of squares. Its rate is 1e-3 by default; what decays is in the gradient. */
export class Adam extends Optimizer<AdamOptions> {
  /**
   * An optimizer of these parameters.
   *
   * @param params Parameters, or groups of them.
   */
  constructor(params: Given<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(
      params,
      { ...moments(options), amsgrad: options.amsgrad ?? false },
      (o) => ({ exp_avg: 0, exp_avg_sq: 0, ...o.amsgrad ? { max_exp_avg_sq: 0 } : {} }),
    );
  }

  /** See {@linkcode Optimizer}. */
  protected override update(param: Tensor, grad: Tensor, state: ParameterState, o: Required<AdamOptions>): void {
    const { exp_avg: means, exp_avg_sq: squares, max_exp_avg_sq: most } = state.slots;
    moved(param, grad, state, o);
    if (most) into(most, "adam", [most, squares], (a, b) => binary("max", a, b));
    const [one, two] = corrections(state.step, o);
    into(
      param,
      "adam",
      [param, means, most ?? squares, o.lr / one, Math.sqrt(two), o.eps],
      (x, m, v, rate, by, small) => minus(x, times(rate, over(m, plus(over(root(v), by), small)))),
    );
  }
}

/** {@linkcode Adam} whose parameters decay by themselves: 1e-2 by default. */
export class AdamW extends Adam {
  /**
   * An optimizer of these parameters.
   *
   * @param params Parameters, or groups of them.
   */
  constructor(params: Given<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, { weightDecay: 1e-2, ...options });
  }

  /** See {@linkcode Optimizer}. */
  protected override update(param: Tensor, grad: Tensor, state: ParameterState, o: Required<AdamOptions>): void {
    if (o.weightDecay !== 0) into(param, "adamw", [param, 1 - o.lr * o.weightDecay], times);
    super.update(param, grad, state, { ...o, weightDecay: 0 });
  }
}

/** {@linkcode Adam} by the largest gradient, which decays. Its rate is 2e-3 by default. */
export class Adamax extends Optimizer<MomentOptions> {
  /**
   * An optimizer of these parameters.
   *
   * @param params Parameters, or groups of them.
   */
  constructor(params: Given<MomentOptions>, options: Partial<MomentOptions> = {}) {
    super(params, moments({ lr: 2e-3, ...options }), () => ({ exp_avg: 0, exp_inf: 0 }));
  }

  /** See {@linkcode Optimizer}. */
  protected override update(
    param: Tensor,
    grad: Tensor,
    { step, slots: { exp_avg: means, exp_inf: most } }: ParameterState,
    o: Required<MomentOptions>,
  ): void {
    const { lr, beta1, beta2, eps, weightDecay } = o;
    into(
      means,
      "adamax",
      [means, param, grad, weightDecay, 1 - beta1],
      (m, x, g, decay, part) => towards(m, counted(o, x, g, decay), part),
    );
    into(
      most,
      "adamax",
      [most, param, grad, weightDecay, beta2, eps],
      (u, x, g, decay, slow, small) =>
        binary("max", times(slow, u), plus(unary("abs", counted(o, x, g, decay)), small)),
    );
    into(
      param,
      "adamax",
      [param, means, most, lr / (1 - beta1 ** step)],
      (x, m, u, rate) => minus(x, over(times(rate, m), u)),
    );
  }
}

/** {@linkcode Adam} that looks ahead. Its rate is 2e-3 by default. */
export class NAdam extends Optimizer<NAdamOptions> {
  /** The last product of all momenta, by what it follows from. */
  readonly #products = new Map<string, { step: number; product: number }>();

  /**
   * An optimizer of these parameters.
   *
   * @param params Parameters, or groups of them.
   */
  constructor(params: Given<NAdamOptions>, options: Partial<NAdamOptions> = {}) {
    super(
      params,
      { ...moments({ lr: 2e-3, ...options }), momentumDecay: options.momentumDecay ?? 4e-3 },
      () => ({ exp_avg: 0, exp_avg_sq: 0 }),
    );
  }

  /** See {@linkcode Optimizer}. */
  protected override update(param: Tensor, grad: Tensor, state: ParameterState, o: Required<NAdamOptions>): void {
    const { step, slots: { exp_avg: means, exp_avg_sq: squares } } = state;
    const { lr, beta1, eps, weightDecay, momentumDecay } = o;
    moved(param, grad, state, o);
    const momentum = (at: number): number => beta1 * (1 - 0.5 * 0.96 ** (at * momentumDecay));
    const product = this.#product(`${beta1} ${momentumDecay}`, step, momentum);
    const [now, next] = [momentum(step), momentum(step + 1)];
    const [, two] = corrections(step, o);
    const rates = [lr * (1 - now) / (1 - product), lr * next / (1 - product * next)];
    into(
      param,
      "nadam",
      [param, grad, means, squares, weightDecay, two, eps, ...rates],
      (x, g, m, v, decay, by, small, one, other) => {
        const spread = plus(root(over(v, by)), small);
        const way = plus(times(one, counted(o, x, g, decay)), times(other, m));
        return minus(x, over(way, spread));
      },
    );
  }

  /** Goes on from the last one where it can; one so small that it no longer counts is 0. */
  #product(key: string, to: number, momentum: (step: number) => number): number {
    const last = this.#products.get(key);
    let { step, product } = last && last.step <= to ? last : { step: 0, product: 1 };
    while (step < to && product > 0) {
      product *= momentum(++step);
      if (product < NO_LONGER_COUNTS) product = 0;
    }
    this.#products.set(key, { step: to, product });
    return product;
  }
}

/** {@linkcode Adam} that waits until the mean of squares is to be trusted. */
export class RAdam extends Optimizer<MomentOptions> {
  /**
   * An optimizer of these parameters.
   *
   * @param params Parameters, or groups of them.
   */
  constructor(params: Given<MomentOptions>, options: Partial<MomentOptions> = {}) {
    super(params, moments(options), () => ({ exp_avg: 0, exp_avg_sq: 0 }));
  }

  /** See {@linkcode Optimizer}. */
  protected override update(param: Tensor, grad: Tensor, state: ParameterState, o: Required<MomentOptions>): void {
    const { step, slots: { exp_avg: means, exp_avg_sq: squares } } = state;
    moved(param, grad, state, o);
    const [one, two] = corrections(step, o);
    const most = 2 / (1 - o.beta2) - 1;
    const length = most - 2 * step * o.beta2 ** step / two;
    if (length <= 5) {
      return into(param, "radam", [param, means, o.lr / one], (x, m, rate) => minus(x, times(rate, m)));
    }
    const rectified = Math.sqrt((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length));
    into(
      param,
      "radam",
      [param, means, squares, o.lr / one * rectified * Math.sqrt(two), o.eps],
      (x, m, v, rate, small) => minus(x, over(times(rate, m), plus(root(v), small))),
    );
  }
}

/** {@linkcode AdamW} whose steps are as long as the parameter, layer by layer. What decays is 1e-2 by default. */
export class LAMB extends Optimizer<MomentOptions> {
  /**
   * An optimizer of these parameters.
   *
   * @param params Parameters, or groups of them.
   */
  constructor(params: Given<MomentOptions>, options: Partial<MomentOptions> = {}) {
    super(params, moments({ eps: 1e-6, weightDecay: 1e-2, ...options }), () => ({ exp_avg: 0, exp_avg_sq: 0 }));
  }

  /** See {@linkcode Optimizer}. */
  protected override update(param: Tensor, grad: Tensor, state: ParameterState, o: Required<MomentOptions>): void {
    const { step, slots: { exp_avg: means, exp_avg_sq: squares } } = state;
    moved(param, grad, state, { ...o, weightDecay: 0 });
    const [one, two] = corrections(step, o);
    const numbers = [1 / one, Math.sqrt(two), o.eps, o.weightDecay].map((value) => ({ value, dtype: "f32" as const }));
    const way = param.runner.kernel(
      "lamb",
      param.shape,
      [param, means, squares, ...numbers],
      (x, m, v, by, to, e, l) => plus(over(times(m, by), plus(over(root(v), to), e)), times(l, x)),
    );
    const [own, theirs] = [norm(param), norm(way)];
    const nothing = param.runner.map("eq", [mul(own, theirs), 0]);
    const trust = where(nothing, 1, div(own, theirs));
    into(param, "lamb", [param, way, trust, o.lr], (x, w, much, rate) => minus(x, times(times(rate, much), w)));
  }
}

function moments(options: Partial<MomentOptions>): Required<MomentOptions> {
  const { lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0, maximize = false } = options;
  return { lr, beta1, beta2, eps, weightDecay, maximize };
}

/** Moves both means. */
function moved(param: Tensor, grad: Tensor, { slots }: ParameterState, o: Required<MomentOptions>): void {
  const { exp_avg: means, exp_avg_sq: squares } = slots;
  const { beta1, beta2, weightDecay } = o;
  into(
    means,
    "adam",
    [means, param, grad, weightDecay, 1 - beta1],
    (m, x, g, decay, part) => towards(m, counted(o, x, g, decay), part),
  );
  into(squares, "adam", [squares, param, grad, weightDecay, beta2, 1 - beta2], (v, x, g, decay, slow, part) => {
    const now = counted(o, x, g, decay);
    return plus(times(slow, v), times(part, times(now, now)));
  });
}

/** What means that began as 0 are short of. */
function corrections(step: number, { beta1, beta2 }: Required<MomentOptions>): [number, number] {
  return [1 - beta1 ** step, 1 - beta2 ** step];
}
