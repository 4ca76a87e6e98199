/**
 * Names of others: who may ask for them, and what becomes of the question (dns.md §4, steps 5 to 7).
 *
 * @module
 */
import type { DnsCaller } from "../caller.ts";
import type { Message, Question } from "../codec/types.ts";
import { EDE, type ExtendedError } from "../extended_errors.ts";
import type { Forwarder } from "../forward/forwarder.ts";
import type { NoReply, Reply } from "../forward/reply.ts";
import type { Rates } from "./rates.ts";

/** What a deployment says of a question that would go to others. */
export type Filter = (question: Question, caller: DnsCaller) => "pass" | "nxdomain" | "refuse";

/** Where names of others are asked for, and by whom they may be. */
export interface RecursionOptions {
  /** Asks upstreams. */
  readonly forwarder: Forwarder;
  /** Who may have it do so. Asked once a caller. */
  readonly mayRecurse: (caller: DnsCaller) => boolean;
  /** What is not to be asked for. Default: everything may be. */
  readonly filter?: Filter;
}

/** A question that goes no further. */
export interface Refused {
  /** Its code: of a name that is not there, or REFUSED. */
  readonly refused: "nxdomain" | "refuse";
  /** Why. */
  readonly error: ExtendedError;
}

/** Recursion, where there is any. */
export class Recursion {
  readonly #options: RecursionOptions | undefined;
  readonly #rates: Rates;
  readonly #known = new WeakMap<DnsCaller, boolean>();

  /**
   * @param options Absent: there is none.
   * @param rates How often one may ask.
   */
  constructor(options: RecursionOptions | undefined, rates: Rates) {
    this.#options = options;
    this.#rates = rates;
  }

  /** Whether a caller may have names of others asked for. */
  may(caller: DnsCaller): boolean {
    // Over plain DNS the node says what it has itself, whoever asks.
    if (!this.#options || caller.front === "plain") return false;
    let may = this.#known.get(caller);
    if (may === undefined) this.#known.set(caller, may = this.#options.mayRecurse(caller));
    return may;
  }

  /**
   * Asks for a name that is not ours.
   *
   * @param signal Who asked has left.
   */
  resolve(
    query: Message,
    caller: DnsCaller,
    signal?: AbortSignal,
  ): Refused | Reply | NoReply | Promise<Reply | NoReply> {
    if (!query.flags.rd) return { refused: "refuse", error: EDE.NOT_AUTHORITATIVE };
    if (!this.#options || !this.may(caller)) return { refused: "refuse", error: EDE.PROHIBITED };
    if (!this.#rates.recursion(caller)) return { refused: "refuse", error: EDE.PROHIBITED };
    const decision = this.#options.filter?.(query.question!, caller) ?? "pass";
    if (decision !== "pass") return { refused: decision, error: EDE.FILTERED_BY_US };
    return this.#options.forwarder.resolve(query, signal);
  }
}
