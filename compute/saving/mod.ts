/**
 * What was learned, in files: the state of a module as safetensors, which PyTorch's users read and write, and checkpoints, from which
 * a training goes on as if it had never stopped.
 *
 * @example
 * ```ts
 * import { Generator, openEngine } from "@alknet/compute";
 * import { Linear } from "@alknet/compute/nn";
 * import { loadInto, saveState } from "@alknet/compute/saving";
 * import assert from "node:assert/strict";
 *
 * await using engine = await openEngine({ device: "cpu" });
 * const init = { engine, generator: new Generator(1) };
 * using one = new Linear(init, 3, 2);
 * const path = await Deno.makeTempFile({ suffix: ".safetensors" });
 * await saveState(path, one.stateDict());
 *
 * using other = new Linear(init, 3, 2);
 * await loadInto(other, path);
 * assert.deepEqual(await other.weight.read(), await one.weight.read());
 * await Deno.remove(path);
 * ```
 *
 * @module
 */
export { type CheckpointValues, loadCheckpoint, saveCheckpoint, type Training } from "./checkpoint.ts";
export {
  heldState,
  type HeldTensor,
  type LoadedState,
  loadInto,
  loadState,
  type SaveOptions,
  saveState,
} from "./state.ts";
