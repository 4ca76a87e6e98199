/**
 * A pack of selected objects, written beside a repository and then moved into it: entries stay as they are stored.
 *
 * @module
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  fsync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { Entries, NONE } from "../pack/entries.ts";
import { indexBytes, reverseBytes } from "../pack/write_index.ts";
import { sendPack } from "../serve/upload/send_pack.ts";
import { type OnStep, sync, writeNew } from "../store/folder/files.ts";
import type { Holder } from "../store/folder/holder.ts";
import { unlessMissing } from "../store/folder/loose.ts";
import type { FolderObjects } from "../store/folder/objects.ts";
import type { Pace } from "../walk/pace.ts";
import type { Selection } from "../walk/selection.ts";

/** What is written, and where. */
export interface PackToWrite {
  /** Path of `objects`. */
  readonly folder: string;
  /** Where the objects are. */
  readonly objects: FolderObjects;
  /** Which ones, one at least. */
  readonly selection: Selection;
  /** Who writes. */
  readonly holder: Holder;
  /** Its pace. */
  readonly pace: Pace;
  /** Told of each step. */
  readonly onStep?: OnStep;
}

/** A pack that was written. */
export interface WrittenPack {
  /** Its trailer. */
  readonly hash: string;
  /** Where its entries end. */
  readonly end: number;
  /** Its objects. */
  readonly count: number;
}

/** Bytes that are gathered before they are written. */
const GATHERED = 1024 * 1024;

/**
 * Writes a pack. One with the same objects in the same order is there already, and stays.
 *
 * @throws {AlknetError} `GIT_CORRUPT`, `GIT_OBJECT_MISSING`. What the file system throws. Nothing is left then.
 */
export async function writePack(work: PackToWrite): Promise<WrittenPack> {
  const { folder, objects, selection, holder, pace, onStep } = work;
  const endings = ["pack", "rev", "idx"] as const;
  const temporary = { pack: holder.temporary(), rev: holder.temporary(), idx: holder.temporary() };
  mkdirSync(`${folder}/pack`, { recursive: true, mode: 0o700 });
  try {
    const { entries, end, hash } = await writeEntries(temporary.pack, { store: objects, selection, pace });
    const sorted = entries.sorted(Uint32Array.from({ length: entries.count }, (_, i) => i));
    await writeNew(temporary.rev, reverseBytes(sorted, hash));
    await writeNew(temporary.idx, indexBytes(entries, sorted, hash));
    onStep?.("packed");
    const path = `${folder}/pack/pack-${hash.toHex()}`;
    if (!existsSync(`${path}.idx`)) {
      // Whoever may look into the folder may read packs, as with git.
      const mode = statSync(`${folder}/pack`).mode & 0o444;
      for (const ending of endings) {
        chmodSync(temporary[ending], mode);
        renameSync(temporary[ending], `${path}.${ending}`);
        onStep?.(`new ${ending}`);
      }
      await sync(`${folder}/pack`);
    }
    return { hash: hash.toHex(), end, count: entries.count };
  } finally {
    for (const ending of endings) unlessMissing(() => unlinkSync(temporary[ending]));
  }
}

interface Written {
  readonly entries: Entries;
  readonly hash: Uint8Array;
  readonly end: number;
}

async function writeEntries(
  file: string,
  { store, selection, pace }: { store: FolderObjects; selection: Selection; pace: Pace },
): Promise<Written> {
  const entries = new Entries();
  const fd = openSync(file, "wx", 0o600);
  try {
    let [crc, length] = [0, 0];
    let pieces: Uint8Array[] = [];
    let gathered = 0;
    const flush = (): void => {
      for (const piece of pieces) for (let at = 0; at < piece.byteLength;) at += writeSync(fd, piece, at);
      pieces = [];
      gathered = 0;
    };
    let last: Uint8Array = new Uint8Array(0);
    let end = 0;
    let open = NONE;
    await sendPack({
      store,
      selection,
      ofsDelta: true,
      pace,
      entry: (oid) => {
        if (open !== NONE) entries.crcs[open] = crc;
        crc = 0;
        end = length;
        if (oid === undefined) return;
        open = entries.add({ offset: length, head: 0, type: 0, size: 0, crc: 0, base: NONE });
        entries.oid(open).set(Uint8Array.fromHex(oid));
      },
    }, (bytes) => {
      crc = crc32(bytes, crc);
      length += bytes.byteLength;
      last = bytes;
      pieces.push(bytes);
      gathered += bytes.byteLength;
      if (gathered >= GATHERED) flush();
      return Promise.resolve();
    });
    flush();
    await promisify(fsync)(fd);
    return { entries, hash: last, end };
  } finally {
    closeSync(fd);
  }
}
