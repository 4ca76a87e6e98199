/**
 * Receives a pack in a thread of its own.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { GitPackError } from "../../../errors.ts";
import type { Ingested, IngestOptions } from "../../types.ts";
import type { IngestPlace } from "./place.ts";
import type { Failure, FromThread, ToThread } from "./messages.ts";

const THREAD = new URL("./thread.ts", import.meta.url).href;

/**
 * As `ingest`, elsewhere. A thread that is not needed any more, for whatever reason, is ended.
 *
 * @param thread What it runs. Tests name others.
 * @returns Nothing where there are no threads: no byte has been read then.
 * @throws {GitPackError} The pack is refused. What `read` and `turn` throw, and the signal's reason.
 */
export async function ingestInThread(
  place: IngestPlace,
  into: string,
  options: IngestOptions,
  thread: string = THREAD,
): Promise<Ingested | undefined> {
  const worker = startWorker(thread);
  if (!worker) return undefined;
  let turn: Disposable | undefined;
  const { promise, resolve, reject } = Promise.withResolvers<Ingested | undefined>();
  const tell = (message: ToThread, transfer: Transferable[] = []): void => worker.postMessage(message, transfer);
  const stop = (): void => reject(options.signal?.reason);
  let ready = false;
  let over = false;
  worker.onerror = (event) => {
    // Nobody else is to hear of it.
    event.preventDefault();
    if (ready) reject(new AlknetError("GIT_FAILED", "the thread that receives a pack has ended"));
    else resolve(undefined);
  };
  const answer = async (message: FromThread): Promise<void> => {
    if (message === "ready") {
      ready = true;
      place.onStep?.("thread");
      const { folder, limit, settings } = place;
      tell({ begin: { folder, limit, settings, into, bounds: options.bounds, toEnd: options.toEnd } });
    } else if (message === "more") {
      const read = await options.read();
      const bytes = read && new Uint8Array(read);
      tell({ bytes }, bytes ? [bytes.buffer] : []);
    } else if (message === "turn") {
      turn = await options.turn();
      if (over) turn[Symbol.dispose]();
      else tell({ turn: true });
    } else if ("warn" in message) options.warn?.(message.warn);
    else if ("progress" in message) options.progress?.(...message.progress);
    else if ("step" in message) place.onStep?.(message.step);
    else if ("done" in message) resolve(message.done);
    else reject(errorOf(message.failed));
  };
  worker.onmessage = ({ data }: MessageEvent<FromThread>) => void answer(data).catch(reject);
  options.signal?.addEventListener("abort", stop, { once: true });
  try {
    options.signal?.throwIfAborted();
    return await promise;
  } finally {
    over = true;
    options.signal?.removeEventListener("abort", stop);
    worker.terminate();
    turn?.[Symbol.dispose]();
  }
}

function startWorker(thread: string): Worker | undefined {
  try {
    return new Worker(thread, { type: "module" });
  } catch {
    return undefined;
  }
}

function errorOf({ refused, code, message }: Failure): Error {
  if (refused) return new GitPackError(message, code as "GIT_PACK" | "HASH_COLLISION");
  return code === undefined ? new Error(message) : new AlknetError(code, message);
}
