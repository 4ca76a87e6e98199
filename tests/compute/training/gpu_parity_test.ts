/**
 * Modules and optimizers on WebGPU, beside PyTorch's.
 *
 * @module
 */
import { paritySuite } from "./parity_suite.ts";

await paritySuite({ device: "gpu" }, 10, "vulkan");
