/**
 * What a parsed command line comes to.
 *
 * @module
 */
import type { Parser } from "@optique/core/parser";

/** What a command line asks for, ready to run. Resolves to the exit code; rejects with what to report. */
export type Action = () => number | Promise<number>;

/** The grammar of one command. */
export type Command = Parser<"sync", Action, unknown>;
