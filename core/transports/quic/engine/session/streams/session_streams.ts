/**
 * The streams of one session: moves bytes between quiche and the node, within the credits of both.
 *
 * @module
 */
import type { ConnectionAccounts } from "../../../../../handler/holdings.ts";
import type { SessionEvents } from "../../../link/link.ts";
import type { QuicheConnection } from "../../binding.ts";
import { Credits } from "./credits.ts";
import type { FrameBudget } from "../frame_budget.ts";
import { Receiving } from "./receiving.ts";
import { Sending } from "./sending.ts";
import type { Progress } from "./stream_state.ts";
import { StreamTable } from "./stream_table.ts";

const EMPTY = new Uint8Array(0);

/** Both halves of the streams of one session. */
export class SessionStreams {
  /** Work done so far. */
  readonly progress: Progress = { received: 0, deliveries: 0, cut: 0, sent: 0, sends: 0 };
  /** What we send. */
  readonly sending: Sending;
  /** What the peer sends. */
  readonly receiving: Receiving;
  readonly #table: StreamTable;
  readonly #credits: Credits;

  /**
   * @param quiche The connection.
   * @param events The node's side.
   * @param shared Room to read into, which all sessions of a thread share, and what this one may have unread.
   * @param dialled Whether even stream ids are ours.
   * @param frames Told of what was delivered.
   */
  constructor(
    quiche: QuicheConnection,
    events: SessionEvents,
    shared: { readonly scratch: Uint8Array; readonly accounts: ConnectionAccounts },
    dialled: boolean,
    frames: FrameBudget,
  ) {
    this.#table = new StreamTable(dialled);
    this.#credits = new Credits(shared.accounts);
    const parts = { quiche, events, table: this.#table, credits: this.#credits, progress: this.progress };
    this.sending = new Sending(parts);
    this.receiving = new Receiving(parts, this.sending, shared.scratch, frames);
  }

  /** Begins a stream of ours. The peer sees it with its first byte. */
  open(id: number): void {
    this.#table.obtain(id);
  }

  /** The peer has an identity. */
  trust(): void {
    this.#credits.trust();
  }

  /** The connection is over. */
  close(): void {
    this.#credits.close();
  }

  /** Ends every stream as a connection that finishes does: what was written goes out, what comes in is refused. */
  finish(): void {
    for (const [id, { finQueued, sendDone }] of this.#table.entries()) {
      if (!sendDone && !finQueued) this.sending.send(id, EMPTY, true);
      this.receiving.stop(id, 0);
    }
  }
}
