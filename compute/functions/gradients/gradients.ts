/**
 * Gradients as values, and gradients of what is computed twice to save room (compute.md §7).
 *
 * @module
 */
import type { BackwardOptions, Tensor } from "../../tensors/tensor.ts";
import { enableGrad, gradMode } from "../../tensors/autograd/modes.ts";
import type { Generator } from "../random/random.ts";
import { refuse } from "../tools/tools.ts";

/** How {@linkcode grad} goes. */
export interface GradOptions extends BackwardOptions {
  /** What comes from beyond each result; 1 by default for one element. */
  readonly gradients?: readonly (Tensor | undefined)[];
}

/** How {@linkcode checkpoint} goes. */
export interface CheckpointOptions {
  /** Generators that the function draws from, which draw the same again. */
  readonly generators?: readonly Generator[];
}

/**
 * The gradients of results by tensors that they were made from; no {@linkcode Tensor.grad} changes.
 *
 * @param of Leaves, or what was made on the way.
 * @returns One for each, as tensors of their own; undefined for those that the results were not made from.
 * @throws {ComputeError} `E_GRAPH`, `E_SHAPE`, `E_VERSION` as {@linkcode Tensor.backward}.
 */
export function grad(
  results: Tensor | readonly Tensor[],
  of: readonly Tensor[],
  options: GradOptions = {},
): (Tensor | undefined)[] {
  const roots = [results].flat() as Tensor[];
  const [first] = roots;
  if (first === undefined) throw new TypeError("grad needs a result");
  return first.runner.gradients(roots, of, options);
}

/**
 * Runs a function and forgets what it made on the way; going back runs it again. Its tensors of other places get gradients in
 * their {@linkcode Tensor.grad} when there are some to collect.
 *
 * @param run Gives the same each time.
 * @param inputs What it takes, one of which at least asks for gradients.
 * @throws {ComputeError} `E_GRAPH` where none does, and for gradients of gradients.
 */
export function checkpoint(
  run: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  options: CheckpointOptions = {},
): Tensor {
  const { generators = [] } = options;
  const [first] = inputs;
  if (first === undefined) throw new TypeError("checkpoint needs an input");
  if (gradMode() === "enabled" && !inputs.some((one) => one.requiresGrad)) {
    refuse("E_GRAPH", "checkpoint", "no input asks for gradients; pass the weights as inputs, or call the function");
  }
  const offsets = generators.map(({ offset }) => offset);
  const forward = (): Tensor => first.runner.scope(({ keep }) => keep(run(...inputs)));
  return first.runner.withGradient("checkpoint", inputs, forward, inputs.map((_, i) => i), (g, saved, wanted) => {
    if (gradMode() === "enabled") {
      refuse("E_GRAPH", "checkpoint", "it has no gradients of gradients; call the function");
    }
    const now = generators.map(({ offset }) => offset);
    generators.forEach((one, i) => one.rewind(offsets[i]));
    const again = saved.map((one, i) => {
      const copy = one.detach();
      if (wanted[i]) copy.requiresGrad = true;
      return copy;
    });
    try {
      enableGrad(() => run(...again)).backward(g);
    } finally {
      generators.forEach((one, i) => one.rewind(now[i]));
    }
    return again.map((one, i) => wanted[i] ? one.grad?.detach() : undefined);
  });
}
