/**
 * The runs of an isolate: each with its budget, its clock and its one result.
 *
 * @module
 */
import { GuestError } from "./errors.ts";
import type { GuestLimits } from "./limits.ts";

/** One run. */
export interface Run {
  /** Names it in the guest. */
  readonly id: number;
  /** How it ends. */
  readonly result: PromiseWithResolvers<unknown>;
  /** Milliseconds that it may still compute. */
  cpu: number;
  /** Calls to the host so far. */
  calls: number;
  /** Aborted when it ends badly: what it has begun elsewhere ends with it. */
  readonly failed: AbortSignal;
  /** Ends it well; the first end counts. */
  succeed(value: unknown): void;
  /** Ends it badly; the first end counts. */
  fail(error: unknown): void;
}

/** Runs that have not ended. */
export class RunTable {
  readonly #open = new Map<number, Run>();
  #last = 0;

  /** Begins a run, whose wall clock runs from now. */
  open(limits: GuestLimits, signal?: AbortSignal): Run {
    const id = ++this.#last;
    const result = Promise.withResolvers<unknown>();
    const failed = new AbortController();
    const timer = setTimeout(
      () => run.fail(new GuestError("E_TIMEOUT", `the guest did not answer within ${limits.wall} ms`)),
      limits.wall,
    );
    const aborted = () => run.fail(new GuestError("E_ABORTED", "the call was aborted", { cause: signal?.reason }));
    const end = () => {
      this.#open.delete(id);
      clearTimeout(timer);
      signal?.removeEventListener("abort", aborted);
    };
    const run: Run = {
      id,
      result,
      cpu: limits.cpu,
      calls: 0,
      failed: failed.signal,
      succeed(value) {
        end();
        result.resolve(value);
      },
      fail(error) {
        end();
        result.reject(error);
        failed.abort();
      },
    };
    signal?.addEventListener("abort", aborted);
    this.#open.set(id, run);
    return run;
  }

  /** A run that has not ended. */
  get(id: number): Run | undefined {
    return this.#open.get(id);
  }

  /** Ends all of them. */
  failAll(error: GuestError): void {
    for (const run of [...this.#open.values()]) run.fail(error);
  }
}
