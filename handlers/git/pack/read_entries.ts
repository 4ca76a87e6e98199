/**
 * The first pass over a pack that arrives (gitformat-pack): every entry is inflated, what is whole is named and looked at,
 * and what is a delta waits for the second pass.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { crc32, inflateSync } from "node:zlib";
import { badPack, GitPackError } from "../errors.ts";
import type { Kind } from "../objects/oid.ts";
import { Entries, NONE } from "./entries.ts";
import { type EntryHead, EntryType, kindOfType, parseEntryHead } from "./entry.ts";
import { Inflating } from "./inflating.ts";
import type { PackSource } from "./pack_source.ts";
import { inflateSmall } from "./small/inflate_small.ts";
import { sha1Small, SMALL_SHA1 } from "./small/sha1_small.ts";

/** Entries that are larger are inflated in pieces. */
const WHOLE = 1024 * 1024;
/** Blobs that are larger are not held whole. */
const HELD_BLOB = 32 * 1024 * 1024;
/** Bytes that stand behind the shortest head of an entry for sure: a zlib stream and the trailer. */
const LEAST = 29;
const MAX_HEAD = 40;
/** Times that an entry which has not come whole is tried again from its start. */
const TRIES = 3;
const TRAILER = 20;

/** Long work in slices: others get their turn between steps, and it may end there. */
export interface Steps {
  /** A step ends. */
  step(): Promise<void> | undefined;
}

/** Bounds of what a pack may hold. */
export interface PackBounds {
  /** Objects. */
  readonly objects: number;
  /** Bytes of an object. */
  readonly objectBytes: number;
  /** Bytes of a delta, its base, and what it makes. */
  readonly deltaBytes: number;
}

/** What is told of each object. */
export interface ObjectCheck {
  /**
   * Looks at an object, which a blob above some size is not shown whole.
   *
   * @throws {GitPackError} It is refused.
   */
  check(kind: Kind, oid: Uint8Array, bytes: Uint8Array | undefined, size: number): Promise<void> | undefined;
}

/** What the first pass needs. */
export interface FirstPass extends ObjectCheck {
  /** The pack. */
  readonly source: PackSource;
  /** Whether the pack is all that comes. */
  readonly toEnd: boolean;
  /** Bounds. */
  readonly bounds: PackBounds;
  /** Its pace. */
  readonly pace: Steps;
  /** Told of how far it is. */
  progress?(done: number, total: number): void;
}

/**
 * Reads the whole pack, its trailer too.
 *
 * @throws {GitPackError} See its words.
 */
export async function readEntries(pass: FirstPass): Promise<{ entries: Entries; hash: Uint8Array; bodyEnd: number }> {
  const { source, bounds, pace } = pass;
  await source.need(12);
  const header = source.take(12);
  const view = new DataView(header.buffer, header.byteOffset, 12);
  if (view.getUint32(0) !== 0x5041434b || view.getUint32(4) !== 2) throw badPack("header");
  const count = view.getUint32(8);
  if (count > bounds.objects) throw new GitPackError("too many objects");
  const entries = new Entries();
  for (let i = 0; i < count; i++) {
    // What has come whole is not waited for: a wait costs more than a small object.
    const taken = takeEntry(entries, pass);
    if (taken === false) await readEntry(entries, pass);
    else if (taken) await taken;
    pass.progress?.(i + 1, count);
    const turn = pace.step();
    if (turn) await turn;
  }
  const bodyEnd = source.offset;
  const sum = source.sum();
  await source.need(TRAILER);
  const hash = source.take(TRAILER).slice();
  if (hash.toHex() !== sum.toHex()) throw badPack("checksum");
  // Who may say more after the pack is not waited for; what has come already is too much.
  if (pass.toEnd ? !await source.ended() : source.available.byteLength > 0) throw badPack("trailing bytes");
  return { entries, hash, bodyEnd };
}

/** The name of an object of a kind and some bytes. */
export function objectId(kind: Kind, bytes: Uint8Array): Uint8Array {
  const head = `${kind} ${bytes.byteLength}\0`;
  if (head.length + bytes.byteLength <= SMALL_SHA1) return sha1Small(head, bytes);
  return createHash("sha1").update(head).update(bytes).digest();
}

/** Takes an entry that has come whole and is not large, if there is one; what is looked at may have to be waited for. */
function takeEntry(entries: Entries, pass: FirstPass): Promise<void> | undefined | false {
  const { source } = pass;
  const { offset, available } = source;
  const type = (available[0] >> 4) & 7;
  if (available.byteLength < MAX_HEAD || type === 0 || type === 5) return false;
  let head: EntryHead;
  try {
    head = parseEntryHead(available.subarray(0, MAX_HEAD));
  } catch {
    return false;
  }
  if (head.size > WHOLE) return false;
  const base = baseOf(entries, offset, head, pass);
  const whole = inflateWhole(available.subarray(head.length), head.size);
  if (!whole) return false;
  const crc = crc32(source.take(head.length + whole.length));
  return addEntry(entries, pass, { offset, head, base, bytes: whole.bytes, crc });
}

async function readEntry(entries: Entries, pass: FirstPass): Promise<void> {
  const { source } = pass;
  const { offset } = source;
  const head = await headOf(source);
  const base = baseOf(entries, offset, head, pass);
  // A blob that nobody holds whole is summed up as it comes.
  const summed = kindOfType(head.type) === "blob" && head.size > HELD_BLOB ? createHash("sha1") : undefined;
  summed?.update(`blob ${head.size}\0`);
  const { bytes, crc } = await inflated(source, head, summed && ((piece) => summed.update(piece)));
  await addEntry(entries, pass, { offset, head, base, bytes, crc, oid: summed?.digest() });
}

/** The number of the base that a delta names by distance, once its size is known to be allowed. */
function baseOf(entries: Entries, offset: number, head: EntryHead, { bounds }: FirstPass): number {
  if (head.size > (kindOfType(head.type) === "blob" ? bounds.objectBytes : bounds.deltaBytes)) {
    throw new GitPackError("object too large");
  }
  if (head.distance === undefined) return NONE;
  const base = entries.at(offset - head.distance);
  if (base === NONE) throw badPack("base");
  return base;
}

interface Read {
  readonly offset: number;
  readonly head: EntryHead;
  readonly base: number;
  readonly bytes?: Uint8Array;
  readonly crc: number;
  /** Where it is known without its bytes. */
  readonly oid?: Uint8Array;
}

function addEntry(
  entries: Entries,
  pass: FirstPass,
  { offset, head, base, bytes, crc, oid }: Read,
): Promise<void> | undefined {
  const kind = kindOfType(head.type);
  const number = entries.add({ offset, head: head.length, type: head.type, size: head.size, crc, base });
  if (kind) {
    entries.oid(number).set(oid ?? objectId(kind, bytes!));
    entries.kinds[number] = head.type;
    return pass.check(kind, entries.oid(number), bytes, head.size);
  }
  if (head.base !== undefined) entries.oid(number).set(Uint8Array.fromHex(head.base));
  entries.keep(number, bytes!);
  return undefined;
}

async function headOf(source: PackSource): Promise<EntryHead> {
  await source.need(LEAST);
  for (;;) {
    const { available } = source;
    const type = (available[0] >> 4) & 7;
    if (type === 0 || type === 5) throw badPack("type");
    try {
      return parseEntryHead(available.subarray(0, MAX_HEAD));
    } catch {
      // More may make it a head; what is no head by then is none.
      if (available.byteLength >= MAX_HEAD) throw badPack(type === EntryType.OFS_DELTA ? "base" : "size");
      await source.need(available.byteLength + 1);
    }
  }
}

/** Inflates an entry and takes it, head and all. Its bytes, unless a sink takes them, and its CRC. */
async function inflated(
  source: PackSource,
  head: EntryHead,
  sink?: (piece: Uint8Array) => void,
): Promise<{ bytes?: Uint8Array; crc: number }> {
  for (let tries = 0; head.size <= WHOLE && tries < TRIES; tries++) {
    const { available } = source;
    const whole = inflateWhole(available.subarray(head.length), head.size);
    if (whole) return { bytes: whole.bytes, crc: crc32(source.take(head.length + whole.length)) };
    await source.need(available.byteLength + 1);
  }
  return await inflatePieces(source, head, sink);
}

/** What a zlib stream makes and how long it is; nothing where it has not come whole. */
function inflateWhole(bytes: Uint8Array, size: number): { bytes: Uint8Array; length: number } | undefined {
  // A stream of that size is hardly longer, and what stands behind it costs nothing then.
  const window = bytes.subarray(0, size + (size >> 9) + 128);
  const small = inflateSmall(window, size);
  if (small) return small;
  try {
    const { buffer, engine } = inflateSync(window, {
      info: true,
      maxOutputLength: Math.max(1, size),
      chunkSize: Math.max(64, size + 1),
    }) as unknown as { buffer: Uint8Array; engine: { bytesWritten: number } };
    if (buffer.byteLength !== size) throw badPack("size");
    return { bytes: buffer, length: engine.bytesWritten };
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "Z_BUF_ERROR") return undefined;
    if (code === "ERR_BUFFER_TOO_LARGE") throw badPack("size");
    throw error instanceof GitPackError ? error : badPack("checksum");
  }
}

async function inflatePieces(
  source: PackSource,
  head: EntryHead,
  sink?: (piece: Uint8Array) => void,
): Promise<{ bytes?: Uint8Array; crc: number }> {
  const pieces: Uint8Array[] = [];
  using inflating = new Inflating(head.size, sink ?? ((piece) => pieces.push(piece)));
  let crc = crc32(source.take(head.length));
  for (let pushed = 0;;) {
    await source.need(1);
    const { available } = source;
    const length = await inflating.push(available);
    if (length === undefined) {
      crc = crc32(source.take(available.byteLength), crc);
      pushed += available.byteLength;
      continue;
    }
    crc = crc32(source.take(length - pushed), crc);
    return { bytes: sink ? undefined : joined(pieces, head.size), crc };
  }
}

function joined(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}
