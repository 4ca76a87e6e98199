/**
 * The datagram messages of one session (RFC 9221).
 *
 * @module
 */
import type { SessionEvents } from "../../link/link.ts";
import type { QuicheConnection } from "../binding.ts";

/** Messages both ways. */
export class Messages {
  /** Messages sent, and their bytes. */
  readonly sent: { count: number; bytes: number } = { count: 0, bytes: 0 };
  readonly #quiche: QuicheConnection;

  /** @param quiche The connection. */
  constructor(quiche: QuicheConnection) {
    this.#quiche = quiche;
  }

  /** Sends a message, or drops it. */
  send(message: Uint8Array): void {
    this.sent.count++;
    this.sent.bytes += message.byteLength;
    try {
      this.#quiche.dgramSend(message);
    } catch { /* the peer takes none, or the queue is full */ }
  }

  /** Gives the node what has come. */
  deliver(events: SessionEvents): void {
    let message: Uint8Array | null;
    while ((message = this.#quiche.dgramRecvVec())) events.datagram(message);
  }
}
