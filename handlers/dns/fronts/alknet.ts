/**
 * DNS between nodes (`alknet/dns`): on every stream of a connection what DNS over TLS has on its one.
 *
 * @module
 */
import { type BidiStream, type Connection, ConnectionClosedError, type Logger } from "@alknet/core/handler";
import type { DnsCaller } from "../caller.ts";
import { DoqCode } from "../codes.ts";
import { cut, isCancelled } from "./cut.ts";
import { endCode, FramedStream } from "./framed.ts";
import type { FrontParts } from "./parts.ts";

/**
 * Serves one connection. What closes a connection of DNS over TLS cuts its stream alone.
 *
 * @param signal Aborted when nothing new is to be read.
 * @param log Told of what is our fault.
 */
export async function serveAlknet(
  parts: FrontParts,
  caller: DnsCaller,
  connection: Connection,
  signal: AbortSignal,
  log: Logger,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const accepting = (async () => {
    for await (const stream of connection) {
      if (signal.aborted) cut(stream, DoqCode.NONE);
      else if (running.size >= parts.limits.inFlight) {
        parts.rates.refuse(caller, "in-flight");
        cut(stream, DoqCode.LOAD);
      } else {
        const run = serveStream(parts, caller, stream, signal, log).finally(() => running.delete(run));
        running.add(run);
      }
    }
  })();
  const drain = Promise.withResolvers<void>();
  const begin = (): void => drain.resolve();
  signal.addEventListener("abort", begin, { once: true });
  if (signal.aborted) begin();
  await Promise.race([accepting, drain.promise]);
  signal.removeEventListener("abort", begin);
  await Promise.all(running);
}

async function serveStream(
  parts: FrontParts,
  caller: DnsCaller,
  stream: BidiStream,
  signal: AbortSignal,
  log: Logger,
): Promise<void> {
  try {
    const end = await new FramedStream(parts, caller, stream).serve(signal);
    if (end !== "end") cut(stream, endCode(end));
  } catch (error) {
    if (error instanceof ConnectionClosedError) return;
    if (!isCancelled(error)) log.error("a stream failed: {error}", { error: (error as Error).message });
    cut(stream, isCancelled(error) ? DoqCode.CANCELLED : DoqCode.INTERNAL);
  }
}
