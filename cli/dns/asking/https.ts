/**
 * DNS over HTTPS on a stream that is there already (RFC 8484): the key or certificate at its end is the dial's business.
 *
 * @module
 */
import { AlknetError, type BidiStream } from "@alknet/core/handler";
import { encodeMessage, type Message, QUERY_PADDING } from "@alknet/handlers/dns";
import { Buffer } from "node:buffer";
import { type IncomingMessage, request } from "node:http";
import { Duplex } from "node:stream";

const MEDIA_TYPE = "application/dns-message";
/** Bytes of the largest answer. */
const MAX_ANSWER = 65_535;

/**
 * Posts a query.
 *
 * @param address `[NODEID@]HOST:PORT`, for the header that names the host.
 * @throws {AlknetError} `HTTP_STATUS`: the server answers with something else than a message.
 */
export async function askHttps(stream: BidiStream, address: string, path: string, query: Message): Promise<Uint8Array> {
  const body = encodeMessage(query, { padTo: QUERY_PADDING });
  const socket = Duplex.fromWeb(stream as never);
  // The connection ends with the question, and it is no failure that the stream does too.
  socket.on("error", () => {});
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request({
      method: "POST",
      path,
      headers: {
        host: address.slice(address.indexOf("@") + 1),
        accept: MEDIA_TYPE,
        "content-type": MEDIA_TYPE,
        "content-length": body.byteLength,
      },
      createConnection: () => socket,
    } as never, resolve);
    sent.on("error", reject);
    sent.end(body);
  });
  const type = answer.headers["content-type"]?.split(";")[0].trim().toLowerCase();
  if (answer.statusCode !== 200 || type !== MEDIA_TYPE) {
    const told = answer.statusCode === 200 ? `with ${type ?? "no content-type"}` : `with status ${answer.statusCode}`;
    throw new AlknetError("HTTP_STATUS", `${address} answers ${told} at ${path}; is DNS served there?`);
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of answer as AsyncIterable<Uint8Array>) {
    size += part.byteLength;
    if (size > MAX_ANSWER) throw new AlknetError("HTTP_STATUS", `${address} answers with more than 65535 bytes`);
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}
