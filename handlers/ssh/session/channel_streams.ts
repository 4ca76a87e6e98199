/**
 * A channel as streams with back-pressure, for what is served within the node.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Writable } from "node:stream";
import { setImmediate } from "node:timers";
import type { Ssh2Channel } from "../protocol/ssh2.ts";

/** The directions of a channel. */
export interface ChannelStreams {
  /** What the client sends. Errors when it disappears. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What it is sent: a write is done when the client's window has taken it. */
  readonly writable: WritableStream<Uint8Array>;
  /** The same for standard error. */
  readonly stderr: WritableStream<Uint8Array>;
  /** Resolves when all that was written has been taken, or never will be. */
  flushed(): Promise<void>;
  /** Reads over whatever is left of the client's bytes, so that the channel comes to its end. */
  passOver(): void;
  /** Breaks all of them: the client has gone. */
  cut(): void;
}

/** Bytes that wait to be read before the client has to wait. */
const ROOM = 256 * 1024;

/** The streams of a channel, which becomes theirs. */
export function streamsOf(channel: Ssh2Channel): ChannelStreams {
  const input = new Input(channel);
  const outputs = [new Output(channel), new Output(channel.stderr)];
  const cut = (): void => {
    const gone = new Error("the client has gone");
    input.fail(gone);
    for (const output of outputs) output.fail(gone);
  };
  channel.once("close", cut);
  return {
    readable: input.stream,
    writable: outputs[0].stream,
    stderr: outputs[1].stream,
    async flushed() {
      for (const output of outputs) await output.flushed();
    },
    passOver: () => input.passOver(),
    cut,
  };
}

/** What the client sends. */
class Input {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #channel: Ssh2Channel;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(channel: Ssh2Channel) {
    this.#channel = channel;
    this.stream = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#controller = controller),
      pull: () => void channel.resume(),
      cancel: () => this.passOver(),
    }, new ByteLengthQueuingStrategy({ highWaterMark: ROOM }));
    channel.on("data", ({ buffer, byteOffset, byteLength }: Buffer) => {
      const controller = this.#controller;
      controller?.enqueue(new Uint8Array(buffer, byteOffset, byteLength));
      if (controller && (controller.desiredSize ?? 0) <= 0) channel.pause();
    });
    channel.once("end", () => {
      // Without an end of its own it was cut off by the end of the connection, and is not whole.
      if (channel.incoming.state !== "eof") return this.fail(new Error("the client has gone"));
      this.#controller?.close();
      this.#controller = undefined;
    });
  }

  passOver(): void {
    this.#controller = undefined;
    this.#channel.resume();
  }

  fail(reason: Error): void {
    this.#controller?.error(reason);
    this.passOver();
  }
}

/** One of the ways to the client. */
class Output {
  readonly stream: WritableStream<Uint8Array>;
  #controller: WritableStreamDefaultController | undefined;
  #writing: Promise<void> | undefined;
  /** Gives up on the write that waits for the client's window: nobody will open it. */
  #abandon: ((reason: Error) => void) | undefined;

  constructor(to: Writable) {
    this.stream = new WritableStream<Uint8Array>({
      start: (controller) => void (this.#controller = controller),
      write: ({ buffer, byteOffset, byteLength }) => {
        const written = new Promise<void>((resolve, reject) => {
          this.#abandon = reject;
          to.write(Buffer.from(buffer, byteOffset, byteLength), (error) => error ? reject(error) : resolve());
        });
        this.#writing = written.catch(() => {}).finally(() => this.#writing = undefined);
        return written;
      },
    });
  }

  fail(reason: Error): void {
    this.#controller?.error(reason);
    this.#abandon?.(reason);
  }

  async flushed(): Promise<void> {
    // A stream hands on the next chunk within the turn in which the last was taken.
    do {
      await this.#writing;
      await new Promise<void>((resolve) => setImmediate(resolve));
    } while (this.#writing);
  }
}
