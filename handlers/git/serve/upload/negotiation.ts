/**
 * What a client of versions 0 and 1 is told of what it says it has (gitprotocol-pack, "Packfile Negotiation").
 *
 * ```text
 * ACK <oid> common    both have it; `continue` in place of `common` and `ready` for who knows `multi_ack` alone
 * ACK <oid> ready     enough is known
 * NAK                 the end of a round
 * ACK <oid>           the pack comes; NAK, where nothing is common
 * ```
 *
 * @module
 */
import type { WantedV0 } from "../../wire/fetch_v0.ts";
import type { Known } from "./known.ts";

/** One negotiation. */
export class Negotiation {
  readonly #wanted: WantedV0;
  readonly #known: Known;
  /** Of this round: whether a walk has looked if there is enough, and whether the client has been told that there is. */
  #looked = false;
  #told = false;

  /**
   * Begins one.
   *
   * @param known Nothing yet.
   */
  constructor(wanted: WantedV0, known: Known) {
    this.#wanted = wanted;
    this.#known = known;
  }

  /** What the client is told of one object that it has; nothing where there is nothing to tell. */
  async take(oid: string): Promise<string | undefined> {
    const { acks } = this.#wanted;
    const first = this.#known.last === undefined;
    if (await this.#known.add(oid)) {
      if (acks === "detailed") return `ACK ${oid} common`;
      if (acks === "many") return `ACK ${oid} continue`;
      return first ? `ACK ${oid}` : undefined;
    }
    // What it has beyond what is enough need not be looked for. One walk a round is what that is worth.
    if (acks === "one" || !await this.#isEnough()) return undefined;
    this.#told = true;
    return acks === "detailed" ? `ACK ${oid} ready` : `ACK ${oid} continue`;
  }

  /** What it is told where it waits for an answer, and whether the pack comes next. */
  async endRound(): Promise<{ lines: string[]; done: boolean }> {
    const { acks, wants, noDone } = this.#wanted;
    const { last } = this.#known;
    const ready = acks === "detailed" && await this.#known.isReady(wants);
    const lines: string[] = [];
    if (ready && !this.#told) lines.push(`ACK ${last} ready`);
    if (last === undefined || acks !== "one") lines.push("NAK");
    if (ready && noDone) lines.push(`ACK ${last}`);
    this.#looked = this.#told = false;
    return { lines, done: ready && noDone };
  }

  /** What it is told where it has no more to say; nothing where it knows. */
  end(): string | undefined {
    const { last } = this.#known;
    if (last === undefined) return "NAK";
    return this.#wanted.acks === "one" ? undefined : `ACK ${last}`;
  }

  async #isEnough(): Promise<boolean> {
    if (this.#looked || this.#known.common.length === 0) return this.#known.wasReady;
    this.#looked = true;
    return await this.#known.isReady(this.#wanted.wants);
  }
}
