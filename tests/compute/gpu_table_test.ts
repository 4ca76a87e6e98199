/**
 * Long dims, random numbers and errors of the table of operations on WebGPU.
 *
 * @module
 */
import { tableSuite } from "./table_suite.ts";

tableSuite({ device: "gpu" }, "vulkan");
