/**
 * Gradients on WebGPU, beside PyTorch's.
 *
 * @module
 */
import { gradientSuite } from "./gradients.ts";

for (const family of ["elements", "shapes", "folding", "indexing", "layers"]) {
  await gradientSuite(family, { device: "gpu" }, "vulkan");
}
