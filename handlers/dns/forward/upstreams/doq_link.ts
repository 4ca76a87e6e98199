/**
 * A stream for each question (RFC 9250).
 *
 * @module
 */
import { type BidiStream, type Connection, ConnectionClosedError } from "@alknet/core/handler";
import { exchange } from "../../client/exchange.ts";
import { decodeMessage } from "../../codec/decode.ts";
import type { Message } from "../../codec/types.ts";
import { DoqCode } from "../../codes.ts";
import { type Link, linkEnded, orAborted } from "./link.ts";

/** One over a connection. */
export function doqLink(connection: Connection): Link {
  return new DoqLink(connection);
}

class DoqLink implements Link {
  readonly ended: Promise<void>;
  readonly #connection: Connection;
  readonly #over = new AbortController();

  constructor(connection: Connection) {
    this.#connection = connection;
    this.ended = connection.closed.then(() => {}, () => {});
    this.ended.then(() => this.#over.abort(linkEnded()));
  }

  async ask(query: Message, signal: AbortSignal): Promise<Message> {
    const ended = AbortSignal.any([signal, this.#over.signal]);
    ended.throwIfAborted();
    let stream: BidiStream | undefined;
    const cancel = (): void => {
      stream?.reset(DoqCode.CANCELLED);
      stream?.stop(DoqCode.CANCELLED);
    };
    const asking = this.#connection.open().then((opened) => {
      stream = opened;
      if (ended.aborted) cancel();
      // RFC 9250 §4.2.1: the id is 0; what belongs together stands on one stream.
      return exchange(stream, { ...query, id: 0 }, true);
    });
    try {
      return { ...decodeMessage(await orAborted(asking, ended)), id: query.id };
    } catch (error) {
      asking.catch(() => {});
      cancel();
      throw error instanceof ConnectionClosedError ? linkEnded(error) : error;
    }
  }

  close(): void {
    this.#over.abort(linkEnded());
    this.#connection.close(DoqCode.NONE, "");
  }
}
