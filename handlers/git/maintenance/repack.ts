/**
 * Many packs and loose objects become few packs: what heads and tags reach, which is a closure; what else is reached; and
 * what nothing reaches, if that is told apart (git.md §5.5). Nothing is lost: what is removed lies in one of them.
 *
 * @module
 */
import { existsSync, readdirSync, renameSync, rmdirSync, statSync, unlinkSync } from "node:fs";
import { codeOf, type OnStep, sync, writeNew } from "../store/folder/files.ts";
import { closureFile } from "../store/folder/closure/closure.ts";
import { type ClosureRecord, formatClosure } from "../store/folder/closure/record.ts";
import type { Holder } from "../store/folder/holder.ts";
import { unlessMissing } from "../store/folder/loose.ts";
import type { FolderObjects } from "../store/folder/objects.ts";
import { isOid, type Oid } from "../objects/oid.ts";
import type { Pace } from "../walk/pace.ts";
import { Selection } from "../walk/selection.ts";
import { type DroppedPack, writeDropped } from "./dropped.ts";
import { writePack } from "./write_pack.ts";

/** What is packed. */
export interface Repack {
  /** Path of the repository. */
  readonly folder: string;
  /** Its objects. */
  readonly objects: FolderObjects;
  /** What the tips reach. */
  readonly selection: Selection;
  /** Unhidden heads and tags. */
  readonly tips: readonly Oid[];
  /** What else is reached; where that is not known, all is taken to be. */
  readonly reached?: Selection;
  /** Packs of what nothing reached before, which stay as they are. */
  readonly dropped: readonly DroppedPack[];
  /** Unix seconds. */
  readonly now: number;
  /** Who writes. */
  readonly holder: Holder;
  /** Its pace. */
  readonly pace: Pace;
  /** Told of each step. */
  readonly onStep?: OnStep;
}

/** Beside a pack; the index goes first, as nobody looks for the others without it. */
const ENDINGS = ["idx", "pack", "rev", "bitmap", "mtimes"];
/** Milliseconds after which a pack without an index is nobody's who still writes. */
const LEFT = 3_600_000;

/**
 * Packs all objects anew. Whoever dies over it leaves objects twice at most.
 *
 * @throws {AlknetError} `GIT_CORRUPT`, `GIT_OBJECT_MISSING`: nothing was removed. What the file system throws.
 */
export async function repack(work: Repack): Promise<void> {
  const { folder, objects, selection, tips, dropped, holder, pace, onStep } = work;
  const place = { folder: `${folder}/objects`, objects, holder, pace, onStep };
  removeLeft(`${folder}/objects/pack`);
  // What comes from now on stays.
  const old = objects.packs.map((pack) => pack.index.packHash);
  const names = objects.packNames;
  const aside = new Set(dropped.map(({ hash }) => hash));
  const rest = await restOf(work, names, aside);
  const packed = async (selection: Selection) =>
    selection.size > 0 ? await writePack({ ...place, selection }) : undefined;
  const body = await packed(selection);
  const others = await packed(rest.reached);
  const adrift = await packed(rest.adrift);
  const stay = adrift ? [...dropped, { hash: adrift.hash, since: work.now }] : dropped;
  if (adrift && !aside.has(adrift.hash)) await writeDropped(folder, stay, holder);
  const bodies = body ? [{ pack: body.hash, end: body.end, count: body.count }] : [];
  await writeClosure(folder, { tips, bodies }, holder);
  onStep?.("closure");
  const written = [body?.hash, others?.hash, ...stay.map(({ hash }) => hash)];
  await removeOld(`${folder}/objects/pack`, names.filter((_, number) => !written.includes(old[number])), onStep);
  const indexes = written.map((hash) => hash === undefined ? undefined : objects.packOf(hash)?.index);
  await removeLoose(`${folder}/objects`, (oid) => indexes.some((index) => index && index.find(oid) >= 0), pace);
  onStep?.("removed");
}

/** Writes the record of a closure. */
export async function writeClosure(folder: string, record: ClosureRecord, holder: Holder): Promise<void> {
  const temporary = holder.temporary();
  await writeNew(temporary, formatClosure(record));
  renameSync(temporary, closureFile(folder));
  await sync(`${folder}/alknet`);
}

/** What there is beside what is selected. Of packs that stock git has removed meanwhile nothing is brought back. */
async function restOf(
  { folder, objects, selection, reached, pace }: Repack,
  names: readonly string[],
  aside: ReadonlySet<string>,
): Promise<{ reached: Selection; adrift: Selection }> {
  const rest = { reached: new Selection(objects), adrift: new Selection(objects) };
  for (const oid of reached?.loose ?? []) if (!selection.has(oid)) rest.reached.add(oid);
  for (const [pack, name] of names.entries()) {
    const { [pack]: { index } } = objects.packs;
    if (!existsSync(`${folder}/objects/pack/${name}.idx`)) continue;
    const isAside = aside.has(index.packHash);
    const isKept = existsSync(`${folder}/objects/pack/${name}.keep`);
    for (let position = 0; position < index.count; position++) {
      if (selection.hasPlace({ pack, position })) continue;
      const oid = index.oidAt(position);
      if (!selection.has(oid)) {
        if (reached ? reached.has(oid) : !isAside) rest.reached.add(oid);
        else if (!isAside && !isKept) rest.adrift.add(oid);
      }
      await pace.step();
    }
  }
  return rest;
}

/** Removes packs by their names, but for those that somebody keeps. */
export async function removeOld(folder: string, names: readonly string[], onStep?: OnStep): Promise<void> {
  const gone = names.filter((name) => !existsSync(`${folder}/${name}.keep`));
  if (gone.length === 0) return;
  // It names packs that are to go, and is made of the others again by who made it.
  for (const name of readdirSync(folder)) {
    if (name.startsWith("multi-pack-index")) unlessMissing(() => unlinkSync(`${folder}/${name}`));
  }
  for (const name of gone) {
    for (const ending of ENDINGS) {
      unlessMissing(() => unlinkSync(`${folder}/${name}.${ending}`));
      onStep?.(`old ${ending}`);
    }
  }
  await sync(folder);
}

/** Removes packs that have no index, from who died over them. */
function removeLeft(folder: string): void {
  const names = new Set(unlessMissing(() => readdirSync(folder)) ?? []);
  for (const name of names) {
    const [, stem] = /^(pack-[0-9a-f]{40})\.(?:pack|rev)$/.exec(name) ?? [];
    if (stem === undefined || names.has(`${stem}.idx`) || names.has(`${stem}.keep`)) continue;
    const since = unlessMissing(() => statSync(`${folder}/${name}`).mtimeMs) ?? Infinity;
    if (Date.now() - since > LEFT) unlessMissing(() => unlinkSync(`${folder}/${name}`));
  }
}

/** Removes loose objects that are packed now. */
async function removeLoose(folder: string, isPacked: (oid: Oid) => boolean, pace: Pace): Promise<void> {
  for (const prefix of readdirSync(folder)) {
    if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
    for (const name of unlessMissing(() => readdirSync(`${folder}/${prefix}`)) ?? []) {
      if (!isOid(prefix + name) || !isPacked(prefix + name)) continue;
      unlessMissing(() => unlinkSync(`${folder}/${prefix}/${name}`));
      await pace.step();
    }
    try {
      rmdirSync(`${folder}/${prefix}`);
    } catch (error) {
      if (!["ENOTEMPTY", "EEXIST", "ENOENT"].includes(codeOf(error) ?? "")) throw error;
    }
  }
}
