/**
 * The node that the Python peers talk to: echo in every form that QUIC has, and handlers that cut and close.
 *
 * @module
 */
import { type Connection, defineHandler, type Endpoint, type ListenOptions, router } from "@alknet/core";
import type { BidiStream, ReceiveStream } from "@alknet/core/handler";
import { selfSignedCertificate } from "@alknet/core/identity";

/** Codes that the handlers send; the peers are to see them. */
export const CODES = { reset: 21, stop: 22, close: 42 } as const;

/** Echoes streams, one-way streams and datagrams; tells the peer of resets and stops with their codes. */
export const echo = defineHandler({
  alpns: ["test/echo", "alknet/test-echo"] as const,
  async handle(connection) {
    await Promise.all([echoStreams(connection), echoOneWay(connection), echoDatagrams(connection)]);
  },
});

/** Resets and stops the first stream, and echoes the others. */
const cut = defineHandler({
  alpns: ["test/cut"] as const,
  async handle(connection) {
    let first = true;
    for await (const stream of connection) {
      if (!first) {
        stream.readable.pipeTo(stream.writable).catch(() => {});
        continue;
      }
      first = false;
      stream.reset(CODES.reset);
      stream.stop(CODES.stop);
    }
  },
});

/** Closes with a code and a reason at the first stream. */
const close = defineHandler({
  alpns: ["test/close"] as const,
  async handle(connection) {
    for await (const _ of connection) connection.close(CODES.close, "enough");
  },
});

/** Takes streams and reads nothing of them. */
const deaf = defineHandler({
  alpns: ["test/deaf"] as const,
  async handle(connection) {
    const streams: BidiStream[] = [];
    for await (const stream of connection) streams.push(stream);
  },
});

/** Writes for as long as the peer takes it. */
const source = defineHandler({
  alpns: ["test/source"] as const,
  async handle(connection) {
    const chunk = new Uint8Array(64 * 1024);
    for await (const { writable } of connection) {
      const writer = writable.getWriter();
      while (true) await writer.write(chunk);
    }
  },
});

/** Reads everything and answers with the number of bytes. */
const sink = defineHandler({
  alpns: ["test/sink"] as const,
  async handle(connection) {
    for await (const { readable, writable } of connection) {
      count(readable).then((bytes) => write(writable, String(bytes))).catch(() => {});
    }
  },
});

/** A running node with a certificate of the public profile that names the loopback addresses. */
export function startNode(options: Partial<ListenOptions> = {}): Promise<Endpoint> {
  const certificate = selfSignedCertificate({ names: ["localhost", "127.0.0.1", "::1"] });
  return router().use(echo).use(cut).use(close).use(deaf).use(sink).use(source)
    .listen({ certificate, transports: ["quic"], drain: 0, ...options });
}

async function echoStreams(connection: Connection): Promise<void> {
  for await (const { readable, writable } of connection) {
    readable.pipeTo(writable).catch((error) => tell(connection, error).catch(() => {}));
  }
}

async function echoOneWay(connection: Connection): Promise<void> {
  for await (const { readable } of connection.receiveStreams) answerOneWay(connection, readable).catch(() => {});
}

async function answerOneWay(connection: Connection, readable: ReceiveStream["readable"]): Promise<void> {
  const { writable } = await connection.openSend();
  await readable.pipeTo(writable);
}

async function echoDatagrams({ datagrams }: Connection): Promise<void> {
  if (!datagrams) return;
  for await (const message of datagrams.readable) {
    if (message.byteLength <= datagrams.maxSize) datagrams.send(message);
  }
}

/** Says on a stream of ours what became of one of the peer's. */
async function tell(connection: Connection, error: unknown): Promise<void> {
  const { writable } = await connection.open();
  await write(writable, error instanceof Error ? error.message : String(error));
}

async function write(writable: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
}

async function count(readable: ReadableStream<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of readable) bytes += chunk.byteLength;
  return bytes;
}
