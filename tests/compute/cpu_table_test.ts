/**
 * Long dims, random numbers and errors of the table of operations on the processor.
 *
 * @module
 */
import { tableSuite } from "./table_suite.ts";

tableSuite({ device: "cpu", threads: 2 });
