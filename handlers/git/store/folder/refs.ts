/**
 * The refs of a folder: loose files over `packed-refs`, and HEAD (gitrepository-layout).
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { corrupt } from "../../errors.ts";
import { parseTag } from "../../objects/tag.ts";
import { isOid, type Oid } from "../../objects/oid.ts";
import { isHiddenRef, isRefName } from "../../wire/names.ts";
import type { ObjectReader, Ref, RefOutcome, RefSnapshot, RefStore, RefUpdate } from "../types.ts";
import { codeOf, isFull, type OnStep } from "./files.ts";
import type { Holder } from "./holder.ts";
import { unlessMissing } from "./loose.ts";
import { parsePackedRefs } from "./packed_refs.ts";
import { Transaction, writeHead } from "./transaction.ts";

/** How far a symbolic ref is followed, as git does. */
const MOST_LINKS = 5;
/** How deep folders of refs go, by the bounds of a name. */
const MOST_PARTS = 512;
/** How often a tag is a tag of a tag before it is followed no further. */
const MOST_TAGS = 64;

interface FoundRef {
  readonly value: string;
  readonly peeled?: Oid;
  readonly peelKnown: boolean;
}

/** What refs are read and moved with. */
export interface RefsPlace {
  /** Path of the repository. */
  readonly folder: string;
  /** What tags are looked up in. */
  readonly objects: ObjectReader;
  /** Beginnings of refs that are not shown to who fetches. */
  readonly hidden: readonly string[];
  /** What has to be there to write, with nothing left of those that died. */
  readonly writing: () => Promise<Holder>;
  /** One that writes at a time in this process; others wait for the locks of files. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>;
  /** Told of each step. */
  readonly onStep?: OnStep;
}

/** Refs of a repository's folder. */
export class FolderRefs implements RefStore {
  readonly #place: RefsPlace;
  readonly #folder: string;
  readonly #objects: ObjectReader;

  /** @param place Where they are. */
  constructor(place: RefsPlace) {
    this.#place = place;
    this.#folder = place.folder;
    this.#objects = place.objects;
  }

  async transaction(
    updates: readonly RefUpdate[],
    { atomic, who }: { readonly atomic: boolean; readonly who: string },
  ): Promise<RefOutcome[]> {
    const { folder, onStep, writing, alone } = this.#place;
    return await alone(async () => {
      let holder: Holder;
      try {
        holder = await writing();
      } catch (error) {
        // Nobody can write here, or there is no room.
        if (codeOf(error) === undefined && !isFull(error)) throw error;
        return updates.map(({ name }) => ({ name, refused: "failed to lock" }));
      }
      return await new Transaction(updates, { folder, holder, who, atomic, onStep }).run();
    });
  }

  async setHead(symref: string): Promise<void> {
    const { folder, writing, alone } = this.#place;
    if (!isRefName(symref)) throw new RangeError(`${JSON.stringify(symref)} is no ref`);
    await alone(async () => await writeHead(folder, symref, await writing()));
  }

  /** @throws {AlknetError} `GIT_CORRUPT`: packed-refs, or HEAD, is none. */
  async snapshot(hidden: readonly string[] = this.#place.hidden): Promise<RefSnapshot> {
    // Loose before packed: a ref that is packed meanwhile is then in both, and never in neither.
    const found = new Map<string, FoundRef>();
    this.#readLoose("refs", found, 0);
    const headText = readFileSync(`${this.#folder}/HEAD`, "utf8").trim();
    for (const ref of parsePackedRefs(unlessMissing(() => readFileSync(`${this.#folder}/packed-refs`, "utf8")) ?? "")) {
      if (isRefName(ref.name) && !found.has(ref.name)) found.set(ref.name, { ...ref, value: ref.oid });
    }
    const refs: Ref[] = [];
    for (const [name, { value, peeled, peelKnown }] of found) {
      const symref = linkOf(value);
      const oid = symref === undefined ? value : follow(symref, found);
      if (oid === undefined || !isOid(oid) || isHiddenRef(name, hidden)) continue;
      const known = symref === undefined && peelKnown;
      refs.push({ name, oid, symref, peeled: known ? peeled : await this.#peel(oid) });
    }
    return new Snapshot(headOf(headText, found), refs.sort((a, b) => compareBytes(a.name, b.name)));
  }

  /** What a tag is a tag of, in the end; nothing for what is no tag, or not there. */
  async #peel(oid: Oid): Promise<Oid | undefined> {
    let at = oid;
    for (let depth = 0; depth < MOST_TAGS; depth++) {
      const info = await this.#objects.info(at);
      if (!info) return undefined;
      if (info.kind !== "tag") return at === oid ? undefined : at;
      const tag = await this.#objects.read(at);
      if (!tag) return undefined;
      at = parseTag(tag.bytes).oid;
    }
    return undefined;
  }

  #readLoose(name: string, into: Map<string, FoundRef>, depth: number): void {
    if (depth > MOST_PARTS) return;
    for (const entry of unlessMissing(() => readdirSync(`${this.#folder}/${name}`, { withFileTypes: true })) ?? []) {
      const full = `${name}/${entry.name}`;
      // Links are not followed: they may lead anywhere.
      if (entry.isDirectory()) this.#readLoose(full, into, depth + 1);
      else if (entry.isFile() && isRefName(full)) {
        const value = unlessMissing(() => readFileSync(`${this.#folder}/${full}`, "utf8"))?.trim();
        if (value !== undefined) into.set(full, { value, peelKnown: false });
      }
    }
  }
}

class Snapshot implements RefSnapshot {
  readonly head: RefSnapshot["head"];
  readonly #refs: readonly Ref[];
  readonly #byName: ReadonlyMap<string, Ref>;

  constructor(head: RefSnapshot["head"], refs: readonly Ref[]) {
    this.head = head;
    this.#refs = refs;
    this.#byName = new Map(refs.map((ref) => [ref.name, ref]));
  }

  get(name: string): Ref | undefined {
    return this.#byName.get(name);
  }

  *list(prefixes: readonly string[] = []): Iterable<Ref> {
    // Tens of thousands of prefixes have few lengths.
    const wanted = new Set(prefixes);
    const lengths = [...new Set(prefixes.map(({ length }) => length))];
    for (const ref of this.#refs) {
      if (lengths.length === 0 || lengths.some((length) => wanted.has(ref.name.slice(0, length)))) yield ref;
    }
  }
}

function headOf(text: string, refs: ReadonlyMap<string, FoundRef>): RefSnapshot["head"] {
  const symref = linkOf(text);
  if (symref === undefined) {
    if (!isOid(text)) throw corrupt("HEAD is neither a ref nor an object");
    return { oid: text };
  }
  if (!isRefName(symref)) throw corrupt("HEAD is a ref that is none");
  const oid = follow(symref, refs);
  return { symref, oid: oid !== undefined && isOid(oid) ? oid : undefined };
}

function follow(name: string, refs: ReadonlyMap<string, FoundRef>): string | undefined {
  let at: string | undefined = name;
  for (let links = 0; links < MOST_LINKS && at !== undefined; links++) {
    const value: string | undefined = refs.get(at)?.value;
    const next: string | undefined = value === undefined ? undefined : linkOf(value);
    if (next === undefined) return value;
    at = next;
  }
  return undefined;
}

function linkOf(text: string): string | undefined {
  return /^ref:\s*(\S+)$/.exec(text)?.[1];
}

/** The order of names in UTF-8. */
function compareBytes(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i] !== b[i]) {
      const [x, y] = [a.codePointAt(i)!, b.codePointAt(i)!];
      // Two halves of pairs that begin alike: the halves are in the order of the whole.
      return x - y || a.charCodeAt(i) - b.charCodeAt(i);
    }
  }
  return a.length - b.length;
}
