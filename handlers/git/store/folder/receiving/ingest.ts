/**
 * A pack that arrives is written into a quarantine, indexed and looked at.
 *
 * @module
 */
import { renameSync } from "node:fs";
import { indexPack } from "../../../pack/index_pack.ts";
import { PackFile } from "../../../pack/pack_file.ts";
import type { Ingested, IngestOptions } from "../../types.ts";
import { receiving, writeNew } from "../files.ts";
import { Checks } from "./checks.ts";
import { Overlay } from "./overlay.ts";
import type { IngestPlace } from "./place.ts";

/** The file that is written as bytes come, in the folder of a quarantine's packs. */
export const INCOMING = "incoming";

/**
 * Receives a pack into a folder: `pack-<trailer>.pack`, `.rev` and `.idx` are there then.
 *
 * @throws {GitPackError} It is refused. What `read` and the file system throw.
 */
export async function ingest(place: IngestPlace, into: string, options: IngestOptions): Promise<Ingested> {
  const { store, caches, onStep } = place;
  return await receiving(async () => {
    const checks = new Checks(place, options);
    const { hash, count, bodyEnd, bases, index, reverse } = await indexPack({
      ...options,
      file: `${into}/${INCOMING}`,
      check: (kind, oid, bytes) => checks.object(kind, oid, bytes),
      base: (oid) => store.read(oid),
    });
    onStep?.("received");
    const path = `${into}/pack-${hash}`;
    renameSync(`${into}/${INCOMING}`, `${path}.pack`);
    await writeNew(`${path}.rev`, reverse);
    await writeNew(`${path}.idx`, index);
    using file = new PackFile(path, caches);
    await checks.rest(new Overlay(place, () => file), options.pace);
    return { hash, count, bodyEnd, bases, bytes: file.size };
  });
}
