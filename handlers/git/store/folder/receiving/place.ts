/**
 * Where objects are received, and what is looked for in them.
 *
 * @module
 */
import type { PackCaches } from "../../../pack/pack_file.ts";
import type { PushSettings } from "../../types.ts";
import type { OnStep } from "../files.ts";
import type { FolderObjects } from "../objects.ts";

/** Where objects are received. */
export interface IngestPlace {
  /** Path of `objects`. */
  readonly folder: string;
  /** What the repository holds. */
  readonly store: FolderObjects;
  /** Caches. */
  readonly caches: PackCaches;
  /** Bytes of an object that is read whole. */
  readonly limit: number;
  /** What is looked for in objects. */
  readonly settings: Pick<PushSettings, "fsckObjects" | "fsck">;
  /** Told of each step. */
  readonly onStep?: OnStep;
}
