/**
 * A request for each question, on one connection of HTTP/2 (RFC 8484).
 *
 * @module
 */
import { AlknetError, type Connection, toDuplex } from "@alknet/core/handler";
import { Buffer } from "node:buffer";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { QUERY_PADDING } from "../../client/exchange.ts";
import { decodeMessage } from "../../codec/decode.ts";
import { encodeMessage, MAX_MESSAGE } from "../../codec/encode.ts";
import type { Message } from "../../codec/types.ts";
import { type Link, linkEnded } from "./link.ts";

const MEDIA_TYPE = "application/dns-message";

/** One over a connection of `h2`, to where DNS is answered. */
export async function dohLink(connection: Connection, { origin, pathname }: URL): Promise<Link> {
  const socket = toDuplex(await connection.open());
  const session = connect(origin, { createConnection: () => socket });
  return new DohLink(connection, session, pathname);
}

class DohLink implements Link {
  readonly ended: Promise<void>;
  readonly #connection: Connection;
  readonly #session: ClientHttp2Session;
  readonly #path: string;
  readonly #end = Promise.withResolvers<void>();
  #isOver = false;
  #isClosed = false;

  constructor(connection: Connection, session: ClientHttp2Session, path: string) {
    this.#connection = connection;
    this.#session = session;
    this.#path = path;
    this.ended = this.#end.promise;
    // What runs may finish, nothing new begins.
    session.once("goaway", () => {
      this.#isOver = true;
      this.#end.resolve();
      session.close();
    });
    session.once("close", () => this.close());
    session.on("error", () => this.close());
    connection.closed.then(() => this.close(), () => this.close());
  }

  async ask(query: Message, signal: AbortSignal): Promise<Message> {
    signal.throwIfAborted();
    if (this.#isOver) throw linkEnded();
    // RFC 8484 §4.1: the id is 0, so that equal questions are equal to caches.
    const body = encodeMessage({ ...query, id: 0 }, { padTo: QUERY_PADDING });
    const stream = this.#request(body.byteLength);
    return { ...decodeMessage(await answerOf(stream, body, signal)), id: query.id };
  }

  #request(length: number): ClientHttp2Stream {
    try {
      return this.#session.request({
        ":method": "POST",
        ":path": this.#path,
        accept: MEDIA_TYPE,
        "content-type": MEDIA_TYPE,
        "content-length": `${length}`,
      });
    } catch (cause) {
      // A session that is about to close takes nothing new.
      this.close();
      throw linkEnded(cause);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isOver = this.#isClosed = true;
    this.#session.destroy();
    this.#connection.close(0, "");
    this.#end.resolve();
  }
}

function answerOf(stream: ClientHttp2Stream, body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const give = (reason: unknown): void => {
    reject(reason);
    stream.close(constants.NGHTTP2_CANCEL);
  };
  const abort = (): void => give(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  const parts: Uint8Array[] = [];
  let size = 0;
  stream.on("response", (headers) => {
    const type = `${headers["content-type"] ?? ""}`.split(";")[0].trim().toLowerCase();
    const status = headers[":status"];
    if (status === 200 && type === MEDIA_TYPE) return;
    give(new AlknetError("DNS_UPSTREAM", `an upstream answers with status ${status} and no message`));
  });
  stream.on("data", (part: Uint8Array) => {
    size += part.byteLength;
    if (size > MAX_MESSAGE) give(new AlknetError("DNS_UPSTREAM", "an upstream answers with more than 65535 bytes"));
    else parts.push(part);
  });
  stream.on("end", () => size > 0 ? resolve(new Uint8Array(Buffer.concat(parts))) : reject(linkEnded()));
  stream.on("error", (error) => reject(linkEnded(error)));
  stream.on("close", () => reject(linkEnded()));
  stream.end(body);
  return promise.finally(() => signal.removeEventListener("abort", abort));
}
