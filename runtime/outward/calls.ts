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

interface OpenCall {
  readonly abort: AbortController;
  readonly size: number;
  /** The operation or the door that it needs. */
  readonly needs: string | undefined;
  readonly answer: (ok: boolean, crossing: Crossing) => void;
}

/** The calls of one guest. */
export class HostCalls {
  readonly #host: GuestHost;
  readonly #limits: GuestLimits;
  readonly #granted: Set<string>;
  readonly #revoked = new Set<string>();
  readonly #open = new Map<number, OpenCall>();
  /** Operations of subscriptions that are open, by their numbers. */
  readonly #streams = new Map<number, string>();
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
    const answer = (ok: boolean, crossing: Crossing): void => {
      run?.failed.removeEventListener("abort", failed);
      if (this.#take(call.id)) answered(ok, crossing);
    };
    this.#open.set(call.id, { abort, size, needs: this.#needsOf(call), answer });
    run?.failed.addEventListener("abort", failed);
    this.#answerOf(call, abort.signal).then(encodeCrossing).then(
      (crossing) => answer(true, crossing),
      (error) => answer(false, crossingOf(error)),
    );
  }

  /** Whether there is a call of an id that was not answered. */
  has(id: number): boolean {
    return this.#open.has(id);
  }

  /**
   * Takes back an operation, or the door `fetch`, `fs` or `gpu`: what waits for it ends, and from now on it is not there.
   */
  revoke(name: string): void {
    this.#revoked.add(name);
    this.#granted.delete(name);
    for (const { abort, needs, answer } of [...this.#open.values()]) {
      if (needs !== name) continue;
      const error = notGranted(name);
      abort.abort(error);
      answer(false, crossingOf(error));
    }
    for (const [at, of] of this.#streams) {
      if (of === name) void this.#ended(at).catch(() => {});
    }
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

  /** What a call needs; nothing, where it is the end of something. */
  #needsOf({ kind, name, crossing }: HostCall): string | undefined {
    if (kind === "next") return this.#streams.get(Number(crossing.text));
    if (kind === "reach") return doorOf(name);
    return kind === "return" ? undefined : name;
  }

  async #answerOf({ kind, name, crossing }: HostCall, signal: AbortSignal): Promise<unknown> {
    const input = decodeCrossing(crossing);
    const { call, open, next, reach } = this.#host;
    if (kind === "next") return await next?.(input as number, signal);
    if (kind === "return") return await this.#ended(input as number);
    if (kind === "reach") {
      if (this.#revoked.has(doorOf(name))) throw notGranted(doorOf(name));
      return await reach?.(name, input, signal);
    }
    if (!this.#granted.has(name)) throw notGranted(name);
    if (kind !== "open") return await call?.(name, input, signal);
    const at = await open?.(name, input, signal);
    if (at === undefined) return at;
    this.#streams.set(at, name);
    // It was taken back while it was opened.
    if (!this.#revoked.has(name)) return at;
    await this.#ended(at);
    throw notGranted(name);
  }

  async #ended(at: number): Promise<void> {
    this.#streams.delete(at);
    await this.#host.end?.(at);
  }
}

/** The door of what is done through it: `fs` of `fs/readFile`. */
function doorOf(name: string): string {
  return name.split("/", 1)[0];
}

/** Nobody learns whether there is something that is not granted. */
function notGranted(name: string): GuestError {
  const what = name.includes("/") ? `operation ${name}` : name;
  return new GuestError("NOT_FOUND", `${what} is not granted`);
}

function crossingOf(error: unknown): Crossing {
  return { text: JSON.stringify(outwardError(error)), buffers: [] };
}
