/**
 * Modules and optimizers on the CPU, beside PyTorch's.
 *
 * @module
 */
import { paritySuite } from "./parity_suite.ts";

await paritySuite({ device: "cpu", threads: 1 }, 100);
