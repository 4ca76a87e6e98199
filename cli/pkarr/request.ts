/**
 * One request of HTTP on a stream that is there already: the key or certificate at its end is the dial's business. No
 * redirect is followed, and nothing of the environment has a say.
 *
 * @module
 */
import { AlknetError, type BidiStream } from "@alknet/core/handler";
import { Buffer } from "node:buffer";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { Duplex } from "node:stream";

/** What is asked. */
export interface StreamRequest {
  /** `[NODEID@]HOST:PORT`, for the header that names the host. */
  readonly address: string;
  /** How. */
  readonly method: "GET" | "POST" | "PUT";
  /** For what. */
  readonly path: string;
  /** Headers but `host` and `content-length`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What goes along. */
  readonly body?: Uint8Array;
  /** Bytes of the largest answer; a larger one that is no success is cut. */
  readonly maxBytes: number;
}

/** What is answered. */
export interface StreamResponse {
  /** The status. */
  readonly status: number;
  /** The media type without parameters, in lower case. */
  readonly type: string | undefined;
  /** The body. */
  readonly body: Uint8Array;
}

/**
 * Asks.
 *
 * @throws {AlknetError} `HTTP_STATUS`: more bytes than allowed; or what the stream fails with.
 */
export async function requestOver(stream: BidiStream, asked: StreamRequest): Promise<StreamResponse> {
  const { address, method, path, headers = {}, body, maxBytes } = asked;
  const socket = Duplex.fromWeb(stream as never);
  // The connection ends with the question, and it is no failure that the stream does too.
  socket.on("error", () => {});
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = httpRequest({
      method,
      path,
      headers: {
        host: address.slice(address.indexOf("@") + 1),
        ...headers,
        ...(body && { "content-length": body.byteLength }),
      },
      createConnection: () => socket,
    } as never, resolve);
    sent.on("error", reject);
    sent.end(body);
  });
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of answer as AsyncIterable<Uint8Array>) {
    size += part.byteLength;
    // Of a page that tells of a failure, the status says enough.
    if (size > maxBytes && answer.statusCode !== 200) break;
    if (size > maxBytes) throw new AlknetError("HTTP_STATUS", `${address} answers with more than ${maxBytes} bytes`);
    parts.push(part);
  }
  return {
    status: answer.statusCode ?? 0,
    type: answer.headers["content-type"]?.split(";")[0].trim().toLowerCase(),
    body: new Uint8Array(Buffer.concat(parts)),
  };
}
