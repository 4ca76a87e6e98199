/**
 * Folds and products on the processor, beside NumPy.
 *
 * @module
 */
import { foldsSuite } from "./folds_suite.ts";

foldsSuite({ device: "cpu", threads: 2 });
