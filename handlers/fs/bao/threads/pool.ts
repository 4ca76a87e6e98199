/**
 * Threads that hash one large file, so that the thread that serves connections is free meanwhile.
 *
 * @module
 */
import { AT_ONCE, type HashedSubtree, hashTree, type Maybe } from "../outboard.ts";
import { GROUP, groupsOf } from "../tree.ts";
import type { FromHashThread, ToHashThread } from "./messages.ts";

/** Files below this are hashed sooner than a thread has begun. */
export const WORTH_THREADS: number = 64 * 1024 * 1024;
const MOST_THREADS = 4;
const THREAD = new URL("./thread.ts", import.meta.url).href;

/** One file at a time: others are hashed in place meanwhile. */
let busy = false;

/** How a file is hashed by threads. */
export interface ThreadedOptions {
  /** How many there are. Default: as many as the machine has cores, up to 4. */
  readonly threads?: number;
  /** Told of the bytes of each subtree. */
  readonly progress?: (bytes: number) => void;
  /** Ends it with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * Hashes a file by threads.
 *
 * @param put Takes pairs, one or several that follow each other, and the place of the first.
 * @returns The hash; nothing where there are no threads, or they are at another file: nothing was put then.
 * @throws What reading throws, as an Error; what `put` throws, and the signal's reason.
 */
export async function hashFileInThreads(
  path: string,
  size: number,
  put: (place: number, pairs: Uint8Array) => Maybe<void>,
  { threads = Math.min(navigator.hardwareConcurrency, MOST_THREADS), progress, signal }: ThreadedOptions = {},
): Promise<Uint8Array | undefined> {
  if (busy) return undefined;
  busy = true;
  const all: HashThread[] = [];
  try {
    for (let i = 0; i < threads; i++) {
      const thread = HashThread.start();
      if (thread) all.push(thread);
    }
    const ready = (await Promise.all(all.map(async (thread) => await thread.begun ? thread : []))).flat();
    if (ready.length === 0) return undefined;
    return await shared(path, size, ready, put, { progress, signal });
  } finally {
    for (const thread of all) thread[Symbol.dispose]();
    busy = false;
  }
}

async function shared(
  path: string,
  size: number,
  threads: readonly HashThread[],
  put: (place: number, pairs: Uint8Array) => Maybe<void>,
  { progress, signal }: ThreadedOptions,
): Promise<Uint8Array> {
  const groups = groupsOf(size);
  const ahead: Promise<HashedSubtree>[] = [];
  let next = 0;
  const ask = (): void => {
    const first = next * AT_ONCE;
    if (first >= groups) return;
    const count = Math.min(AT_ONCE, groups - first);
    const at = first * GROUP;
    const length = Math.min(count * GROUP, size - at);
    const asked = threads[next++ % threads.length].hash({
      path,
      first,
      groups: count,
      length,
      isRoot: count === groups,
    });
    asked.catch(() => {});
    ahead.push(asked);
  };
  // Each has one that it is at, and one that waits.
  for (let i = 0; i < threads.length * 2; i++) ask();
  return await hashTree(size, async (first, count) => {
    signal?.throwIfAborted();
    const subtree = await ahead.shift()!;
    ask();
    progress?.(Math.min(count * GROUP, size - first * GROUP));
    return subtree;
  }, put);
}

/** One thread; it does what it is asked in order. */
class HashThread implements Disposable {
  readonly #worker: Worker;
  readonly #waiting: PromiseWithResolvers<HashedSubtree>[] = [];
  /** Whether it runs. */
  readonly begun: Promise<boolean>;

  private constructor(worker: Worker) {
    this.#worker = worker;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.begun = promise;
    worker.onerror = (event) => {
      // Nobody else is to hear of it.
      event.preventDefault();
      resolve(false);
      for (const one of this.#waiting.splice(0)) one.reject(new Error("a thread that hashes has ended"));
    };
    worker.onmessage = ({ data }: MessageEvent<FromHashThread>) => {
      if (data === "ready") return resolve(true);
      const one = this.#waiting.shift();
      if ("failed" in data) one?.reject(new Error(data.failed));
      else one?.resolve(data);
    };
  }

  /** Begins one; nothing where there are none. */
  static start(): HashThread | undefined {
    try {
      return new HashThread(new Worker(THREAD, { type: "module" }));
    } catch {
      return undefined;
    }
  }

  hash(subtree: ToHashThread): Promise<HashedSubtree> {
    const one = Promise.withResolvers<HashedSubtree>();
    this.#waiting.push(one);
    this.#worker.postMessage(subtree);
    return one.promise;
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
