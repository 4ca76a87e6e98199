/**
 * Streams for libraries that want Node's.
 *
 * @module
 */
import { Duplex } from "node:stream";
import type { BidiStream } from "./stream.ts";

/** A Node `Duplex` over a stream, with back-pressure both ways. Destroying it resets and stops the stream with code 0. */
export function toDuplex(stream: BidiStream): Duplex {
  const reader = stream.readable.getReader();
  const writer = stream.writable.getWriter();
  // Failures reach the Duplex through read() and write(); these promises would report them a second time.
  writer.closed.catch(() => {});
  reader.closed.catch(() => {});
  return new Duplex({
    async read() {
      try {
        const { done, value } = await reader.read();
        this.push(done ? null : value);
      } catch (error) {
        this.destroy(error as Error);
      }
    },
    write(chunk: Uint8Array, _encoding, callback) {
      writer.write(chunk).then(() => callback(), callback);
    },
    final(callback) {
      writer.close().then(() => callback(), callback);
    },
    destroy(error, callback) {
      stream.reset(0);
      stream.stop(0);
      callback(error);
    },
  });
}
