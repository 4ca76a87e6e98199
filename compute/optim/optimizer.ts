/**
 * What optimizers share: groups of parameters with options of their own, a state for each parameter, steps.
 *
 * @module
 */
import { noGrad } from "../tensors/autograd/modes.ts";
import type { Flat } from "../tensors/data.ts";
import { type KernelOperand, Tensor } from "../tensors/tensor.ts";
import type { Forward } from "../table/expression.ts";
import { ComputeError } from "../values/errors.ts";

/** What every optimizer takes. */
export interface OptimizerOptions {
  /** The rate. */
  lr: number;
  /** How much of a parameter is added to its gradient, or taken off it: it decays. Default 0, where not said otherwise. */
  weightDecay?: number;
  /** Goes up, not down. Default false. */
  maximize?: boolean;
}

/** Parameters with options that differ from the optimizer's. */
export type GroupOptions<O> = Partial<O> & {
  /** The parameters. */
  readonly params: readonly Tensor[];
};

/** A group: its options may be changed between steps, by a schedule for example. */
export interface Group<O> {
  /** The parameters. */
  readonly params: readonly Tensor[];
  /** Their options, with all defaults. */
  readonly options: Required<O>;
}

/** What of an optimizer's state is no tensor. */
export interface OptimizerValues {
  /** Steps of each parameter, in the order of the groups. */
  readonly steps: readonly number[];
  /** Options of each group. */
  readonly groups: readonly Readonly<Record<string, number | boolean>>[];
}

/** What one parameter has. */
export interface ParameterState {
  /** Steps that were made, this one included. */
  readonly step: number;
  /** Its tensors, by their names. */
  readonly slots: Readonly<Record<string, Tensor>>;
}

interface Own {
  step: number;
  readonly slots: Readonly<Record<string, Tensor>>;
}

/**
 * An optimizer. Subclasses name the tensors that each parameter has besides, and say what a step does to one. Its tensors are made
 * when it is, as zeros, and go with it: it is held by `using`, or until {@linkcode Optimizer.dispose}.
 */
export abstract class Optimizer<O extends OptimizerOptions = OptimizerOptions> implements Disposable {
  /** The groups. */
  readonly groups: readonly Group<O>[];
  readonly #own = new Map<Tensor, Own>();

  /**
   * Makes the tensors of each parameter.
   *
   * @param params Parameters, or groups of them.
   * @param slots Names of the tensors that a parameter has, by the options of its group, with their first value.
   */
  constructor(
    params: readonly Tensor[] | readonly GroupOptions<O>[],
    options: Required<O>,
    slots: (options: Required<O>) => Readonly<Record<string, number>>,
  ) {
    const given: readonly GroupOptions<O>[] = params.every((one) => one instanceof Tensor)
      ? [{ params } as GroupOptions<O>]
      : params as readonly GroupOptions<O>[];
    this.groups = given.map(({ params, ...rest }) => ({ params: [...params], options: { ...options, ...rest } }));
    const all = this.groups.flatMap((one) => one.params);
    if (all.length === 0) throw new RangeError("an optimizer takes parameters; there are none");
    if (new Set(all).size !== all.length) throw new RangeError("a parameter is there twice");
    const wrong = all.find((one) => one.node?.op !== "leaf");
    if (wrong) throw new RangeError(`tensor ${wrong.id} of ${wrong.made} is no leaf that asks for gradients`);
    for (const { params, options } of this.groups) {
      const wrong = wrongNumber(options);
      if (wrong) throw new RangeError(wrong);
      for (const param of params) {
        const made = Object.entries(slots(options)).map(([name, first]) => [name, filledLike(param, first)] as const);
        this.#own.set(param, { step: 0, slots: Object.fromEntries(made) });
      }
    }
  }

  /** Does to a parameter what a step does: writes to it and to its tensors. It is not recorded, and runs in a scope. */
  protected abstract update(param: Tensor, grad: Tensor, state: ParameterState, options: Required<O>): void;

  /** One step of all parameters that have a gradient. */
  step(): void {
    noGrad(() => {
      for (const { params, options } of this.groups) {
        for (const param of params) {
          const { grad } = param;
          if (grad === undefined) continue;
          const own = this.#own.get(param)!;
          param.runner.scope(() => this.update(param, grad, { step: own.step + 1, slots: own.slots }, options));
          own.step++;
        }
      }
    });
  }

  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    for (const param of this.#own.keys()) param.clearGrad();
  }

  /** Its tensors, by the number of the parameter and their name: `3.exp_avg`. They are its own, not copies. */
  stateDict(): Map<string, Tensor> {
    return new Map(
      [...this.#own.values()].flatMap(({ slots }, i) =>
        Object.entries(slots).map(([name, tensor]) => [`${i}.${name}`, tensor] as const)
      ),
    );
  }

  /** What of its state is no tensor. */
  values(): OptimizerValues {
    return {
      steps: [...this.#own.values()].map(({ step }) => step),
      groups: this.groups.map(({ options }) => ({ ...options as unknown as Record<string, number | boolean> })),
    };
  }

  /**
   * Takes a state over, options included. Nothing is written unless names and shapes fit.
   *
   * @throws {ComputeError} `E_STATE` for a state of other parameters, groups or options, `E_SHAPE`.
   */
  loadState(
    tensors: ReadonlyMap<string, Tensor | { readonly shape: readonly number[]; readonly data: Flat }>,
    values: OptimizerValues,
  ): void {
    const own = this.stateDict();
    const refuse = (message: string): never => {
      throw new ComputeError("E_STATE", "load_state", `${message}; make the optimizer as it was made`);
    };
    const names = [...own.keys()].filter((name) => !tensors.has(name));
    if (names.length > 0 || tensors.size !== own.size) {
      refuse(`${tensors.size} tensors do not fit the ${own.size} of the optimizer`);
    }
    if (
      values.steps.length !== this.#own.size || values.groups.length !== this.groups.length ||
      !values.steps.every((one) => Number.isSafeInteger(one) && one >= 0)
    ) refuse(`${values.steps.length} parameters in ${values.groups.length} groups do not fit`);
    this.groups.forEach(({ options }, i) => {
      const there = values.groups[i];
      for (const [name, value] of Object.entries(options)) {
        if (typeof there[name] !== typeof value) refuse(`group ${i} says nothing of ${name}`);
      }
      const wrong = wrongNumber(there);
      if (wrong) refuse(`in group ${i} ${wrong}`);
    });
    for (const [name, to] of own) {
      const { shape } = tensors.get(name)!;
      if (`${shape}` === `${to.shape}`) continue;
      throw new ComputeError("E_SHAPE", "load_state", `${name} is [${shape}] there and [${to.shape}] here`);
    }
    noGrad(() => {
      for (const [name, to] of own) {
        const from = tensors.get(name)!;
        to.write(from instanceof Tensor ? from : from.data);
      }
    });
    [...this.#own.values()].forEach((one, i) => one.step = values.steps[i]);
    this.groups.forEach(({ options }, i) => {
      for (const name of Object.keys(options)) Object.assign(options, { [name]: values.groups[i][name] });
    });
  }

  /** Disposes of its tensors; the parameters stay. */
  dispose(): void {
    for (const tensor of this.stateDict().values()) tensor.dispose();
  }

  /** See {@linkcode Optimizer.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Computes element by element and writes the result; numbers are read when it runs, so that they may change. */
export function into(to: Tensor, op: string, operands: readonly (Tensor | number)[], forward: Forward): void {
  const given = operands.map((one): KernelOperand => typeof one === "number" ? { value: one, dtype: "f32" } : one);
  using made = to.runner.kernel(op, to.shape, given, forward);
  to.write(made);
}

function filledLike(x: Tensor, value: number): Tensor {
  return noGrad(() => x.runner.kernel("full", x.shape, [{ value, dtype: "f32" }], (one) => one));
}

/** What is wrong with options: NaN, what has no end, and numbers below 0. */
function wrongNumber(options: object): string | undefined {
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === "number" && !(value >= 0 && value < Infinity)) return `${name} is 0 or more, not ${value}`;
    if (/^(?:beta\d|rho|alpha)$/.test(name) && value >= 1) return `${name} is below 1, not ${value}`;
  }
}
