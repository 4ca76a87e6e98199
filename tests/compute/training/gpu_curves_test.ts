/**
 * Trainings on WebGPU.
 *
 * @module
 */
import { curvesSuite } from "./curves_suite.ts";

curvesSuite({ device: "gpu" }, { curve: 25, leak: 100 }, "vulkan");
