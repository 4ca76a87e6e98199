/**
 * Gradients on the CPU.
 *
 * @module
 */
import { autogradSuite } from "./autograd_suite.ts";

autogradSuite({ device: "cpu", threads: 1 });
