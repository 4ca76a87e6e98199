/**
 * What is looked at in each object that is received (git-fsck), and whether one of its name is held with other bytes.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { GitPackError } from "../../../errors.ts";
import { defaultVerdict, fsckObject, type Verdict } from "../../../objects/fsck.ts";
import { fsckAttributes, fsckModules } from "../../../objects/fsck_files.ts";
import type { Kind, Oid } from "../../../objects/oid.ts";
import type { Steps } from "../../../pack/read_entries.ts";
import type { IngestOptions, ObjectReader } from "../../types.ts";
import { GitConfig } from "../git_config.ts";
import { LooseNames } from "../loose.ts";
import type { IngestPlace } from "./place.ts";

/** Warnings that are told of; more say little. */
const MOST_WARNINGS = 100;

/** Looks at each object: what is wrong with it, and whether one of that name is held with other bytes. */
export class Checks {
  readonly #place: IngestPlace;
  readonly #warn?: (line: string) => void;
  readonly #loose: LooseNames;
  /** Blobs that trees have as files which git itself reads. */
  readonly #files = new Map<Oid, string>();
  readonly #large: Oid[] = [];
  #warnings = 0;

  /** @param place Where objects are received. */
  constructor(place: IngestPlace, { warn }: Pick<IngestOptions, "warn">) {
    this.#place = place;
    this.#warn = warn;
    this.#loose = new LooseNames(place.folder);
  }

  /**
   * Looks at one; of a large blob there are no bytes.
   *
   * @throws {GitPackError} It is refused.
   */
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

  /**
   * Looks at what can be looked at only when all is there.
   *
   * @throws {GitPackError} An object is refused.
   */
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
