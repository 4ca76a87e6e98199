/**
 * The end of a connection, said by an application (RFC 9000 §10.2).
 *
 * Once asked to close, quiche takes no packet any more. Where the congestion window has no room for its goodbye then, the
 * acknowledgement that would make some is not seen, and a peer whose handshake was not confirmed is never told. So a
 * goodbye without room waits for that confirmation: until it comes, nothing that was sent has been acknowledged.
 *
 * @module
 */
import type { QuicheConnection } from "../binding.ts";
import { reasonBytes } from "./close_info.ts";
import type { HandshakeFlight } from "./handshake_flight.ts";

/** Says goodbye for one session. */
export class Goodbye {
  /** When to say it without room, in the milliseconds of the caller's clock; Infinity where none waits. */
  due = Infinity;
  readonly #quiche: QuicheConnection;
  readonly #flight: HandshakeFlight;
  readonly #datagramSize: number;
  #words: { readonly code: number; readonly reason: string } | undefined;

  /**
   * @param quiche The connection.
   * @param flight Its handshake.
   * @param datagramSize Room that a packet takes at most.
   */
  constructor(quiche: QuicheConnection, flight: HandshakeFlight, datagramSize: number) {
    this.#quiche = quiche;
    this.#flight = flight;
    this.#datagramSize = datagramSize;
  }

  /** Says it, now or as soon as there is room, and at the `latest` time in any case. */
  say(code: number, reason: string, latest: number): void {
    this.#words = { code, reason };
    this.due = latest;
    if (this.#flight.confirmed || this.#hasRoom()) this.insist();
  }

  /** Says what waited, if the handshake is confirmed. */
  turn(): void {
    if (this.#words && this.#flight.confirmed) this.insist();
  }

  /** Says what waits, with or without room. */
  insist(): void {
    if (!this.#words) return;
    const { code, reason } = this.#words;
    this.#words = undefined;
    this.due = Infinity;
    try {
      this.#quiche.close(true, code, reasonBytes(reason));
    } catch { /* the connection is already over */ }
  }

  #hasRoom(): boolean {
    const path = this.#quiche.pathStats()[0];
    return !path || this.#quiche.stats().sentBytes + this.#datagramSize < path.cwnd;
  }
}
