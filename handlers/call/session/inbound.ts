/**
 * A request that is being served: its answers go to the lane on which it came (call.md §12).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { CallError, type CallSink, errorPayload, type JsonValue, type RunningCall } from "@alknet/core/operations";
import type { Lane } from "../carriers/lane.ts";

/** Characters of a message that goes without its details, because both together were more than a frame. */
const MAX_MESSAGE = 1024;

/** What a served request tells the table that it is in. */
export interface InboundTable {
  /** Whether so much waits to be read that an answer would be one too many. */
  readonly isUnread: boolean;
  /** Nothing more is sent for it: its id is free. */
  ended(call: InboundCall): void;
}

/** A served request. */
export class InboundCall implements CallSink {
  /** Its id. */
  readonly id: string;
  /** Where it came from, and its answers go. */
  readonly lane: Lane;
  /** Bytes of its body. */
  readonly bytes: number;
  #running: RunningCall | undefined;
  #aborted = false;
  #ended = false;
  readonly #idJson: string;
  readonly #table: InboundTable;

  /** @param table Told of its end. */
  constructor(id: string, lane: Lane, bytes: number, table: InboundTable) {
    this.id = id;
    this.lane = lane;
    this.bytes = bytes;
    this.#idJson = JSON.stringify(id);
    this.#table = table;
  }

  /** Whether it gives values until it ends. */
  get streams(): boolean {
    return this.#running?.streams ?? false;
  }

  /** It runs. Its handler may have aborted it before there was anything to abort. */
  runs(running: RunningCall): void {
    this.#running = running;
    if (this.#aborted) running.abort();
  }

  responded(output: JsonValue, last: boolean): void | Promise<void> {
    if (this.#ended) return;
    if (last && this.#table.isUnread) throw new CallError("INTERNAL", "answer dropped: too much waits to be read");
    const sent = this.#send("call.responded", `{"output":${JSON.stringify(output) ?? "null"}}`);
    if (!last) return sent;
    this.#end();
  }

  completed(): void {
    if (this.#ended) return;
    this.#send("call.completed", "{}");
    this.#end();
  }

  failed(error: CallError): void {
    if (this.#ended) return;
    try {
      this.#send("call.error", JSON.stringify(errorPayload(error)));
    } catch {
      // Details that are no JSON, or larger than a frame.
      const bare = new CallError(error.code, error.message.slice(0, MAX_MESSAGE), { retryable: error.retryable });
      this.#send("call.error", JSON.stringify(errorPayload(bare)));
    }
    this.#end();
  }

  /**
   * Stops it.
   *
   * @param tell Whether the caller is told.
   */
  abort(tell: boolean): void {
    if (this.#ended) return;
    if (tell) this.#send("call.aborted", "{}");
    this.#aborted = true;
    this.#end();
    this.#running?.abort();
  }

  #send(type: string, payload: string): void | Promise<void> {
    try {
      return this.lane.send(`{"type":"${type}","id":${this.#idJson},"payload":${payload}}`, true);
    } catch (error) {
      if (!(error instanceof AlknetError) || error.code !== "MESSAGE_TOO_LARGE") throw error;
      throw new CallError("INTERNAL", "the answer is larger than a frame", { cause: error });
    }
  }

  #end(): void {
    this.#ended = true;
    this.#table.ended(this);
  }
}
