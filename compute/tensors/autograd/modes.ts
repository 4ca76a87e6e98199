/**
 * Whether operations are recorded for gradients: a mode of the code that runs, which what it awaits inherits (compute.md §7).
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** Recorded; not; or not, and never to be used where something is. */
export type GradMode = "enabled" | "disabled" | "inference";

const modes = new AsyncLocalStorage<GradMode>();

/** The mode of the code that runs. */
export function gradMode(): GradMode {
  return modes.getStore() ?? "enabled";
}

/** Runs a function in a mode, with all that it awaits. */
export function inMode<T>(mode: GradMode, run: () => T): T {
  return modes.run(mode, run);
}

/** Runs a function, which may be asynchronous, and records none of its operations. */
export function noGrad<T>(run: () => T): T {
  return inMode("disabled", run);
}

/** Runs a function whose operations are recorded, within {@linkcode noGrad} too. */
export function enableGrad<T>(run: () => T): T {
  return inMode("enabled", run);
}

/**
 * Runs a function whose results no gradient will be asked through: as {@linkcode noGrad}, and a tensor made within is refused
 * with `E_GRAPH` where an operation is recorded.
 */
export function inferenceMode<T>(run: () => T): T {
  return inMode("inference", run);
}
