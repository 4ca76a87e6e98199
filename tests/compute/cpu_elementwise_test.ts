/**
 * Elements on the processor, beside NumPy.
 *
 * @module
 */
import { elementwiseSuite } from "./elementwise_suite.ts";

elementwiseSuite({ device: "cpu", threads: 2 });
