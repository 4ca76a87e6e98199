/**
 * Learning: optimizers, schedules of their rates, gradients that are cut, a mean of what was learned.
 *
 * An {@linkcode Optimizer} takes parameters, or groups of them with options of their own, and writes to them in
 * {@linkcode Optimizer.step}; options are PyTorch's, in numbers and booleans (`beta1`, `beta2`). Its state is in tensors beside the
 * parameters, so that it is held by `using`. Between a forward and its backward a step is refused with `E_VERSION`.
 *
 * @example
 * ```ts
 * import { openEngine, square, sub, sum } from "@alknet/compute";
 * import { clipGradNorm, cosineRule, Schedule, SGD } from "@alknet/compute/optim";
 * import assert from "node:assert/strict";
 *
 * await using engine = await openEngine({ device: "cpu" });
 * using x = engine.tensor([4, -3]);
 * x.requiresGrad = true;
 * using optimizer = new SGD([x], { lr: 0.2, momentum: 0.5 });
 * const schedule = new Schedule(optimizer, cosineRule(50));
 * for (let step = 0; step < 50; step++) {
 *   optimizer.zeroGrad();
 *   engine.scope(() => {
 *     sum(square(sub(x, 1))).backward();
 *     clipGradNorm([x], 10);
 *   });
 *   optimizer.step();
 *   schedule.step();
 * }
 * assert.deepEqual([...await x.read()].map((one) => one.toFixed(3)), ["1.000", "1.000"]);
 * ```
 *
 * @module
 */
export {
  Adam,
  Adamax,
  type AdamOptions,
  AdamW,
  LAMB,
  type MomentOptions,
  NAdam,
  type NAdamOptions,
  RAdam,
} from "./adam.ts";
export { Adadelta, type AdadeltaOptions, Adagrad, type AdagradOptions } from "./adaptive.ts";
export { MovingAverage } from "./average.ts";
export { clipGradNorm, clipGradValue } from "./clip.ts";
export {
  type Group,
  type GroupOptions,
  Optimizer,
  type OptimizerOptions,
  type OptimizerValues,
  type ParameterState,
} from "./optimizer.ts";
export {
  constantRule,
  cosineRestartsRule,
  cosineRule,
  exponentialRule,
  inTurn,
  linearRule,
  multiStepRule,
  type OneCycleOptions,
  oneCycleRule,
  Plateau,
  type PlateauOptions,
  polynomialRule,
  type Rated,
  type Rule,
  Schedule,
  type ScheduleValues,
  stepRule,
} from "./schedules.ts";
export { Lion, type LionOptions, RMSprop, type RMSpropOptions, SGD, type SGDOptions } from "./sgd.ts";
