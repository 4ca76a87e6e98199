/**
 * How the optimizers and schedules are made here; their names are those of optimizers.py.
 *
 * @module
 */
import type { Tensor } from "@alknet/compute";
import * as o from "@alknet/compute/optim";

/** By name, how an optimizer is made. */
export const OPTIMIZERS: Readonly<Record<string, (params: readonly Tensor[]) => Made>> = {
  "SGD": (p) => new o.SGD(p, { lr: 0.05 }),
  "SGD with momentum": (p) => new o.SGD(p, { lr: 0.02, momentum: 0.9, dampening: 0.3, weightDecay: 0.01 }),
  "SGD ahead": (p) => new o.SGD(p, { lr: 0.02, momentum: 0.8, nesterov: true }),
  "SGD up": (p) => new o.SGD(p, { lr: 0.001, maximize: true }),
  "SGD in groups": ([w, b]) => new o.SGD([{ params: [w] }, { params: [b], lr: 0.01, momentum: 0.5 }], { lr: 0.05 }),
  "Adam": (p) => new o.Adam(p, { lr: 0.01 }),
  "Adam with decay": (p) => new o.Adam(p, { lr: 0.02, beta1: 0.8, beta2: 0.95, eps: 1e-6, weightDecay: 0.1 }),
  "Adam of the most": (p) => new o.Adam(p, { lr: 0.05, amsgrad: true }),
  "AdamW": (p) => new o.AdamW(p, { lr: 0.02, weightDecay: 0.1 }),
  "Adamax": (p) => new o.Adamax(p, { lr: 0.02, weightDecay: 0.01 }),
  "NAdam": (p) => new o.NAdam(p, { lr: 0.01, weightDecay: 0.01 }),
  "RAdam": (p) => new o.RAdam(p, { lr: 0.02 }),
  "RMSprop": (p) => new o.RMSprop(p, { lr: 0.01 }),
  "RMSprop centered": (p) =>
    new o.RMSprop(p, { lr: 0.005, alpha: 0.9, momentum: 0.5, centered: true, weightDecay: 0.01 }),
  "Adagrad": (p) => new o.Adagrad(p, { lr: 0.1, lrDecay: 0.01, initialAccumulatorValue: 0.1, weightDecay: 0.01 }),
  "Adadelta": (p) => new o.Adadelta(p, { lr: 1, weightDecay: 0.01 }),
  "Lion": (p) => new o.Lion(p, { lr: 0.004, weightDecay: 0.1 }),
  "LAMB": (p) => new o.LAMB(p, { lr: 0.01, weightDecay: 0.05 }),
};

/** What the tests ask of an optimizer. */
export type Made = Pick<o.Optimizer, "step" | "zeroGrad" | "stateDict" | "values" | "loadState"> & o.Rated & Disposable;

/** By name, a rule; a plateau is made by itself. */
export const SCHEDULES: Readonly<Record<string, o.Rule>> = {
  "constant": o.constantRule(0.25, 7),
  "step": o.stepRule(6, 0.5),
  "multistep": o.multiStepRule([4, 9, 30], 0.3),
  "exponential": o.exponentialRule(0.9),
  "cosine": o.cosineRule(15, 0.01),
  "cosine restarts": o.cosineRestartsRule(5, 2, 0.01),
  "cosine restarts of one length": o.cosineRestartsRule(7),
  "linear": o.linearRule(8, 0.1),
  "polynomial": o.polynomialRule(20, 2),
  "one cycle": o.oneCycleRule(2, 40),
  "in turn": o.inTurn(o.linearRule(5, 0.1), [5, o.exponentialRule(0.8)]),
};
