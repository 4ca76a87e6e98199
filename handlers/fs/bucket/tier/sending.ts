/**
 * Blobs of a store on their way into its bucket: its pairs first, then its data, then word of it. Killed anywhere, it is
 * begun again, and what came there is found there.
 *
 * @module
 */
import { outboardSize, PAIR } from "../../bao/tree.ts";
import type { OpenSource } from "../../blobs/blob_store.ts";
import type { ElsewhereParts } from "../../blobs/disk/elsewhere.ts";
import { THERE } from "../../blobs/disk/tables/rows.ts";
import { readerOf } from "../../blobs/reading.ts";
import { corrupt } from "../../errors.ts";
import type { Hash } from "../../wire/hash_text.ts";
import type { Bucket } from "../bucket.ts";
import { type Claims, keyOf } from "./claims.ts";
import type { BucketRows } from "./rows.ts";

/** What sending needs. */
export interface SendParts {
  /** Where blobs go. */
  readonly bucket: Bucket;
  /** Whose they are there. */
  readonly claims: Claims;
  /** Their rows. */
  readonly rows: BucketRows;
  /** Their store. */
  readonly store: ElsewhereParts;
  /** Ends it with its reason. */
  readonly signal: AbortSignal;
}

/**
 * Sends a blob that is here. Every byte of it is verified before it goes.
 *
 * @throws {AlknetError} `BUCKET_UNAVAILABLE`, `BUCKET_REFUSED`. `BLOB_NOT_FOUND`, `BLOB_CORRUPT`: of what is here.
 */
export async function send(hash: Hash, { bucket, claims, rows, store, signal }: SendParts): Promise<void> {
  await using _held = await store.hold(hash);
  const row = rows.find(hash);
  if (!row || row.bucket === THERE.yes) return;
  rows.begin(hash);
  const there = await claims.need(hash, signal);
  await using source = await store.source(hash);
  const reader = readerOf(source);
  const put = async (
    kind: "data" | "obao4",
    size: number,
    read: (at: number, length: number) => Promise<Uint8Array>,
  ): Promise<void> => {
    const isWrong = row.bucket === THERE.wrong || there[kind] !== undefined && there[kind] !== size;
    if (there[kind] === size && !isWrong) return;
    await bucket.putParts(keyOf(hash, kind), size, read, { ifAbsent: !isWrong, signal });
  };
  const pairs = outboardSize(row.size);
  if (pairs > 0) await put("obao4", pairs, (at, length) => pairsOf(hash, source, at, length));
  // Parts are under way together, and a source is read by one at a time.
  let turn: Promise<unknown> = Promise.resolve();
  await put("data", row.size, (at, length) => {
    const bytes = turn.then(() => reader.read(at, length));
    turn = bytes.catch(() => {});
    return bytes;
  });
  rows.sent(hash);
}

async function pairsOf(hash: Hash, { outboard }: OpenSource, at: number, length: number): Promise<Uint8Array> {
  const pairs = new Uint8Array(length);
  // Parts begin and end between pairs.
  for (let done = 0; done < length; done += PAIR) {
    const pair = await outboard.pair((at + done) / PAIR);
    if (pair?.byteLength !== PAIR) throw corrupt(hash, "its pairs are not all there");
    pairs.set(pair, done);
  }
  return pairs;
}
