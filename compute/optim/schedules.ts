/**
 * How rates change from step to step: rules, which are functions of the step, and what applies them.
 *
 * @module
 */
import { ComputeError } from "../values/errors.ts";

/** The rate at a step, from 0, and from the rate that a group began with. */
export type Rule = (step: number, base: number) => number;

/** What has rates: an optimizer of any kind. */
export interface Rated {
  /** Groups, whose rates are changed. */
  readonly groups: readonly { readonly options: { lr: number } }[];
}

/** What of a schedule's state goes into a checkpoint. */
export interface ScheduleValues {
  /** Steps that were made. */
  readonly step: number;
  /** Numbers of its own, by name. */
  readonly numbers: Readonly<Record<string, number>>;
  /** The rates that the groups began with. */
  readonly bases: readonly number[];
}

/** Applies a rule to the rates of an optimizer. */
export class Schedule {
  readonly #optimizer: Rated;
  readonly #rules: readonly Rule[];
  #bases: readonly number[];
  #step = 0;

  /**
   * Sets the rates of step 0.
   *
   * @param rules One for all groups, or one for each.
   */
  constructor(optimizer: Rated, rules: Rule | readonly Rule[]) {
    this.#optimizer = optimizer;
    const { groups } = this.#optimizer;
    this.#rules = typeof rules === "function" ? groups.map(() => rules) : rules;
    if (this.#rules.length !== groups.length) {
      throw new RangeError(`${this.#rules.length} rules are not for ${groups.length} groups`);
    }
    this.#bases = groups.map(({ options }) => options.lr);
    this.#apply();
  }

  /** The rates now, group by group. */
  get rates(): number[] {
    return this.#optimizer.groups.map(({ options }) => options.lr);
  }

  /** Goes to the next step; it is called behind that of the optimizer. */
  step(): void {
    this.#step++;
    this.#apply();
  }

  /** Its state. */
  values(): ScheduleValues {
    return { step: this.#step, numbers: {}, bases: this.#bases };
  }

  /**
   * Goes on from a state.
   *
   * @throws {ComputeError} `E_STATE` for one of other groups.
   */
  loadState({ step, bases }: ScheduleValues): void {
    checkState(step, bases, this.#bases.length);
    this.#step = step;
    this.#bases = bases;
    this.#apply();
  }

  #apply(): void {
    this.#optimizer.groups.forEach(({ options }, i) => options.lr = this.#rules[i](this.#step, this.#bases[i]));
  }
}

/** How a {@linkcode Plateau} goes. */
export interface PlateauOptions {
  /** What is better. Default `min`. */
  readonly mode?: "min" | "max";
  /** What rates are multiplied by. Default 0.1. */
  readonly factor?: number;
  /** Steps without getting better that are waited for. Default 10. */
  readonly patience?: number;
  /** How much better counts, as a share. Default 1e-4. */
  readonly threshold?: number;
  /** Steps after a change in which nothing is counted. Default 0. */
  readonly cooldown?: number;
  /** The least rate. Default 0. */
  readonly least?: number;
}

/** Makes rates smaller when a number, the loss for example, no longer gets better. */
export class Plateau {
  readonly #optimizer: Rated;
  readonly #options: Required<PlateauOptions>;
  #step = 0;
  #best: number;
  #bad = 0;
  #cooling = 0;

  /**
   * Whose rates it changes.
   *
   * @param optimizer Whose rates.
   */
  constructor(optimizer: Rated, options: PlateauOptions = {}) {
    const { mode = "min", factor = 0.1, patience = 10, threshold = 1e-4, cooldown = 0, least = 0 } = options;
    if (!(factor > 0 && factor < 1)) throw new RangeError(`factor ${factor} is not between 0 and 1`);
    this.#optimizer = optimizer;
    this.#options = { mode, factor, patience, threshold, cooldown, least };
    this.#best = mode === "min" ? Infinity : -Infinity;
  }

  /** Counts a number. */
  step(value: number): void {
    const { mode, factor, patience, threshold, cooldown, least } = this.#options;
    this.#step++;
    const better = mode === "min" ? value < this.#best * (1 - threshold) : value > this.#best * (1 + threshold);
    if (better) this.#best = value;
    this.#bad = better ? 0 : this.#bad + 1;
    if (this.#cooling > 0) {
      this.#cooling--;
      this.#bad = 0;
    }
    if (this.#bad <= patience) return;
    this.#cooling = cooldown;
    this.#bad = 0;
    for (const { options } of this.#optimizer.groups) options.lr = Math.max(options.lr * factor, least);
  }

  /** Its state; the rates are the optimizer's. */
  values(): ScheduleValues {
    // What is not finite is no JSON: it is left out.
    const best: Record<string, number> = Number.isFinite(this.#best) ? { best: this.#best } : {};
    return { step: this.#step, numbers: { ...best, bad: this.#bad, cooling: this.#cooling }, bases: [] };
  }

  /**
   * Goes on from a state.
   *
   * @throws {ComputeError} `E_STATE` for that of another schedule.
   */
  loadState({ step, numbers, bases }: ScheduleValues): void {
    checkState(step, bases, 0);
    const { best = this.#options.mode === "min" ? Infinity : -Infinity, bad, cooling } = numbers;
    if (![bad, cooling].every(Number.isSafeInteger)) {
      throw new ComputeError("E_STATE", "load_state", "the state is that of another schedule");
    }
    [this.#step, this.#best, this.#bad, this.#cooling] = [step, best, bad, cooling];
  }
}

/** A part of the rate for some steps, then all of it. */
export function constantRule(factor = 1 / 3, total = 5): Rule {
  return (step, base) => step < total ? base * factor : base;
}

/** Times gamma after every so many steps. */
export function stepRule(size: number, gamma = 0.1): Rule {
  return (step, base) => base * gamma ** Math.floor(step / size);
}

/** Times gamma at each of some steps. */
export function multiStepRule(milestones: readonly number[], gamma = 0.1): Rule {
  return (step, base) => base * gamma ** milestones.filter((one) => one <= step).length;
}

/** Times gamma at each step. */
export function exponentialRule(gamma: number): Rule {
  return (step, base) => base * gamma ** step;
}

/** Half a cosine from the rate to the least, in so many steps, and back. */
export function cosineRule(total: number, least = 0): Rule {
  return (step, base) => least + (base - least) * (1 + Math.cos(Math.PI * step / total)) / 2;
}

/** Half a cosine down, again and again; each is `times` as long as that before. */
export function cosineRestartsRule(first: number, times = 1, least = 0): Rule {
  return (step, base) => {
    let [left, length] = [step, first];
    if (times === 1) left %= first;
    else for (; left >= length; length *= times) left -= length;
    return least + (base - least) * (1 + Math.cos(Math.PI * left / length)) / 2;
  };
}

/** From one part of the rate to another in so many steps: a warm-up. */
export function linearRule(total: number, from = 1 / 3, to = 1): Rule {
  return (step, base) => base * (from + (to - from) * Math.min(step, total) / total);
}

/** Down to 0 in so many steps, by a power of what is left. */
export function polynomialRule(total: number, power = 1): Rule {
  return (step, base) => base * (1 - Math.min(step, total) / total) ** power;
}

/** How {@linkcode oneCycleRule} goes. */
export interface OneCycleOptions {
  /** The part of the steps in which the rate grows. Default 0.3. */
  readonly part?: number;
  /** The largest rate over the first. Default 25. */
  readonly divide?: number;
  /** The first rate over the last. Default 1e4. */
  readonly finallyDivide?: number;
}

/** Up to the largest rate and down to next to nothing, by cosines; the rate of the group does not count, nor does its momentum change. */
export function oneCycleRule(most: number, total: number, options: OneCycleOptions = {}): Rule {
  const { part = 0.3, divide = 25, finallyDivide = 1e4 } = options;
  const [first, peak] = [most / divide, part * total - 1];
  const between = (a: number, b: number, share: number): number => b + (a - b) / 2 * (1 + Math.cos(Math.PI * share));
  return (step) =>
    step <= peak
      ? between(first, most, step / peak)
      : between(most, first / finallyDivide, Math.min(1, (step - peak) / (total - 1 - peak)));
}

/** One rule after the other: each begins at its step, which is its step 0. */
export function inTurn(first: Rule, ...others: readonly (readonly [from: number, rule: Rule])[]): Rule {
  return (step, base) => {
    const [from, rule] = others.findLast(([from]) => step >= from) ?? [0, first];
    return rule(step - from, base);
  };
}

function checkState(step: number, bases: readonly number[], groups: number): void {
  const fine = Number.isSafeInteger(step) && step >= 0 && bases.every((one) => one >= 0 && one < Infinity);
  if (fine && bases.length === groups) return;
  throw new ComputeError("E_STATE", "load_state", `${bases.length} rates at step ${step} do not fit ${groups} groups`);
}
