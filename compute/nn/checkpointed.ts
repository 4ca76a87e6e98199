/**
 * A module whose values on the way are computed twice, to save room.
 *
 * @module
 */
import { checkpoint } from "../functions/gradients/gradients.ts";
import type { Tensor } from "../tensors/tensor.ts";
import type { Module } from "./module.ts";

/**
 * Calls a module and keeps nothing of what it made on the way; going back calls it again, with the same draws. A batch norm
 * counts the batch both times, as PyTorch's does.
 *
 * @throws {ComputeError} `E_GRAPH` for gradients of gradients.
 */
export function checkpointed(module: Module<readonly Tensor[]>, inputs: readonly Tensor[]): Tensor {
  const own = [...inputs, ...module.parameters().filter((one) => one.requiresGrad)];
  if (!own.some((one) => one.requiresGrad)) return module.call(...inputs);
  // Parameters are named as inputs, so that one at least asks for gradients; the module reads its own.
  return checkpoint((...given) => module.call(...given.slice(0, inputs.length)), own, {
    generators: module.generators(),
  });
}
