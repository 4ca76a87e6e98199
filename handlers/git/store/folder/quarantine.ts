/**
 * What is received stays beside the objects of a repository until all of it is known to be right. Its name does not begin
 * as that of git's own quarantines (`tmp_objdir-incoming-…`): those stock git removes, also from a push that is running.
 *
 * @module
 */
import { existsSync, mkdirSync, renameSync, rmSync, unlinkSync } from "node:fs";
import type { Oid } from "../../objects/oid.ts";
import { PackFile } from "../../pack/pack_file.ts";
import type { Ingested, IngestOptions, ObjectReader, Quarantine } from "../types.ts";
import { codeOf, receiving, sync } from "./files.ts";
import type { Holder } from "./holder.ts";
import { unlessMissing } from "./loose.ts";
import { INCOMING, ingest } from "./receiving/ingest.ts";
import { ingestInThread } from "./receiving/in_thread.ts";
import { Overlay } from "./receiving/overlay.ts";
import type { IngestPlace } from "./receiving/place.ts";

/** Packs of more bytes are received in a thread of their own. */
const SMALL = 1024 * 1024;

/** Where objects are received, and by whom. */
export interface QuarantinePlace extends IngestPlace {
  /** Who receives. */
  readonly holder: Holder;
}

/** A quarantine in a folder. */
export class FolderQuarantine implements Quarantine {
  readonly objects: ObjectReader;
  readonly #place: QuarantinePlace;
  readonly #folder: string;
  #file?: PackFile;
  #hash?: string;
  #keep?: string;

  /** Makes the folder. */
  constructor(place: QuarantinePlace) {
    this.#place = place;
    this.#folder = place.holder.quarantine();
    mkdirSync(`${this.#folder}/pack`, { recursive: true, mode: 0o700 });
    this.objects = new Overlay(place, () => this.#file);
    place.onStep?.("quarantine");
  }

  holds(oid: Oid): boolean {
    return (this.#file?.index.find(oid) ?? -1) >= 0;
  }

  async ingest(options: IngestOptions): Promise<Ingested> {
    const { onStep, caches } = this.#place;
    let received = false;
    const ingested = await this.#ingest({
      ...options,
      read: async () => {
        const bytes = await options.read();
        if (bytes && !received) onStep?.("receiving");
        received = true;
        return bytes;
      },
    });
    this.#hash = ingested.hash;
    this.#file = new PackFile(`${this.#folder}/pack/pack-${ingested.hash}`, caches);
    onStep?.("indexed");
    return ingested;
  }

  /** Begins here; what turns out to be large goes on in a thread, from its first byte. */
  async #ingest(options: IngestOptions): Promise<Ingested> {
    const into = `${this.#folder}/pack`;
    const small = new SmallPack(options);
    try {
      const ingested = await ingest(this.#place, into, small.options);
      small.settle();
      return ingested;
    } catch (error) {
      if (!small.isLarge) {
        small.settle();
        throw error;
      }
    }
    rmSync(`${into}/${INCOMING}`, { force: true });
    const again = { ...options, read: small.again() };
    return await ingestInThread(this.#place, into, again) ?? await ingest(this.#place, into, again);
  }

  async commit(): Promise<void> {
    await receiving(() => this.#commit());
  }

  async #commit(): Promise<void> {
    if (this.#hash === undefined || this.#file?.index.count === 0) return;
    const { folder, holder, store, onStep } = this.#place;
    const [from, to] = [`${this.#folder}/pack`, `${folder}/pack`];
    const name = `pack-${this.#hash}`;
    const keep = `${to}/${name}.keep`;
    mkdirSync(to, { recursive: true, mode: 0o700 });
    try {
      holder.lock(keep);
      this.#keep = keep;
      await sync(keep);
    } catch (error) {
      // Somebody else keeps the same pack.
      if (codeOf(error) !== "EEXIST") throw error;
    }
    onStep?.("keep");
    // What is there already has the same objects, and is never replaced.
    if (!existsSync(`${to}/${name}.idx`)) {
      for (const ending of ["pack", "rev", "idx"]) {
        renameSync(`${from}/${name}.${ending}`, `${to}/${name}.${ending}`);
        onStep?.(`${ending} renamed`);
      }
      await sync(to);
    }
    store.look();
    onStep?.("committed");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#file?.[Symbol.dispose]();
    this.#file = undefined;
    if (this.#keep !== undefined) unlessMissing(() => unlinkSync(this.#keep!));
    this.#keep = undefined;
    await Promise.resolve(rmSync(this.#folder, { recursive: true, force: true }));
  }
}

/** Receives a pack as long as it is small, and keeps what has come of it. */
class SmallPack {
  /** As given, until the pack is large: reading throws then. */
  readonly options: IngestOptions;
  readonly #given: IngestOptions;
  readonly #kept: Uint8Array[] = [];
  readonly #warnings: string[] = [];
  #bytes = 0;
  #isLarge = false;

  constructor(given: IngestOptions) {
    this.#given = given;
    const warn = (line: string): void => void this.#warnings.push(line);
    this.options = { ...given, read: () => this.#read(), warn, progress: undefined };
  }

  /** Whether it has turned out to be large. */
  get isLarge(): boolean {
    return this.#isLarge;
  }

  /** It was small: what was warned of is told. */
  settle(): void {
    for (const line of this.#warnings) this.#given.warn?.(line);
  }

  /** Reads all from the beginning. */
  again(): IngestOptions["read"] {
    const kept = this.#kept.values();
    return async () => kept.next().value ?? await this.#given.read();
  }

  async #read(): Promise<Uint8Array | undefined> {
    const bytes = await this.#given.read();
    if (!bytes) return undefined;
    this.#kept.push(new Uint8Array(bytes));
    this.#bytes += bytes.byteLength;
    this.#isLarge = this.#bytes > SMALL;
    if (this.#isLarge) throw new RangeError("the pack is large");
    return bytes;
  }
}
