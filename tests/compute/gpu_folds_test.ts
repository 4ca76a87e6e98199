/**
 * Folds and products on WebGPU, beside NumPy.
 *
 * @module
 */
import { foldsSuite } from "./folds_suite.ts";

foldsSuite({ device: "gpu" }, "vulkan");
