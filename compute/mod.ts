/**
 * Tensors on the processor or on WebGPU.
 *
 * @module
 */
export { openEngine } from "./tensors/open.ts";
