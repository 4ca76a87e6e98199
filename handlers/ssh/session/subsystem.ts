/**
 * Subsystems (RFC 4254 §6.5): a channel as a pair of streams, for what is served within the node.
 *
 * @module
 */
import type { Ssh2Channel } from "../protocol/ssh2.ts";
import { streamsOf } from "./channel_streams.ts";
import type { Program } from "./program.ts";

/** Both directions of a channel, with back-pressure. */
export interface SubsystemStream {
  /** What the client sends. Errors when it disappears. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What it is sent: a write is done when the client's window has taken it. */
  readonly writable: WritableStream<Uint8Array>;
}

/** Serves a client. Never rejects. */
export type SubsystemServer = (stream: SubsystemStream) => Promise<void>;

/** Serves a channel, and ends it as a program's is ended. */
export function startSubsystem(channel: Ssh2Channel, serve: SubsystemServer): Program {
  channel.on("error", () => {});
  const { readable, writable, passOver, cut } = streamsOf(channel);
  const ended = serve({ readable, writable }).then(() => {
    passOver();
    if (channel.destroyed) return;
    channel.exit(0);
    channel.end();
  });
  return { signal: () => {}, resize: () => {}, hangUp: cut, ended };
}
