/**
 * What `git index-pack --fix-thin --stdin` does: a pack that arrives becomes a pack, its index and the order of its
 * entries, or nothing at all. A thin one gets the bases that it lacks (gitformat-pack).
 *
 * @module
 */
import { createHash } from "node:crypto";
import { closeSync, fsync, openSync, readSync, writeFileSync, writeSync } from "node:fs";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { GitPackError } from "../errors.ts";
import { type Oid, OID_BYTES } from "../objects/oid.ts";
import { Blocks } from "./blocks.ts";
import { ByteCache } from "./byte_cache.ts";
import { compareOids, type Entries, NONE } from "./entries.ts";
import { formatEntryHead, typeOfKind } from "./entry.ts";
import { deflate } from "./inflate.ts";
import type { StoredObject } from "./pack_file.ts";
import { PackSource } from "./pack_source.ts";
import { type FirstPass, type PackBounds, readEntries } from "./read_entries.ts";
import { Resolver } from "./resolve.ts";
import { indexBytes, reverseBytes } from "./write_index.ts";

/** Bytes of the pack that are held to resolve deltas. */
const BLOCKS = 16 * 1024 * 1024;
const PIECE = 1024 * 1024;
/** Bytes that deltas may make of each byte of a pack, beyond what every pack may. */
const MOST_GROWTH = 200;

/** Bounds of a pack that is received. */
export interface IngestBounds extends PackBounds {
  /** Bytes of the pack, what is appended included. */
  readonly packBytes: number;
  /** Bytes that all deltas may make, beyond 200 for each byte of the pack. */
  readonly resolvedBytes: number;
  /** Bytes of objects that are held at a time to resolve deltas. */
  readonly baseCache: number;
}

/** What indexing works with. */
export interface IndexPack extends Pick<FirstPass, "check" | "pace" | "toEnd"> {
  /** The next bytes; nothing at the end. */
  read(): Promise<Uint8Array | undefined>;
  /** Path of a file that is not there yet. */
  readonly file: string;
  /** Bounds. */
  readonly bounds: IngestBounds;
  /** A base that is not in the pack. */
  base(oid: Oid): Promise<StoredObject | undefined>;
  /** Waits until deltas may be resolved: how many packs are at a time is others' business. */
  turn(): Promise<Disposable>;
  /** Told of how far it is. */
  progress?(phase: "receiving" | "resolving", done: number, total: number): void;
}

/** A pack that has been indexed. */
export interface IndexedPack {
  /** Its trailer, 40 hex digits, which names the files. */
  readonly hash: string;
  /** Objects that the client sent. */
  readonly count: number;
  /** Where the entries end that the client sent. */
  readonly bodyEnd: number;
  /** What was appended to it. */
  readonly bases: readonly Oid[];
  /** Numbers of its entries in the order of their ids. */
  readonly sorted: Uint32Array;
  /** Its entries. */
  readonly entries: Entries;
  /** Bytes of its index. */
  readonly index: Uint8Array;
  /** Bytes of the file with the order of its entries. */
  readonly reverse: Uint8Array;
}

/**
 * Receives a pack into a file, which has been brought to the disk by then.
 *
 * @throws {GitPackError} The pack is refused; the file stays. What `read` and the file system throw.
 */
export async function indexPack(work: IndexPack): Promise<IndexedPack> {
  const { bounds, pace, check } = work;
  const fd = openSync(work.file, "wx+", 0o600);
  try {
    const source = new PackSource({
      read: () => work.read(),
      write: (bytes) => writeAll(fd, bytes),
      maxBytes: bounds.packBytes,
    });
    const first = await readEntries({
      source,
      toEnd: work.toEnd,
      bounds,
      pace,
      check,
      progress: work.progress && ((done, total) => work.progress!("receiving", done, total)),
    });
    const { entries, bodyEnd } = first;
    const { count } = entries;
    using _turn = await work.turn();
    const bases: Oid[] = [];
    const hash = await resolved(work, fd, { ...first, bases });
    const sorted = sortedOnce(entries);
    const files = { index: indexBytes(entries, sorted, hash), reverse: reverseBytes(sorted, hash) };
    await promisify(fsync)(fd);
    return { hash: hash.toHex(), count, bodyEnd, bases, sorted, entries, ...files };
  } finally {
    closeSync(fd);
  }
}

/** Writes a file that is not there yet, and brings it to the disk. */
export function writeSynced(path: string, bytes: Uint8Array | string): void {
  writeFileSync(path, bytes, { mode: 0o600, flag: "wx", flush: true });
}

interface FirstDone {
  readonly entries: Entries;
  readonly hash: Uint8Array;
  readonly bodyEnd: number;
  readonly bases: Oid[];
}

/** Resolves all deltas, and appends bases that are not there. Gives the trailer. */
async function resolved(
  work: IndexPack,
  fd: number,
  { entries, hash, bodyEnd, bases }: FirstDone,
): Promise<Uint8Array> {
  const { bounds, pace, check } = work;
  const resolver = new Resolver({
    entries,
    bodyEnd,
    blocks: new Blocks(fd, "pack", new ByteCache(BLOCKS)),
    bounds: { ...bounds, resolvedBytes: bounds.resolvedBytes + MOST_GROWTH * bodyEnd },
    pace,
    check,
    progress: work.progress && ((done, total) => work.progress!("resolving", done, total)),
  });
  await resolver.resolve();
  if (resolver.complete) return hash;
  let end = bodyEnd;
  for (const oid of resolver.missingBases()) {
    const object = await work.base(oid.toHex());
    if (!object) continue;
    await resolver.resolveFrom(oid, object);
    // What is appended lies behind all that the resolver reads.
    const entry = deflatedEntry(object);
    const type = typeOfKind(object.kind);
    const number = entries.add({ offset: end, head: 0, type, size: 0, crc: crc32(entry), base: NONE });
    entries.oid(number).set(oid);
    entries.kinds[number] = type;
    writeAll(fd, entry, end);
    end += entry.byteLength;
    bases.push(oid.toHex());
    if (end > bounds.packBytes) throw new GitPackError("pack too large");
  }
  if (!resolver.complete) throw new GitPackError("unresolved deltas");
  const count = new Uint8Array(4);
  new DataView(count.buffer).setUint32(0, entries.count);
  writeAll(fd, count, 8);
  const sum = createHash("sha1");
  const piece = new Uint8Array(PIECE);
  for (let at = 0; at < end;) {
    const length = readSync(fd, piece, 0, PIECE, at);
    sum.update(piece.subarray(0, length));
    at += length;
    await pace.step();
  }
  const trailer = new Uint8Array(sum.digest());
  writeAll(fd, trailer, end);
  return trailer;
}

function deflatedEntry({ kind, bytes }: StoredObject): Uint8Array {
  const head = formatEntryHead(typeOfKind(kind), bytes.byteLength);
  const body = deflate(bytes);
  const entry = new Uint8Array(head.byteLength + body.byteLength);
  entry.set(head);
  entry.set(body, head.byteLength);
  return entry;
}

function sortedOnce(entries: Entries): Uint32Array {
  const sorted = entries.sorted(Uint32Array.from({ length: entries.count }, (_, i) => i));
  for (let i = 1; i < sorted.length; i++) {
    if (compareOids(entries.oids, sorted[i] * OID_BYTES, entries.oids, sorted[i - 1] * OID_BYTES) !== 0) continue;
    throw new GitPackError(`duplicate object ${entries.oid(sorted[i]).toHex()}`);
  }
  return sorted;
}

function writeAll(fd: number, bytes: Uint8Array, at?: number): void {
  for (let done = 0; done < bytes.byteLength;) {
    const where = at === undefined ? null : at + done;
    done += writeSync(fd, bytes, done, bytes.byteLength - done, where);
  }
}
