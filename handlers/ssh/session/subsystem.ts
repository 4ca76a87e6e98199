/**
 * Subsystems (RFC 4254 §6.5): a channel as a pair of streams, for what is served within the node.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Program } from "./program.ts";
import type { Ssh2Channel } from "../protocol/ssh2.ts";

/** Both directions of a channel, with back-pressure. */
export interface SubsystemStream {
  /** What the client sends. Errors when it disappears. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What it is sent: a write is done when the client's window has taken it. */
  readonly writable: WritableStream<Uint8Array>;
}

/** Serves a client. Never rejects. */
export type SubsystemServer = (stream: SubsystemStream) => Promise<void>;

/** Bytes that wait to be read before the client has to wait. */
const ROOM = 256 * 1024;

/** Serves a channel, and ends it as a program's is ended. */
export function startSubsystem(channel: Ssh2Channel, serve: SubsystemServer): Program {
  channel.on("error", () => {});
  const { stream, cut } = streamsOf(channel);
  const ended = serve(stream).then(() => {
    if (!channel.destroyed) {
      channel.exit(0);
      channel.end();
      channel.resume();
    }
  });
  return { signal: () => {}, resize: () => {}, hangUp: cut, ended };
}

function streamsOf(channel: Ssh2Channel): { readonly stream: SubsystemStream; readonly cut: () => void } {
  let input: ReadableStreamDefaultController<Uint8Array> | undefined;
  let output: WritableStreamDefaultController | undefined;
  /** Gives up on the write that waits for the client's window: nobody will open it. */
  let abandon: ((reason: Error) => void) | undefined;
  const readable = new ReadableStream<Uint8Array>({
    start(controller) {
      input = controller;
      channel.on("data", ({ buffer, byteOffset, byteLength }: Buffer) => {
        input?.enqueue(new Uint8Array(buffer, byteOffset, byteLength));
        if (input && (controller.desiredSize ?? 0) <= 0) channel.pause();
      });
      channel.once("end", () => {
        input?.close();
        input = undefined;
      });
    },
    pull: () => void channel.resume(),
    cancel() {
      // The rest is read over, or the channel would not come to its end.
      input = undefined;
      channel.resume();
    },
  }, new ByteLengthQueuingStrategy({ highWaterMark: ROOM }));
  const writable = new WritableStream<Uint8Array>({
    start: (controller) => void (output = controller),
    write({ buffer, byteOffset, byteLength }) {
      return new Promise((resolve, reject) => {
        abandon = reject;
        channel.write(Buffer.from(buffer, byteOffset, byteLength), (error) => error ? reject(error) : resolve());
      });
    },
  });
  const cut = (): void => {
    const gone = new Error("the client has gone");
    input?.error(gone);
    input = undefined;
    output?.error(gone);
    abandon?.(gone);
    channel.resume();
  };
  channel.once("close", cut);
  return { stream: { readable, writable }, cut };
}
