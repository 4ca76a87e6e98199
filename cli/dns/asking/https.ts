/**
 * DNS over HTTPS on a stream that is there already (RFC 8484).
 *
 * @module
 */
import { AlknetError, type BidiStream } from "@alknet/core/handler";
import { encodeMessage, type Message, QUERY_PADDING } from "@alknet/handlers/dns";
import { requestOver } from "../../pkarr/request.ts";

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
  const { status, type, body } = await requestOver(stream, {
    address,
    method: "POST",
    path,
    headers: { accept: MEDIA_TYPE, "content-type": MEDIA_TYPE },
    body: encodeMessage(query, { padTo: QUERY_PADDING }),
    maxBytes: MAX_ANSWER,
  });
  if (status === 200 && type === MEDIA_TYPE) return body;
  const told = status === 200 ? `with ${type ?? "no content-type"}` : `with status ${status}`;
  throw new AlknetError("HTTP_STATUS", `${address} answers ${told} at ${path}; is DNS served there?`);
}
