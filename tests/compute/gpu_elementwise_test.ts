/**
 * Elements on WebGPU, beside NumPy.
 *
 * @module
 */
import { elementwiseSuite } from "./elementwise_suite.ts";

elementwiseSuite({ device: "gpu" }, "vulkan");
