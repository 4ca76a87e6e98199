/**
 * A thread that reads a file and hashes subtrees of it.
 *
 * @module
 */
import { type FileHandle, open } from "node:fs/promises";
import { hashSubtree } from "../hasher.ts";
import type { HashedSubtree } from "../outboard.ts";
import { GROUP, PAIR } from "../tree.ts";
import type { FromHashThread, ToHashThread } from "./messages.ts";

/** Bytes that are read at once. */
const PIECE = 1024 * 1024;

interface Thread {
  onmessage: ((event: MessageEvent<ToHashThread>) => void) | null;
  postMessage(message: FromHashThread, transfer?: Transferable[]): void;
}

const thread = globalThis as unknown as Thread;
let file: Promise<FileHandle> | undefined;
let buffer = new Uint8Array();

// One after the other: they share a buffer.
let before: Promise<void> = Promise.resolve();

thread.onmessage = ({ data }) => {
  before = before.then(() => hashed(data)).then(
    (message) => thread.postMessage(message, [message.pairs.buffer as ArrayBuffer]),
    (error) => thread.postMessage({ failed: (error as Error).message }),
  );
};
// Whoever imports it and is no thread has nobody to tell.
if ("postMessage" in thread) thread.postMessage("ready");

async function hashed({ path, first, groups, length, isRoot }: ToHashThread): Promise<HashedSubtree> {
  const handle = await (file ??= open(path, "r"));
  if (buffer.byteLength < length) buffer = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const at = first * GROUP + filled;
    const { bytesRead } = await handle.read(buffer, filled, Math.min(PIECE, length - filled), at);
    if (bytesRead === 0) throw new Error(`${path} became shorter while it was read`);
    filled += bytesRead;
  }
  const pairs = new Uint8Array((groups - 1) * PAIR);
  return { value: hashSubtree(buffer.subarray(0, length), first, isRoot, pairs), pairs };
}
