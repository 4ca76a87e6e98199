/**
 * Gradients on WebGPU.
 *
 * @module
 */
import { autogradSuite } from "./autograd_suite.ts";

autogradSuite({ device: "gpu" }, "vulkan");
