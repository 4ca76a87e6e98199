/**
 * The thread that receives one pack, so that whoever else talks to the node need not wait for it.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { GitPackError } from "../../../errors.ts";
import { packCaches } from "../../../pack/pack_file.ts";
import { FolderObjects } from "../objects.ts";
import { ingest } from "./ingest.ts";
import type { Begin, Failure, FromThread, ToThread } from "./messages.ts";

/** Bytes of caches: it lives for one pack, and reads little but that. */
const CACHES = { blockCache: 16 * 1024 * 1024, baseCache: 16 * 1024 * 1024, indexCache: 64 * 1024 * 1024 };
/** Of so many objects one is told of. */
const TOLD = 1024;

interface Port {
  onmessage: ((event: MessageEvent<ToThread>) => void) | null;
  postMessage(message: FromThread): void;
}

const port = globalThis as unknown as Port;
let bytesCame: (bytes: Uint8Array | undefined) => void = () => {};
let turnCame: () => void = () => {};

// Elsewhere, as where a tool loads every module, nobody sends it anything.
if (typeof port.postMessage === "function") {
  port.onmessage = ({ data }) => {
    if ("begin" in data) void receive(data.begin);
    else if ("bytes" in data) bytesCame(data.bytes);
    else turnCame();
  };
  port.postMessage("ready");
}

async function receive({ folder, limit, settings, into, bounds, toEnd }: Begin): Promise<void> {
  try {
    const caches = packCaches(CACHES);
    using store = new FolderObjects(folder, caches, limit);
    const onStep = (step: string): void => port.postMessage({ step });
    const done = await ingest({ folder, store, caches, limit, settings, onStep }, into, {
      toEnd,
      bounds,
      // Nobody else waits for this thread.
      pace: { step: () => undefined },
      read: () => asked("more", (came) => bytesCame = came),
      turn: async () => {
        await asked<void>("turn", (came) => turnCame = came);
        return { [Symbol.dispose]: () => {} };
      },
      warn: (line) => port.postMessage({ warn: line }),
      progress: (phase, done, total) => {
        if (done % TOLD === 0 || done === total) port.postMessage({ progress: [phase, done, total] });
      },
    });
    port.postMessage({ done });
  } catch (error) {
    port.postMessage({ failed: failureOf(error) });
  }
}

function asked<T>(what: "more" | "turn", wait: (came: (value: T) => void) => void): Promise<T> {
  return new Promise((resolve) => {
    wait(resolve);
    port.postMessage(what);
  });
}

function failureOf(error: unknown): Failure {
  const { code, message } = error as { code?: string; message: string };
  // What the file system says has paths in it.
  return { refused: error instanceof GitPackError, code, message: error instanceof AlknetError ? message : "a fault" };
}
