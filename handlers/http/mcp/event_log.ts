/**
 * What a session has lately sent, for a client that lost its stream and asks for what came after the last event it saw
 * (MCP 2025-11-25, Transports, Resumability and Redelivery).
 *
 * @module
 */
import type { EventStore } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";
import { MCP_HISTORY_BYTES, MCP_HISTORY_EVENTS } from "../limits.ts";

interface LoggedEvent {
  readonly stream: string;
  readonly message: JSONRPCMessage;
  readonly size: number;
}

/** The last events of one session, bounded in number and size. The oldest go first. */
export class EventLog implements EventStore {
  /** By id, in order of time. */
  readonly #events = new Map<string, LoggedEvent>();
  #last = 0;
  #size = 0;

  /** Keeps an event, whatever older ones must go for it; one that is too large by itself is not kept. */
  storeEvent(stream: string, message: JSONRPCMessage): Promise<string> {
    const id = String(++this.#last);
    const event: LoggedEvent = { stream, message, size: JSON.stringify(message).length };
    this.#events.set(id, event);
    this.#size += event.size;
    for (const [oldest, { size }] of this.#events) {
      if (this.#events.size <= MCP_HISTORY_EVENTS && this.#size <= MCP_HISTORY_BYTES) break;
      this.#events.delete(oldest);
      this.#size -= size;
    }
    return Promise.resolve(id);
  }

  /** Whether an event is known still; if not, what came after it may be lost too. */
  has(id: string): boolean {
    return this.#events.has(id);
  }

  /** Gives what came after an event on its stream, but for the empty events that only carry an id. */
  async replayEventsAfter(
    id: string,
    { send }: { send: (id: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const stream = this.#events.get(id)?.stream ?? "";
    for (const [later, { message }] of this.#after(id)) await send(later, message);
    return stream;
  }

  /** How many events a replay gives, if an answer is the last of them: then nothing more will come on the stream. */
  answeredAfter(id: string): number | undefined {
    const stream = this.#events.get(id)?.stream;
    const last = [...this.#events.values()].findLast((event) => event.stream === stream);
    return last && isAnswer(last.message) ? [...this.#after(id)].length : undefined;
  }

  *#after(id: string): Generator<[string, LoggedEvent]> {
    const stream = this.#events.get(id)?.stream;
    for (const [later, event] of this.#events) {
      if (Number(later) > Number(id) && event.stream === stream && "jsonrpc" in event.message) yield [later, event];
    }
  }
}

function isAnswer(message: JSONRPCMessage): boolean {
  return "result" in message || "error" in message;
}
