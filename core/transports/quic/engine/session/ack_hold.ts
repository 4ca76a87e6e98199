/**
 * Lets the acknowledgement of a single small packet wait for the answer that it may travel with.
 *
 * quiche acknowledges at once. In a conversation that doubles the packets: each message would be acknowledged alone, a
 * moment before its answer acknowledges it again.
 *
 * @module
 */
import type { Progress } from "./streams/stream_state.ts";

/** Longest wait, in milliseconds; well below the 25 of RFC 9000 §18.2 that every peer allows for. */
const ACK_HOLD = 1;
/** Bytes below which what came is a message rather than a part of a transfer. */
const SMALL = 1000;

/** Decides when a session has something to send. */
export class AckHold {
  /** When the wait ends, if one is on. */
  until = Infinity;
  /** Whether something else is to be sent than acknowledgements. */
  commanded = true;
  #bytes = 0;
  #sends = 0;
  #deliveries = 0;

  /** So many bytes came in. */
  received(bytes: number): void {
    this.#bytes += bytes;
  }

  /**
   * Whether to wait; when not, what follows is a flush.
   *
   * @param progress What the session's streams did so far.
   * @param now Milliseconds.
   */
  holds({ sends, deliveries }: Progress, now: number): boolean {
    // What delivers nothing acknowledges, and makes room to send; it is not itself acknowledged (RFC 9000 §13.2.1).
    const message = deliveries - this.#deliveries === 1 && this.#bytes < SMALL;
    const idle = message && !this.commanded && sends === this.#sends;
    if (idle && this.until === Infinity) this.until = now + ACK_HOLD;
    if (idle && now < this.until) return true;
    this.until = Infinity;
    this.commanded = false;
    this.#bytes = 0;
    this.#sends = sends;
    this.#deliveries = deliveries;
    return false;
  }
}
