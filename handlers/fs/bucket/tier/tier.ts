/**
 * A bucket behind a store: what is added is sent there; a cold store lets go here what was not used lately, and reads it
 * from there. While the bucket cannot be reached, what is here is served and added to as before.
 *
 * The bucket is believed nothing. Before the last copy here goes, the one there is read and verified to its last byte;
 * where something else is found in its place, it is sent again, or, if it is nowhere else, it is absent until it is found
 * right or comes from elsewhere.
 *
 * @module
 */
import { AlknetError, logger, RecentMap } from "@alknet/core/handler";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { outboardSize } from "../../bao/tree.ts";
import { MAX_BLOB_SIZE, type OpenSource } from "../../blobs/blob_store.ts";
import type { Elsewhere, ElsewhereParts, Settled } from "../../blobs/disk/elsewhere.ts";
import type { BlobRow } from "../../blobs/disk/tables/rows.ts";
import { PLACE } from "../../blobs/disk/tables/rows.ts";
import { readerOf } from "../../blobs/reading.ts";
import { verified } from "../../blobs/verifying.ts";
import { shortHash } from "../../errors.ts";
import type { Hash } from "../../wire/hash_text.ts";
import type { Bucket } from "../bucket.ts";
import { Claims, keyOf } from "./claims.ts";
import { bring, isBrought } from "./bringing.ts";
import { bucketSource } from "./reading.ts";
import { type BucketRow, BucketRows } from "./rows.ts";
import { send } from "./sending.ts";

/** Milliseconds between two looks at what is to be sent. */
const LOOK = 1000;
/** Milliseconds until the next try while the bucket cannot be reached: at first, and at most. */
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 5 * 60_000;
/** Milliseconds after which what was begun and not finished there is ended, and between two looks at it. */
const UNFINISHED = 24 * 3_600_000;
const SWEEP = 3_600_000;
/** Milliseconds until what could not be sent for its own sake is tried again, and how many are remembered. */
const SKIP = 3_600_000;
/** Bytes up to which blobs are sent together, and how many: each waits for the bucket more than it sends. */
const SMALL = 1024 * 1024;
const TOGETHER = 8;
/** Milliseconds for which a blob that is not there is known not to be; how many are remembered, and looked for at a time. */
const MISSING = 5000;
const MOST_REMEMBERED = 10_000;
const MOST_LOOKS = 8;

const log = logger("fs", "bucket");

/** What a store keeps here of what is there. */
export interface TierOptions {
  /** All, or what was used last. */
  readonly mode: "mirror" | "cold";
  /** Bytes of files that stay here in `cold`. */
  readonly cacheBytes: number;
}

/** The bucket of a store. */
export class Tier implements Elsewhere {
  readonly #bucket: Bucket;
  readonly #store: ElsewhereParts;
  readonly #options: TierOptions;
  readonly #rows: BucketRows;
  readonly #claims: Claims;
  readonly #stop = new AbortController();
  readonly #skipped = new RecentMap<Hash, number>({ most: MOST_REMEMBERED });
  readonly #spoiled = new RecentMap<Hash, true>({ most: MOST_REMEMBERED });
  readonly #missing = new RecentMap<Hash, number>({ most: MOST_REMEMBERED });
  readonly #looks = new Map<Hash, Promise<boolean>>();
  readonly #brings = new Map<Hash, Promise<boolean>>();
  readonly #doubts = new Set<Hash>();
  readonly #running: Promise<void>;
  #turn: Promise<unknown> = Promise.resolve();
  // A command is over before it is time.
  #swept = performance.now() - SWEEP + 60_000;
  #failure: string | undefined;

  /** @param id Names the store among those that share the bucket. */
  private constructor(bucket: Bucket, store: ElsewhereParts, id: string, options: TierOptions) {
    this.#bucket = bucket;
    this.#store = store;
    this.#options = options;
    this.#rows = new BucketRows(store.database);
    this.#claims = new Claims(bucket, id);
    this.#running = store.isKeeper ? this.#run() : Promise.resolve();
  }

  /** Puts a bucket behind a store, which owns it then. */
  static async open(bucket: Bucket, store: ElsewhereParts, options: TierOptions): Promise<Tier> {
    return new Tier(bucket, store, await idOf(store), options);
  }

  async source(row: BlobRow): Promise<OpenSource> {
    const { mode, cacheBytes } = this.#options;
    if (mode === "mirror" || !isBrought(row.size, cacheBytes)) return this.#source(row);
    return await this.#bring(row) ? await this.#store.source(row.hash) : this.#source(row);
  }

  find(hash: Hash): Promise<boolean> {
    let look = this.#looks.get(hash);
    if (look) return look;
    const then = this.#missing.get(hash);
    const isKnown = then !== undefined && performance.now() - then < MISSING;
    if (isKnown || this.#looks.size >= MOST_LOOKS || this.#rows.has(hash)) return Promise.resolve(false);
    look = this.#find(hash).catch((error) => {
      log.debug("bucket {bucket}: {reason}", { bucket: this.#bucket.name, reason: reasonOf(error) });
      return false;
    }).finally(() => this.#looks.delete(hash));
    this.#looks.set(hash, look);
    return look;
  }

  async remove(hash: Hash): Promise<void> {
    await this.#claims.drop(hash, this.#stop.signal);
  }

  doubt(hash: Hash): void {
    if (this.#doubts.has(hash) || this.#stop.signal.aborted) return;
    this.#doubts.add(hash);
    this.#inTurn(async () => {
      this.#doubts.delete(hash);
      const row = this.#rows.find(hash);
      if (row && !await this.#isSound({ hash, size: row.size })) this.#wrong(hash);
    }).catch(() => {});
  }

  async review(): Promise<void> {
    await this.#inTurn(() => this.#review()).catch((error) => {
      if (!isOfBucket(error)) throw error;
    });
  }

  // Async, as it is where there is something to do.
  // deno-lint-ignore require-await
  async settle(): Promise<Settled> {
    // Who looks after the store sends what this process adds.
    if (!this.#store.isKeeper) return { sent: 0, left: 0 };
    return this.#inTurn(() => this.#settle());
  }

  /** Ends it; what is under way is begun again by the next. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new AlknetError("BUCKET_UNAVAILABLE", "the store was closed"));
    await Promise.all(
      [this.#running, this.#turn, ...this.#looks.values(), ...this.#brings.values()].map((one) => one.catch(() => {})),
    );
    this.#bucket[Symbol.dispose]();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (let failures = 0; !signal.aborted;) {
      const { failure } = await this.settle().catch((error): Settled => ({
        sent: 0,
        left: 0,
        failure: reasonOf(error),
      }));
      failures = failure === undefined ? 0 : failures + 1;
      const wait = failure === undefined ? LOOK : Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(failures - 1, 16));
      await delay(wait, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #settle(): Promise<Settled> {
    let sent = 0;
    let failure: string | undefined;
    try {
      sent = await this.#send();
      if (this.#options.mode === "cold") await this.#letGo();
      if (performance.now() - this.#swept > SWEEP) {
        await this.#bucket.sweep(UNFINISHED, { signal: this.#stop.signal });
        await this.#review();
        this.#swept = performance.now();
      }
    } catch (error) {
      if (this.#stop.signal.aborted) throw error;
      failure = reasonOf(error);
    }
    if (failure !== this.#failure) {
      if (failure !== undefined) log.warn("{reason}; blobs stay here and are sent later", { reason: failure });
      else log.info("bucket {bucket} can be reached again", { bucket: this.#bucket.name });
      this.#failure = failure;
    }
    return { sent, left: this.#rows.countUnsent(), failure };
  }

  async #review(): Promise<void> {
    for (let after: Hash | undefined, isMore = true; isMore;) {
      const page = this.#rows.lost(after);
      for (const row of page) if (await this.#isSound(row)) this.#rows.right(row.hash);
      after = page.at(-1)?.hash;
      isMore = after !== undefined;
    }
  }

  async #send(): Promise<number> {
    let sent = 0;
    for (let after: Hash | undefined, isMore = true; isMore;) {
      const page = this.#rows.unsent(after);
      after = page.at(-1)?.hash;
      isMore = after !== undefined;
      const now = performance.now();
      const due = page.filter(({ hash }) => now - (this.#skipped.get(hash) ?? -Infinity) > SKIP);
      const small = due.filter(({ size }) => size <= SMALL);
      const work = async (): Promise<void> => {
        for (let row = small.shift(); row; row = small.shift()) sent += await this.#sendOne(row);
      };
      const ended = await Promise.allSettled(Array.from({ length: TOGETHER }, work));
      const failed = ended.find((one) => one.status === "rejected");
      if (failed) throw failed.reason;
      for (const row of due) if (row.size > SMALL) sent += await this.#sendOne(row);
    }
    return sent;
  }

  async #sendOne({ hash }: BucketRow): Promise<number> {
    const { signal } = this.#stop;
    signal.throwIfAborted();
    try {
      await send(hash, { bucket: this.#bucket, claims: this.#claims, rows: this.#rows, store: this.#store, signal });
      return 1;
    } catch (error) {
      if (isOfBucket(error) || signal.aborted) throw error;
      // It went meanwhile, or what is here of it is wrong.
      this.#skipped.set(hash, performance.now());
      log.warn("blob {hash} is not sent: {reason}", { hash: shortHash(hash), reason: reasonOf(error) });
      return 0;
    }
  }

  async #letGo(): Promise<void> {
    for (let kept = this.#rows.kept(); kept > this.#options.cacheBytes;) {
      const page = this.#rows.oldest();
      if (page.length === 0) return;
      for (const row of page) {
        if (kept <= this.#options.cacheBytes) return;
        if (await this.#isSound(row)) await this.#drop(row.hash);
        else this.#wrong(row.hash);
        kept -= row.size;
      }
    }
  }

  /** Lets the files here go. The hold says, should the process die between, that they are to go. */
  async #drop(hash: Hash): Promise<void> {
    await using _held = await this.#store.hold(hash);
    if (!this.#rows.alone(hash)) return;
    for (const kind of ["data", "obao4"] as const) await Deno.remove(this.#store.pathOf(hash, kind)).catch(() => {});
  }

  /** Reads what is there to its last byte. */
  async #isSound({ hash, size }: BucketRow): Promise<boolean> {
    // The pairs that are here would hide that those there are wrong.
    const open = (): Promise<OpenSource> =>
      Promise.resolve(bucketSource({ ...NO_ROW, hash, size }, { bucket: this.#bucket, signal: this.#stop.signal }));
    for await (const { fault } of verified(hash, size, open)) if (fault !== undefined) return false;
    return true;
  }

  #wrong(hash: Hash): void {
    this.#rows.wrong(hash);
    // A bucket that spoils what it is given is not given it again and again.
    if (this.#spoiled.get(hash)) this.#skipped.set(hash, performance.now());
    this.#spoiled.set(hash, true);
    const bucket = this.#bucket.name;
    log.error("bucket {bucket} has something else in the place of blob {hash}", { bucket, hash: shortHash(hash) });
  }

  async #find(hash: Hash): Promise<boolean> {
    const { signal } = this.#stop;
    const there = await this.#bucket.head(keyOf(hash, "data"), { signal });
    const size = there?.size ?? Infinity;
    const claimed = size <= MAX_BLOB_SIZE ? await this.#claims.need(hash, signal) : {};
    if (claimed.data !== size || (claimed.obao4 ?? 0) !== outboardSize(size)) {
      this.#missing.set(hash, performance.now());
      return false;
    }
    const row: BlobRow = { ...NO_ROW, hash, size };
    // The last byte proves the size.
    await readerOf(bucketSource(row, { bucket: this.#bucket, signal })).read(Math.max(0, size - 1), 1);
    const { database, going } = this.#store;
    database.transaction(() => {
      going.refuse(hash);
      this.#rows.adopt(row, Date.now());
    });
    return this.#rows.find(hash) !== undefined;
  }

  /** Many who ask for the same one wait for it together. */
  #bring(row: BlobRow): Promise<boolean> {
    let bringing = this.#brings.get(row.hash);
    if (bringing) return bringing;
    bringing = bring(row.hash, this.#source(row), { store: this.#store, rows: this.#rows }).catch((error) => {
      // Whoever reads it from there is told what is wrong.
      log.debug("blob {hash} stays there: {reason}", { hash: shortHash(row.hash), reason: reasonOf(error) });
      return false;
    }).finally(() => this.#brings.delete(row.hash));
    this.#brings.set(row.hash, bringing);
    return bringing;
  }

  #source(row: BlobRow): OpenSource {
    const spoiled = (): void => this.doubt(row.hash);
    return bucketSource(row, { bucket: this.#bucket, signal: this.#stop.signal, spoiled });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(() => {
      this.#stop.signal.throwIfAborted();
      return work();
    });
    this.#turn = done.catch(() => {});
    return done;
  }
}

const NO_ROW = { data: null, pairs: null, state: 1, place: PLACE.bucket, used: 0 } as const;

/** The name of a store, which it gives itself: the first to come makes it. */
async function idOf({ root, newPath }: ElsewhereParts): Promise<string> {
  const path = join(root, "bucket.id");
  const read = async (): Promise<string | undefined> => {
    const text = await Deno.readTextFile(path).catch(() => "");
    return /^[0-9a-f]{16}$/.exec(text.trim())?.[0];
  };
  const known = await read();
  if (known !== undefined) return known;
  const fresh = newPath();
  await Deno.writeTextFile(fresh, `${crypto.getRandomValues(new Uint8Array(8)).toHex()}\n`, { mode: 0o600 });
  try {
    await Deno.link(fresh, path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  } finally {
    await Deno.remove(fresh);
  }
  const made = await read();
  if (made !== undefined) return made;
  throw new AlknetError("INVALID_STORE", `${path} holds no name of a store; remove it, and the store takes a new one`);
}

function isOfBucket(error: unknown): boolean {
  return error instanceof AlknetError && error.code.startsWith("BUCKET_");
}

function reasonOf(error: unknown): string {
  return (error as Error).message;
}
