/**
 * A request that is being served: its answers go to the lane on which it came (call.md §12).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { CallSink, RunningCall } from "./dispatcher.ts";
import { CallError, errorPayload } from "./errors.ts";
import type { JsonValue } from "./json.ts";
import type { Lane } from "./lane.ts";

/** Characters of a message that goes without its details, because both together were more than a frame. */
const MAX_MESSAGE = 1024;

/** A served request. */
export class InboundCall implements CallSink {
  /** Its id. */
  readonly id: string;
  /** Where it came from, and its answers go. */
  readonly lane: Lane;
  /** Bytes of its body. */
  readonly bytes: number;
  /** What aborts it, once it runs. */
  running: RunningCall | undefined;
  /** Whether it streams. */
  streams = false;
  #ended = false;
  readonly #idJson: string;
  readonly #onEnd: (call: InboundCall) => void;

  /** @param onEnd Told once nothing more is sent and what was sent has been taken by the transport. */
  constructor(id: string, lane: Lane, bytes: number, onEnd: (call: InboundCall) => void) {
    this.id = id;
    this.lane = lane;
    this.bytes = bytes;
    this.#idJson = JSON.stringify(id);
    this.#onEnd = onEnd;
  }

  responded(output: JsonValue, last: boolean): void | Promise<void> {
    if (this.#ended) return;
    const sent = this.#send("call.responded", `{"output":${JSON.stringify(output) ?? "null"}}`);
    if (!last) {
      this.streams = true;
      return sent;
    }
    this.#end(sent);
  }

  completed(): void {
    if (!this.#ended) this.#end(this.#send("call.completed", "{}"));
  }

  failed(error: CallError): void {
    if (this.#ended) return;
    let sent: void | Promise<void>;
    try {
      sent = this.#send("call.error", JSON.stringify(errorPayload(error)));
    } catch {
      // Details that are no JSON, or larger than a frame.
      const bare = new CallError(error.code, error.message.slice(0, MAX_MESSAGE), { retryable: error.retryable });
      sent = this.#send("call.error", JSON.stringify(errorPayload(bare)));
    }
    this.#end(sent);
  }

  /**
   * Stops it.
   *
   * @param tell Whether the caller is told.
   */
  abort(tell: boolean): void {
    if (this.#ended) return;
    this.#end(tell ? this.#send("call.aborted", "{}") : undefined);
    this.running?.abort();
  }

  #send(type: string, payload: string): void | Promise<void> {
    try {
      return this.lane.send(`{"type":"${type}","id":${this.#idJson},"payload":${payload}}`);
    } catch (error) {
      if (!(error instanceof AlknetError) || error.code !== "MESSAGE_TOO_LARGE") throw error;
      throw new CallError("INTERNAL", "the answer is larger than a frame", { cause: error });
    }
  }

  /** The caller may use the id again once the answer has left: until then the peer's unread answers count as its own. */
  #end(sent: void | Promise<void>): void {
    this.#ended = true;
    if (sent) sent.then(() => this.#onEnd(this));
    else this.#onEnd(this);
  }
}
