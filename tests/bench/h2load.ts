/**
 * h2load as a contestant.
 *
 * @module
 */
import { runProgram } from "../support/process.ts";
import type { Contestant } from "./harness.ts";

/** Requests of a run of one second; h2load counts requests, not time. */
const REQUESTS_PER_SECOND = 30_000;
const MIN_REQUESTS = 100;

/** Requests a second, with h2load's options and the URL. */
export function h2Requests(options: readonly string[]): Contestant {
  return {
    async measure(_task, seconds) {
      const count = Math.max(MIN_REQUESTS, Math.round(seconds * REQUESTS_PER_SECOND));
      const { stdout } = await runProgram("h2load", ["-n", `${count}`, ...options]);
      if (!/ 0 failed, 0 errored/.test(stdout)) throw new Error(stdout);
      return Number(/([\d.]+) req\/s/.exec(stdout)?.[1]);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
