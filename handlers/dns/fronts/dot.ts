/**
 * DNS over TLS (RFC 7858): the messages of one connection.
 *
 * @module
 */
import type { Connection } from "@alknet/core/handler";
import type { DnsCaller } from "../caller.ts";
import { endCode, FramedStream } from "./framed.ts";
import type { FrontParts } from "./parts.ts";

/**
 * Serves one connection.
 *
 * @param signal Aborted when nothing new is to be read.
 */
export async function serveDot(
  parts: FrontParts,
  caller: DnsCaller,
  connection: Connection,
  signal: AbortSignal,
): Promise<void> {
  for await (const stream of connection) {
    const end = await new FramedStream(parts, caller, stream).serve(signal);
    if (end !== "end") return connection.close(endCode(end), end);
  }
}
