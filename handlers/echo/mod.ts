/**
 * Echo: every stream and every datagram goes back as it came.
 *
 * Participants: anyone; no identity is needed. Messages: none, bytes are returned in order and the end of the input ends
 * the output. A stream that is reset is reset back with the same code. What the peer does not read is not read from it:
 * memory is bounded by the connection's windows. `alknet ping` and the benchmarks speak it, and so can anyone's first test.
 *
 * @module
 */
import { type BidiStream, type Connection, defineHandler, type Handler, StreamClosedError } from "@alknet/core/handler";

/** The protocol's name on the wire. */
export const ECHO_ALPN = "alknet/echo";

/** The echo handler. */
export function echo(): Handler<readonly [typeof ECHO_ALPN]> {
  return defineHandler({
    alpns: [ECHO_ALPN],
    description: "returns what it is sent",
    async handle(connection) {
      const returned = echoDatagrams(connection);
      for await (const stream of connection) echoStream(stream);
      await returned;
    },
  });
}

async function echoStream(stream: BidiStream): Promise<void> {
  try {
    await stream.readable.pipeTo(stream.writable, { preventAbort: true });
  } catch (error) {
    // Either the input was reset, or the output refused: both directions end with the code of the one that did.
    const code = error instanceof StreamClosedError ? error.errorCode : 0;
    stream.reset(code);
    stream.stop(code);
  }
}

async function echoDatagrams({ datagrams }: Connection): Promise<void> {
  if (!datagrams) return;
  for await (const message of datagrams.readable) datagrams.send(message);
}
