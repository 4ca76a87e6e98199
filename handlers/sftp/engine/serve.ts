/**
 * Serves SFTP version 3 over a pair of streams, whatever carries them.
 *
 * @module
 */
import { PacketReader } from "../codec/packet_reader.ts";
import { Output } from "./output.ts";
import { Session, type SessionOptions } from "./session.ts";

/** Both directions of what a client is connected by. */
export interface SftpStream {
  /** Packets of the client. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Answers. It is closed when the client has ended its direction and has its answers. */
  readonly writable: WritableStream<Uint8Array>;
}

/** Options of {@linkcode serveSftp}. */
export interface SftpServerOptions extends SessionOptions {
  /** Once it is aborted, the session ends as soon as nothing is open and nothing runs. */
  readonly signal?: AbortSignal;
}

/**
 * Serves one client until it ends its direction, or the stream breaks. Whatever happens, all that it has opened is closed
 * when this settles.
 *
 * @throws {AlknetError} `SFTP_MALFORMED`: what it sent cannot be answered. The writable was closed.
 */
export async function serveSftp(stream: SftpStream, options: SftpServerOptions): Promise<void> {
  const { signal } = options;
  const output = new Output(stream.writable);
  const session = new Session(output, options);
  const reader = stream.readable.getReader();
  const stop = (): void => void reader.cancel().catch(() => {});
  output.failed.then(stop);
  const stopIfResting = (): void => {
    if (signal?.aborted && session.isResting) stop();
  };
  session.whenResting(stopIfResting);
  signal?.addEventListener("abort", stopIfResting);
  stopIfResting();
  try {
    await takeAll(reader, session);
  } finally {
    signal?.removeEventListener("abort", stopIfResting);
    await session.end();
    await output.finish();
    stop();
  }
}

async function takeAll(reader: ReadableStreamDefaultReader<Uint8Array>, session: Session): Promise<void> {
  const packets = new PacketReader();
  for (;;) {
    // A stream that breaks ends the session as one that ends, within a packet too: then a client has left.
    const chunk = await reader.read().then(({ value }) => value, () => undefined);
    if (!chunk) break;
    for (const packet of packets.read(chunk as Uint8Array<ArrayBuffer>)) {
      session.take(packet);
      const room = session.room();
      if (room) await room;
    }
  }
}
