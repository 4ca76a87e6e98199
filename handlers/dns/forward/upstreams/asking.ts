/**
 * One question to several upstreams: the quickest first, a second one where it is slow, the next where one fails.
 *
 * @module
 */
import { DialError } from "@alknet/core/handler";
import type { Clock } from "@alknet/core/operations";
import { extendedErrors } from "../../codec/json.ts";
import { type Message, Rcode } from "../../codec/types.ts";
import { EDE, type ExtendedError } from "../../extended_errors.ts";
import { accept, type Accepted } from "../accepted.ts";
import type { DnsName } from "../../codec/name.ts";
import { LATE, type Upstream } from "./upstream.ts";

/** What all questions have in common. */
export interface AskingOptions {
  /** Whom to ask. */
  readonly upstreams: readonly Upstream[];
  /** Zones in which private addresses are what they should be. */
  readonly privateZones: readonly DnsName[];
  /** Times. */
  readonly clock: Clock;
}

/** No upstream had a usable answer. */
export class AskingFailed extends Error {
  /** Why. */
  readonly error: ExtendedError;

  /** @param error Why. */
  constructor(error: ExtendedError) {
    super(error[1]);
    this.error = error;
  }
}

/** Milliseconds for all of it. */
const PATIENCE = 4000;
/** Milliseconds after which a second upstream is asked, at least. */
const MIN_HEDGE = 200;
/**
 * Asks.
 *
 * @param query With RD, EDNS and whatever else goes to upstreams.
 * @throws {AskingFailed} Nobody had an answer.
 */
export function askUpstreams(query: Message, options: AskingOptions): Promise<Accepted> {
  return new Asking(query, options).answer;
}

class Asking {
  readonly answer: Promise<Accepted>;
  readonly #query: Message;
  readonly #options: AskingOptions;
  readonly #done = Promise.withResolvers<Accepted>();
  readonly #over = new AbortController();
  readonly #next: Upstream[];
  readonly #timers: (() => void)[] = [];
  #running = 0;
  /** Whether somebody was asked, and what the last of them said of its failure. */
  #wasAsked = false;
  #said: ExtendedError | undefined;

  constructor(query: Message, options: AskingOptions) {
    this.#query = query;
    this.#options = options;
    this.answer = this.#done.promise;
    this.#next = options.upstreams.filter(({ isDown }) => !isDown)
      .sort((a, b) => a.latency.mean - b.latency.mean);
    const [first, second] = this.#next;
    this.#after(PATIENCE, () => this.#fail(LATE));
    if (second) this.#after(Math.max(MIN_HEDGE, first.latency.p95), () => this.#askNext());
    this.#askNext();
  }

  #after(milliseconds: number, callback: () => void): void {
    this.#timers.push(this.#options.clock.after(milliseconds, callback));
  }

  #askNext(): void {
    const upstream = this.#next.shift();
    if (upstream) void this.#ask(upstream);
    else if (this.#running === 0) this.#fail();
  }

  /** Asks one; whatever comes of it. Never rejects. */
  async #ask(upstream: Upstream): Promise<void> {
    this.#running++;
    try {
      const message = await upstream.ask(this.#query, this.#over.signal);
      this.#wasAsked = true;
      this.#note(message);
      const { trustAd = false } = upstream.options;
      const taken = accept(this.#query, message, { trustAd, privateZones: this.#options.privateZones });
      this.#end();
      this.#done.resolve(taken);
    } catch (error) {
      this.#running--;
      if (this.#over.signal.aborted) return;
      this.#wasAsked ||= !(error instanceof DialError);
      this.#askNext();
    }
  }

  /** What an upstream says of its failure; its code alone, for its words are anybody's. */
  #note(message: Message): void {
    if (message.rcode === Rcode.NOERROR) return;
    const [error] = extendedErrors(message);
    this.#said = [error?.code ?? 0, "an upstream failed"];
  }

  #fail(reason?: unknown): void {
    this.#end(reason);
    const isThere = this.#wasAsked || this.#options.upstreams.some(({ isConnected }) => isConnected);
    this.#done.reject(new AskingFailed(this.#said ?? (isThere ? EDE.NETWORK : EDE.UNREACHABLE)));
  }

  #end(reason?: unknown): void {
    this.#over.abort(reason);
    for (const stop of this.#timers) stop();
  }
}
