/**
 * Trainings on the CPU.
 *
 * @module
 */
import { curvesSuite } from "./curves_suite.ts";

curvesSuite({ device: "cpu", threads: 1 }, { curve: 100, leak: 10_000 });
