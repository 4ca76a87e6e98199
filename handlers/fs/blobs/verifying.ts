/**
 * Looking at what is stored: every byte of it is hashed.
 *
 * @module
 */
import { CorruptError } from "../bao/corrupt_error.ts";
import { walk } from "../bao/encode.ts";
import { Selection } from "../bao/ranges.ts";
import { chunksOf } from "../bao/tree.ts";
import type { Hash } from "../wire/hash_text.ts";
import type { OpenSource, VerifyStep } from "./blob_store.ts";

/** Bytes after which it is told how far it is. */
const STEP = 16 * 1024 * 1024;

/** Looks at one blob, which is opened for it. The last step says that it is sound, or what is wrong. */
export async function* verified(
  hash: Hash,
  size: number,
  open: () => Promise<OpenSource>,
): AsyncGenerator<VerifyStep> {
  let done = 0;
  let told = 0;
  try {
    await using source = await open();
    for await (const part of walk(source, Selection.within(0, chunksOf(size)))) {
      if ("pair" in part) continue;
      done += part.bytes.byteLength;
      if (done - told < STEP || done === size) continue;
      yield { hash, size, done: told = done };
    }
    yield { hash, size, done };
  } catch (error) {
    if (error instanceof CorruptError) yield { hash, size, done: error.at, fault: error.what };
    else if ((error as { code?: unknown }).code === "BLOB_CORRUPT") yield { hash, size, done, fault: "missing" };
    else throw error;
  }
}
