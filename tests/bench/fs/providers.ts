/**
 * Two providers, each held to a rate, beside one of them.
 *
 * @module
 */
import { type Connection, type HandlerContext, memoryPair } from "@alknet/core/handler";
import { download, type Fs, fs, memoryFs, type Provider } from "@alknet/handlers/fs";
import { contextOf } from "../../handlers/context.ts";
import { compare, type Contestant, type Group } from "../harness.ts";

const MIB = 1024 * 1024;
const SIZE = 48 * MIB;
/** Bytes a millisecond. */
const RATE = 20_000;

/** A blob from two providers that are held to 20 MB/s each. */
export const blobProviders: Group = {
  name: "blobs-providers",
  async run(effort) {
    await using files = memoryFs();
    const bytes = new Uint8Array(SIZE);
    for (let at = 0; at < SIZE; at += 4096) crypto.getRandomValues(bytes.subarray(at, at + 4096));
    await using held = await files.blobs.add(new Blob([bytes]).stream());
    const getting = (count: number): Contestant => ({
      async measure() {
        await using ends = new AsyncDisposableStack();
        const from = Array.from({ length: count }, (_, i): Provider => ({
          address: `${i}`,
          dial: () => Promise.resolve(ends.use(slow(files))),
        }));
        await using getter = memoryFs();
        const begun = performance.now();
        for await (const _ of download({ hash: held.hash, format: "raw" }, from, getter.blobs));
        return SIZE / 1e3 / (performance.now() - begun);
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
    const [ours, peer] = await compare([getting(2), getting(1)], { task: "get" }, effort);
    const name = "blobs: from two providers of 20 MB/s";
    return [{ name, unit: "MB/s", ours, peer, peerName: "one of them", wanted: 1.8 }];
  },
};

/** A connection to a node whose answers share one rate. */
function slow(files: Fs): Connection & AsyncDisposable {
  const [near, far] = memoryPair("alknet/blobs");
  const stop = new AbortController();
  const context: HandlerContext = contextOf(stop.signal);
  const serving = Promise.resolve(fs(files, { publicBlobs: true }).handle(far, context));
  let free = performance.now();
  const open = near.open.bind(near);
  near.open = async () => {
    const stream = await open();
    const held = new TransformStream<Uint8Array, Uint8Array>({
      async transform(chunk, controller) {
        const now = performance.now();
        free = Math.max(free, now) + chunk.byteLength / RATE;
        if (free > now + 5) await new Promise((resolve) => setTimeout(resolve, free - now));
        controller.enqueue(chunk);
      },
    });
    stream.readable.pipeTo(held.writable).catch(() => {});
    return {
      ...stream,
      readable: held.readable,
      reset: (code) => stream.reset(code),
      stop: (code) => stream.stop(code),
    };
  };
  const dispose = near[Symbol.asyncDispose].bind(near);
  near[Symbol.asyncDispose] = async () => {
    await dispose();
    await serving;
  };
  return near;
}
