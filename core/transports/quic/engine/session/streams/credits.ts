/**
 * The credits of one session's streams: what may be between engine and node, either way.
 *
 * @module
 */
import type { Account } from "../../../../../handler/account.ts";
import type { ConnectionAccounts } from "../../../../../handler/holdings.ts";
import { CREDIT_GROWTH, CREDIT_STEP, MAX_STREAM_CREDIT, STREAM_COST, STREAM_CREDIT } from "../../../link/link.ts";
import type { StreamState } from "./stream_state.ts";

/** Counts what is on its way between quiche and the node. */
export class Credits {
  /** Whether the node reads too slowly for what the peer has sent. */
  held = false;
  /** Delivered, and not yet reported as read. */
  readonly #unread: Account;
  readonly #accounts: ConnectionAccounts;
  /** Credit of all streams beyond their first. */
  #growth = 0;

  /** @param accounts What may be delivered and unread of this session. */
  constructor(accounts: ConnectionAccounts) {
    this.#accounts = accounts;
    this.#unread = accounts.received;
  }

  /** The peer has an identity. */
  trust(): void {
    this.#accounts.trust();
  }

  /** The session is over. */
  close(): void {
    this.#accounts.close();
  }

  /** Whether there is credit for another stream of the peer; takes it if so. */
  admits(): boolean {
    const room = this.#unread.room >= STREAM_COST;
    if (room) this.#unread.take(STREAM_COST);
    else this.held = true;
    return room;
  }

  /** Bytes of a stream that may be delivered now. */
  room(stream: StreamState): number {
    const room = Math.min(stream.credit - stream.unread, this.#unread.room);
    if (room <= 0) this.held = true;
    return room;
  }

  /** Bytes of a stream were delivered. */
  delivered(stream: StreamState, bytes: number): void {
    stream.unread += bytes;
    this.#unread.take(bytes);
  }

  /** A reader took bytes, of a stream that may be over. One that keeps reading is given more ahead. */
  consumed(stream: StreamState | undefined, bytes: number): void {
    this.#unread.give(bytes);
    if (!stream) return;
    stream.unread -= bytes;
    stream.credit = Math.min(stream.credit + bytes, MAX_STREAM_CREDIT);
  }

  /** quiche took bytes of a stream. Returns what to grant the node now: as much again, and more to a stream that moves. */
  accepted(stream: StreamState, bytes: number): number {
    stream.accepted += bytes;
    if (stream.accepted < CREDIT_STEP) return 0;
    const grant = stream.accepted + this.#grow(stream);
    stream.accepted = 0;
    return grant;
  }

  /** A stream sends no more. */
  sent(stream: StreamState): void {
    this.#growth -= stream.growth;
    stream.growth = 0;
  }

  #grow(stream: StreamState): number {
    if (STREAM_CREDIT + stream.growth >= MAX_STREAM_CREDIT || this.#growth >= CREDIT_GROWTH) return 0;
    stream.growth += STREAM_CREDIT;
    this.#growth += STREAM_CREDIT;
    return STREAM_CREDIT;
  }
}
