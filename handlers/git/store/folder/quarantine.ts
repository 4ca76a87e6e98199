/**
 * What is received stays beside the objects of a repository until all of it is known to be right (git's
 * `tmp_objdir-incoming-…`, which stock git removes where it is left).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { existsSync, mkdirSync, renameSync, rmSync, unlinkSync } from "node:fs";
import { GitPackError } from "../../errors.ts";
import { defaultVerdict, fsckObject, type Verdict } from "../../objects/fsck.ts";
import { fsckAttributes, fsckModules } from "../../objects/fsck_files.ts";
import type { Kind, Oid } from "../../objects/oid.ts";
import { type IndexedPack, indexPack } from "../../pack/index_pack.ts";
import { type PackCaches, PackFile, type StoredObject } from "../../pack/pack_file.ts";
import type { Steps } from "../../pack/read_entries.ts";
import type { Ingested, IngestOptions, Maybe, ObjectReader, PushSettings, Quarantine } from "../types.ts";
import { codeOf, type OnStep, receiving, sync, writeNew } from "./files.ts";
import { GitConfig } from "./git_config.ts";
import type { Holder } from "./holder.ts";
import { LooseNames, unlessMissing } from "./loose.ts";
import type { FolderObjects } from "./objects.ts";

/** Warnings that are told of; more say little. */
const MOST_WARNINGS = 100;

/** Where objects are received. */
export interface QuarantinePlace {
  /** Path of `objects`. */
  readonly folder: string;
  /** What the repository holds. */
  readonly store: FolderObjects;
  /** Who receives. */
  readonly holder: Holder;
  /** Caches of a node. */
  readonly caches: PackCaches;
  /** Bytes of an object that is read whole. */
  readonly limit: number;
  /** What is looked for in objects. */
  readonly settings: Pick<PushSettings, "fsckObjects" | "fsck">;
  /** Told of each step. */
  readonly onStep?: OnStep;
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
    return await receiving(() => this.#ingest(options));
  }

  async #ingest(options: IngestOptions): Promise<Ingested> {
    const { onStep, store } = this.#place;
    const checks = new Checks(this.#place, options);
    const incoming = `${this.#folder}/pack/incoming`;
    let received = false;
    const indexed = await indexPack({
      ...options,
      read: async () => {
        const bytes = await options.read();
        if (bytes && !received) onStep?.("receiving");
        received = true;
        return bytes;
      },
      file: incoming,
      check: (kind, oid, bytes) => checks.object(kind, oid, bytes),
      base: (oid) => store.read(oid),
    });
    onStep?.("received");
    await this.#keepFiles(incoming, indexed);
    await checks.rest(this.objects, options.pace);
    onStep?.("indexed");
    const { hash, count, bodyEnd, bases } = indexed;
    return { hash, count, bodyEnd, bases, bytes: this.#file!.size };
  }

  async #keepFiles(incoming: string, { hash, index, reverse }: IndexedPack): Promise<void> {
    const path = `${this.#folder}/pack/pack-${hash}`;
    renameSync(incoming, `${path}.pack`);
    await writeNew(`${path}.rev`, reverse);
    await writeNew(`${path}.idx`, index);
    this.#hash = hash;
    this.#file = new PackFile(path, this.#place.caches);
  }

  async commit(): Promise<void> {
    await receiving(() => this.#commit());
  }

  async #commit(): Promise<void> {
    if (this.#hash === undefined || this.#file?.index.count === 0) return;
    const { folder, holder, store, onStep } = this.#place;
    const [from, to] = [`${this.#folder}/pack`, `${folder}/pack`];
    const name = `pack-${this.#hash}`;
    mkdirSync(to, { recursive: true, mode: 0o700 });
    try {
      await writeNew(`${to}/${name}.keep`, holder.mark);
      this.#keep = `${to}/${name}.keep`;
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

/** What is received, and then what the repository holds. */
class Overlay implements ObjectReader {
  readonly #place: QuarantinePlace;
  readonly #file: () => PackFile | undefined;

  constructor(place: QuarantinePlace, file: () => PackFile | undefined) {
    this.#place = place;
    this.#file = file;
  }

  async info(oid: Oid): Maybe<{ kind: Kind; size: number }> {
    const [file, offset] = this.#at(oid);
    return file ? file.info(offset, () => undefined) : await this.#place.store.info(oid);
  }

  async read(oid: Oid, limit: number = this.#place.limit): Maybe<StoredObject> {
    const [file, offset] = this.#at(oid);
    return file
      ? file.read(offset, Math.min(limit, this.#place.limit), () => undefined)
      : await this.#place.store.read(oid, limit);
  }

  async stream(oid: Oid): Maybe<{ kind: Kind; size: number; body: ReadableStream<Uint8Array> }> {
    if (!this.#at(oid)[0]) return await this.#place.store.stream(oid);
    const { kind, bytes } = (await this.read(oid))!;
    return { kind, size: bytes.byteLength, body: ReadableStream.from([bytes]) };
  }

  async has(oid: Oid): Promise<boolean> {
    return this.#at(oid)[0] !== undefined || await this.#place.store.has(oid);
  }

  #at(oid: Oid): [PackFile | undefined, number] {
    const file = this.#file();
    const position = file?.index.find(oid) ?? -1;
    return position < 0 ? [undefined, 0] : [file, file!.index.offsetAt(position)];
  }
}

/** Looks at each object: what is wrong with it, and whether one of that name is held with other bytes. */
class Checks {
  readonly #place: QuarantinePlace;
  readonly #warn?: (line: string) => void;
  readonly #loose: LooseNames;
  /** Blobs that trees have as files which git itself reads. */
  readonly #files = new Map<Oid, string>();
  readonly #large: Oid[] = [];
  #warnings = 0;

  constructor(place: QuarantinePlace, { warn }: IngestOptions) {
    this.#place = place;
    this.#warn = warn;
    this.#loose = new LooseNames(place.folder);
  }

  object(kind: Kind, oidBytes: Uint8Array, bytes: Uint8Array | undefined): Promise<void> | undefined {
    const { store, settings } = this.#place;
    const oid = oidBytes.toHex();
    if (bytes && settings.fsckObjects && kind !== "blob") {
      fsckObject(kind, bytes, (id) => this.#told(oid, id), (name, at) => {
        if (name === "gitmodules" || name === "gitattributes") {
          this.#files.set(bytes.subarray(at, at + 20).toHex(), name);
        }
      });
    }
    if (!store.locate(oid) && !this.#loose.has(oid)) return undefined;
    if (bytes) return this.#compare(oid, kind, bytes);
    this.#large.push(oid);
    return undefined;
  }

  /** What can be looked at only when all is there. */
  async rest(objects: ObjectReader, pace: Steps): Promise<void> {
    for (const oid of this.#large) {
      const object = await objects.read(oid);
      if (object) await this.#compare(oid, object.kind, object.bytes);
    }
    for (const [oid, name] of this.#files) {
      await this.#file(oid, name, objects);
      await pace.step();
    }
  }

  async #file(oid: Oid, name: string, objects: ObjectReader): Promise<void> {
    const info = await objects.info(oid);
    if (!info) return void this.#told(oid, `${name}Missing`);
    if (info.kind !== "blob") return void this.#told(oid, `${name}Blob`);
    const report = (id: string): boolean => this.#told(oid, id);
    if (name === "gitattributes") return await fsckAttributes(oid, info.size, objects, report);
    await fsckModules(oid, info.size, objects, report, configEntries);
  }

  async #compare(oid: Oid, kind: Kind, bytes: Uint8Array): Promise<void> {
    const held = await this.#place.store.read(oid);
    if (!held) return;
    if (held.kind !== kind || !equal(held.bytes, bytes)) {
      throw new GitPackError(`object ${oid} differs from ours`, "HASH_COLLISION");
    }
  }

  #told(oid: Oid, id: string): boolean {
    const verdict: Verdict = this.#place.settings.fsck[id.toLowerCase()] ?? defaultVerdict(id);
    if (verdict === "error") throw new GitPackError(`object ${oid}: ${id}`);
    if (verdict === "warn" && this.#warnings++ < MOST_WARNINGS) this.#warn?.(`warning: object ${oid}: ${id}`);
    return false;
  }
}

/** Keys and values of a file of git's; nothing where it is none. */
function configEntries(text: string): Iterable<[key: string, value: string]> | undefined {
  try {
    return new GitConfig(text).entries();
  } catch {
    return undefined;
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && Buffer.compare(a, b) === 0;
}
