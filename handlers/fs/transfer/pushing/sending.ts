/**
 * Pushing a blob to a node, which verifies it as it comes (fs.md §3, Push).
 *
 * Where a connection carries several streams the node is asked first what it has, so that a push that was cut goes on. Our own
 * nodes end their direction once all is on the disk; of others, which end it earlier, we ask until they have it.
 *
 * @module
 */
import { AlknetError, type BidiStream, type Connection, StreamClosedError } from "@alknet/core/handler";
import { setTimeout as delay } from "node:timers/promises";
import { ALL, type ChunkRanges, complementOf, isSameRanges, NOTHING } from "../../bao/ranges.ts";
import type { BlobStore, Held, Told } from "../../blobs/blob_store.ts";
import { linksOf } from "../../blobs/sequence.ts";
import { ResetCode } from "../../codes.ts";
import { shortHash } from "../../errors.ts";
import type { Hash } from "../../wire/hash_text.ts";
import { MAX_ENTRIES, MAX_WIDTHS, type RangeSeq, seqOf } from "../../wire/range_spec.ts";
import { writeRequest } from "../../wire/requests.ts";
import type { Format } from "../../wire/ticket.ts";
import { openAnother } from "../asking.ts";
import { isWhole, observed } from "../observed.ts";
import { Output } from "../output.ts";
import { StreamReader } from "../stream_reader.ts";

/** Milliseconds without a byte that is taken, or an answer, after which a node is given up. */
const STALL = 30_000;
/** The answer comes after all that is sent: who is gone is noticed by what sends, and by the connection. */
const NEVER = 2 ** 31 - 1;
/** Blobs below this are sent without asking whether they are there. */
const WORTH_ASKING = 256 * 1024;
/** Milliseconds that a reason may come after what it is the reason of. */
const FOR_A_REASON = 1000;

/** Options of {@linkcode pushBlob}. */
export interface PushOptions extends Told {
  /** With `hashSeq` what the blob lists is pushed too. Default `raw`. */
  readonly format?: Format;
}

interface Wanted {
  readonly hash: Hash;
  readonly size: number;
  readonly ranges: ChunkRanges;
}

/**
 * Pushes a blob of a store over a connection of `alknet/blobs` or `/iroh-bytes/4`; what the node has of it, as far as it says
 * so, is not sent.
 *
 * @throws {AlknetError} `FORBIDDEN`: the node does not take it from us. `QUOTA_EXCEEDED`: it does not take as much, or is busy.
 * `PUSH_FAILED`: it could not take it, or went away; what it took stays there for the next time. What the store throws.
 */
export async function pushBlob(
  connection: Connection,
  hash: Hash,
  from: BlobStore,
  options: PushOptions = {},
): Promise<void> {
  const { signal, format = "raw" } = options;
  await using held = await from.hold(hash, format);
  let first: BidiStream | undefined;
  try {
    first = await connection.open();
    const pushing = new Pushing(connection, from, options);
    const all = await pushing.wanted(held);
    if (!all) return first.reset(ResetCode.INTERNAL);
    await pushing.send(first, hash, all, format);
  } catch (error) {
    first?.reset(ResetCode.INTERNAL);
    first?.stop(ResetCode.INTERNAL);
    signal?.throwIfAborted();
    throw explained(error, hash);
  }
}

class Pushing {
  readonly #connection: Connection;
  readonly #from: BlobStore;
  readonly #options: PushOptions;
  #mayAsk = true;

  constructor(connection: Connection, from: BlobStore, options: PushOptions) {
    this.#connection = connection;
    this.#from = from;
    this.#options = options;
  }

  /** What is to be sent of the blob, and of each that it lists; nothing where the node has a raw blob already. */
  async wanted({ hash, size, format }: Held): Promise<readonly Wanted[] | undefined> {
    if (format === "raw") {
      const ranges = await this.#missing(hash, size);
      return ranges.length === 0 ? undefined : [{ hash, size, ranges }];
    }
    // A sequence is short beside what it lists.
    const all: Wanted[] = [{ hash, size, ranges: ALL }];
    let entries = 1;
    const seen = new Set<Hash>();
    for (const link of await linksOf(this.#from, hash)) {
      const child = link.toHex();
      const { size = 0 } = await this.#from.status(child);
      let ranges = seen.has(child) ? NOTHING : ALL;
      seen.add(child);
      // With more of them the rest is sent as a whole; what comes twice is verified and forgotten.
      if (entries >= MAX_ENTRIES - 2) ranges = ALL;
      else if (ranges === ALL) ranges = await this.#missing(child, size);
      if (!isSameRanges(ranges, all.at(-1)!.ranges)) entries++;
      all.push({ hash: child, size, ranges });
    }
    return all;
  }

  async send(stream: BidiStream, hash: Hash, all: readonly Wanted[], format: Format): Promise<void> {
    const { signal, progress } = this.#options;
    const output = new Output(stream.writable, STALL);
    using reader = new StreamReader(stream.readable, NEVER, signal);
    const seq = sentOf(all.map(({ ranges }) => ranges), format === "raw");
    const whole = all.reduce((sum, { size }) => sum + size, 0);
    let done = all.reduce((sum, { size, ranges }) => sum + size - bytesOf(ranges, size), 0);
    let ended = false;
    // Whoever refuses says so here, and whoever ends before us says nothing by it.
    const answer = this.#answered(reader).finally(() => ended = true);
    const { promise: refused, reject } = Promise.withResolvers<never>();
    answer.catch(reject);
    refused.catch(() => {});
    let isEarly = false;
    try {
      const put = (bytes: Uint8Array): Promise<void> => Promise.race([output.put(bytes), refused]);
      await put(writeRequest({ type: "push", hash: Uint8Array.fromHex(hash), seq, encodings: 0 }));
      for (const { hash, ranges } of all) {
        if (ranges.length === 0) continue;
        for await (const part of this.#from.encode(hash, ranges, signal)) {
          await put(part);
          progress?.(Math.min(whole, done += part.byteLength), whole);
        }
      }
      await Promise.race([output.flush(), refused]);
      isEarly = ended;
      await Promise.race([output.end(), refused]);
    } catch (error) {
      // Where both directions were cut, the one says why and the other that it is no more.
      const said = new AbortController();
      const late = delay(FOR_A_REASON, error, { signal: said.signal }).catch(() => error);
      throw await Promise.race([answer.then(() => error, (reason) => reason), late]).finally(() => said.abort());
    }
    await answer;
    if (isEarly || !this.#connection.alpn.startsWith("alknet/")) await this.#confirm(all);
    progress?.(whole, whole);
  }

  /** Waits for the end of the node's direction. It may take its time: everything goes to its disk. */
  async #answered(reader: StreamReader): Promise<void> {
    if ((await reader.read(1)).byteLength > 0) {
      throw new AlknetError("PUSH_FAILED", "the node answers what no push is answered");
    }
  }

  /** Asks until all of it is there. */
  async #confirm(all: readonly Wanted[]): Promise<void> {
    for (const { hash } of all) {
      const stream = await openAnother(this.#connection);
      if (!stream) throw new AlknetError("PUSH_FAILED", "the node does not say whether it has it");
      let isThere = false;
      try {
        for await (const seen of observed(stream, hash, this.#options.signal)) {
          isThere = isWhole(seen);
          if (isThere) break;
        }
      } catch (cause) {
        throw new AlknetError("PUSH_FAILED", "the node does not say whether it has it", { cause });
      }
      if (!isThere) throw new AlknetError("PUSH_FAILED", `the node does not have all of blob ${shortHash(hash)}`);
    }
  }

  /** What a node lacks of a blob; all of it where it does not say. */
  async #missing(hash: Hash, size: number): Promise<ChunkRanges> {
    if (!this.#mayAsk || size < WORTH_ASKING) return ALL;
    const stream = await openAnother(this.#connection);
    this.#mayAsk = stream !== undefined;
    if (!stream) return ALL;
    try {
      for await (const seen of observed(stream, hash, this.#options.signal)) {
        if (isWhole(seen) && seen.size === size) return NOTHING;
        // Of another size nothing of it is right.
        if (seen.size !== size || seen.have.length % 2 === 1) return ALL;
        const missing = complementOf(seen.have, size);
        return missing.length > MAX_WIDTHS ? ALL : missing;
      }
    } catch (error) {
      if (!(error instanceof StreamClosedError)) throw error;
      // Not for us to know: those who are told nothing may push nevertheless.
      this.#mayAsk = error.errorCode !== ResetCode.PERMISSION;
    }
    return ALL;
  }
}

function explained(error: unknown, hash: Hash): unknown {
  const blob = `blob ${shortHash(hash)}`;
  const failed = (code: string, what: string): AlknetError =>
    new AlknetError(code, `${blob}: ${what}`, { cause: error });
  if (error instanceof StreamClosedError) {
    return error.errorCode === ResetCode.PERMISSION
      ? failed(
        "FORBIDDEN",
        "the node does not take it from you; it takes it with blobs:write, a branch to write, or a grant",
      )
      : error.errorCode === ResetCode.LIMIT
      ? failed(
        "QUOTA_EXCEEDED",
        "the node takes no more: your quota or its disk is full, it is too large, or the node is busy",
      )
      : failed("PUSH_FAILED", "the node could not take it");
  }
  const { code } = error as { code?: unknown };
  if (code === "CONNECTION_CLOSED") return failed("PUSH_FAILED", "the connection ended; the next push goes on");
  if (code === "TIMEOUT" || code === "SLOW") return failed("PUSH_FAILED", "the node takes nothing");
  return error;
}

/** A seq that says what is sent of each. */
function sentOf(all: readonly ChunkRanges[], isRaw: boolean): RangeSeq {
  // All of a sequence has a form of its own, whose last entry holds for ever.
  const isAll = !isRaw && all.every((ranges) => isSameRanges(ranges, ALL));
  return isAll ? [{ index: 0n, ranges: ALL }] : seqOf(all);
}

/** Bytes of the chunks of a blob that are selected, about. */
function bytesOf(ranges: ChunkRanges, size: number): number {
  let sum = 0;
  for (let i = 0; i < ranges.length; i += 2) {
    sum += Math.min(size, Number(ranges[i + 1] ?? ranges[i] + BigInt(size)) * 1024) -
      Math.min(size, Number(ranges[i]) * 1024);
  }
  return Math.min(sum, size);
}
