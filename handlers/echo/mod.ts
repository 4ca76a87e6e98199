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
    async handle(connection, { signal }) {
      const running = new Set<Promise<void>>();
      const { promise: draining, resolve: drain } = Promise.withResolvers<void>();
      const begin = () => drain();
      signal.addEventListener("abort", begin);
      const all = Promise.all([echoStreams(connection, signal, running), echoDatagrams(connection)]);
      await Promise.race([all, draining]).finally(() => signal.removeEventListener("abort", begin));
      await Promise.all(running);
    },
  });
}

async function echoStreams(connection: Connection, signal: AbortSignal, running: Set<Promise<void>>): Promise<void> {
  for await (const stream of connection) {
    if (signal.aborted) {
      cut(stream, 0);
      continue;
    }
    const done: Promise<void> = echoStream(stream).finally(() => running.delete(done));
    running.add(done);
  }
}

async function echoStream(stream: BidiStream): Promise<void> {
  try {
    await stream.readable.pipeTo(stream.writable, { preventAbort: true, preventCancel: true });
  } catch (error) {
    // Either the input was reset, or the output refused: both directions end with the code of the one that did.
    cut(stream, error instanceof StreamClosedError ? error.errorCode : 0);
  }
}

function cut(stream: BidiStream, code: number): void {
  stream.reset(code);
  stream.stop(code);
}

async function echoDatagrams({ datagrams }: Connection): Promise<void> {
  if (!datagrams) return;
  for await (const message of datagrams.readable) datagrams.send(message);
}
