/**
 * Calls of a guest to its host: counted, each with an abort of its own, each answered once.
 *
 * @module
 */
import { type Crossing, decodeCrossing, encodeCrossing, sizeOfCrossing } from "../crossing.ts";
import { GuestError, outwardError } from "../errors.ts";
import type { GrantedOperation, GuestHost } from "../guest.ts";
import { type GuestLimits, MOST_WAITING } from "../limits.ts";
import type { Run } from "../runs.ts";

/** A call as the guest makes it. */
export interface HostCall {
  /** `call`, `open`, `next`, `return` or `reach`. */
  readonly kind: string;
  /** Names it in the guest. */
  readonly id: number;
  /** Which operation or door. */
  readonly name: string;
  /** What it takes. */
  readonly crossing: Crossing;
}

/** The calls of one guest. */
export class HostCalls {
  readonly #host: GuestHost;
  readonly #limits: GuestLimits;
  readonly #granted: ReadonlySet<string>;
  readonly #open = new Map<number, { readonly abort: AbortController; readonly size: number }>();
  #waiting = 0;

  constructor(host: GuestHost, limits: GuestLimits, operations: readonly GrantedOperation[]) {
    this.#host = host;
    this.#limits = limits;
    this.#granted = new Set(operations.map(({ name }) => name));
  }

  /** Begins a call, or says why not. Its answer comes later, unless it is aborted. */
  begin(
    run: Run | undefined,
    call: HostCall,
    answered: (ok: boolean, crossing: Crossing) => void,
  ): string | undefined {
    const { calls, callsInFlight } = this.#limits;
    if (run && ++run.calls > calls) return `at most ${calls} calls in one run`;
    if (this.#open.size >= callsInFlight) return `at most ${callsInFlight} calls may wait`;
    const size = sizeOfCrossing(call.crossing);
    if (this.#waiting + size > MOST_WAITING) return `calls that wait may hold at most ${MOST_WAITING} bytes`;
    this.#waiting += size;
    const abort = new AbortController();
    const failed = () => abort.abort();
    this.#open.set(call.id, { abort, size });
    run?.failed.addEventListener("abort", failed);
    const answer = (ok: boolean, crossing: Crossing): void => {
      run?.failed.removeEventListener("abort", failed);
      if (this.#take(call.id)) answered(ok, crossing);
    };
    this.#answerOf(call, abort.signal).then(encodeCrossing).then(
      (crossing) => answer(true, crossing),
      (error) => answer(false, { text: JSON.stringify(outwardError(error)), buffers: [] }),
    );
  }

  /** Ends a call that nobody waits for any more. */
  abort(id: number): void {
    this.#take(id)?.abort();
  }

  /** Ends all of them. */
  abortAll(): void {
    for (const { abort } of this.#open.values()) abort.abort();
    this.#open.clear();
    this.#waiting = 0;
  }

  #take(id: number): AbortController | undefined {
    const call = this.#open.get(id);
    if (call === undefined) return undefined;
    this.#open.delete(id);
    this.#waiting -= call.size;
    return call.abort;
  }

  async #answerOf({ kind, name, crossing }: HostCall, signal: AbortSignal): Promise<unknown> {
    const input = decodeCrossing(crossing);
    const { call, open, next, end, reach } = this.#host;
    if (kind === "next") return await next?.(input as number, signal);
    if (kind === "return") return await end?.(input as number);
    if (kind === "reach") return await reach?.(name, input, signal);
    if (!this.#granted.has(name)) throw new GuestError("NOT_FOUND", `operation ${name} is not granted`);
    return await (kind === "open" ? open : call)?.(name, input, signal);
  }
}
