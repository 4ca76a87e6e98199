/**
 * What a process that died has left in a repository: a transaction is brought to its end or taken back, and the rest is
 * removed (git.md §5.6, §6).
 *
 * @module
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, unlinkSync } from "node:fs";
import { applyMoves, removeEmpty } from "./apply.ts";
import { sync } from "./files.ts";
import { HOLDER, type Holder, holderFile, holderOf, isAlive } from "./holder.ts";
import { type Journal, type Move, parseJournal, ZERO } from "./journal.ts";
import { unlessMissing } from "./loose.ts";
import { parsePackedRefs } from "./packed_refs.ts";

interface Left {
  /** Path to the holder that it names; nothing for a journal that is not whole. */
  readonly paths: readonly { readonly path: string; readonly holder?: string }[];
  readonly dead: ReadonlySet<string>;
}

const PREPARE = "refs.prepare";
const COMMIT = "refs.commit";

/** Clears up what dead holders have left. */
export async function recover(folder: string, holder: Holder): Promise<void> {
  if (!isLeft(leftIn(folder, holder))) return;
  mkdirSync(`${folder}/alknet`, { recursive: true, mode: 0o700 });
  using guard = Deno.openSync(`${folder}/alknet/recover`, { write: true, create: true, mode: 0o600 });
  await guard.lock(true);
  // Somebody else may have done it meanwhile.
  const left = leftIn(folder, holder);
  if (!isLeft(left)) return;
  await finishCommit(folder, holder, left);
  takeBack(folder, left);
  removeLocks(folder, "refs", left.dead);
  for (const name of ["packed-refs.lock", "HEAD.lock"]) removeIfDead(`${folder}/${name}`, left.dead);
  for (const { path, holder: of } of left.paths) {
    if (of !== undefined && left.dead.has(of)) rmSync(path, { recursive: true, force: true });
  }
  for (const id of left.dead) unlessMissing(() => unlinkSync(holderFile(folder, id)));
}

function isLeft({ paths, dead }: Left): boolean {
  return dead.size > 0 || paths.some(({ holder }) => holder === undefined);
}

function leftIn(folder: string, own: Holder): Left {
  const names = (path: string): string[] => unlessMissing(() => readdirSync(`${folder}/${path}`)) ?? [];
  const paths: { path: string; holder?: string }[] = [];
  for (const name of names("objects")) {
    const holder = /^incoming-([0-9a-f]{16})-[0-9]+$/.exec(name)?.[1];
    if (holder !== undefined) paths.push({ path: `${folder}/objects/${name}`, holder });
  }
  for (const name of names("alknet/tmp")) {
    const holder = /^([0-9a-f]{16})-[0-9]+$/.exec(name)?.[1];
    if (holder !== undefined) paths.push({ path: `${folder}/alknet/tmp/${name}`, holder });
  }
  for (const name of names("objects/pack")) {
    if (!name.endsWith(".keep")) continue;
    const path = `${folder}/objects/pack/${name}`;
    const holder = holderOf(unlessMissing(() => readFileSync(path, "utf8")) ?? "");
    if (holder !== undefined) paths.push({ path, holder });
  }
  for (const name of [PREPARE, COMMIT]) {
    const path = `${folder}/alknet/${name}`;
    const text = unlessMissing(() => readFileSync(path, "utf8"));
    if (text !== undefined) paths.push({ path, holder: parseJournal(text)?.holder });
  }
  const mentioned = new Set(paths.map(({ holder }) => holder).filter((holder) => holder !== undefined));
  for (const name of names("alknet/holders")) if (HOLDER.test(name)) mentioned.add(name);
  mentioned.delete(own.id);
  return { paths, dead: new Set([...mentioned].filter((id) => !isAlive(folder, id))) };
}

/** A transaction that was decided is brought to its end. */
async function finishCommit(folder: string, holder: Holder, { dead }: Left): Promise<void> {
  const path = `${folder}/alknet/${COMMIT}`;
  const journal = journalAt(path);
  if (!journal || !dead.has(journal.holder)) return;
  const packed = new Map(
    parsePackedRefs(unlessMissing(() => readFileSync(`${folder}/packed-refs`, "utf8")) ?? "").map((
      { name, oid },
    ) => [name, oid]),
  );
  const value = (name: string): string => {
    let text: string | undefined;
    try {
      text = unlessMissing(() => readFileSync(`${folder}/${name}`, "utf8"))?.trim();
    } catch {
      // A folder: refs below it are still there, or were.
    }
    return text ?? packed.get(name) ?? ZERO;
  };
  // One that is at its new value is done; at a third one, somebody has moved it since.
  const moves: readonly Move[] = journal.moves.filter(({ name, old, new: new_ }) => [old, new_].includes(value(name)));
  await applyMoves({ folder, holder, by: journal.by, moves });
  unlinkSync(path);
  await sync(`${folder}/alknet`);
  removeLocks(folder, "refs", dead);
  removeEmpty(folder, journal.moves);
}

/** A transaction that was not decided has moved nothing. */
function takeBack(folder: string, { dead }: Left): void {
  for (const name of [PREPARE, COMMIT]) {
    const path = `${folder}/alknet/${name}`;
    const text = unlessMissing(() => readFileSync(path, "utf8"));
    if (text === undefined) continue;
    const journal = parseJournal(text);
    // Journals are whole before they have their names: one that is not is of a disk that lost it.
    if (journal && !dead.has(journal.holder)) continue;
    unlessMissing(() => unlinkSync(path));
    if (!journal) continue;
    removeLocks(folder, "refs", dead);
    removeEmpty(folder, journal.moves.map((move) => ({ ...move, new: ZERO })));
  }
}

function journalAt(path: string): Journal | undefined {
  const text = unlessMissing(() => readFileSync(path, "utf8"));
  return text === undefined ? undefined : parseJournal(text);
}

function removeLocks(folder: string, name: string, dead: ReadonlySet<string>): void {
  for (const entry of unlessMissing(() => readdirSync(`${folder}/${name}`, { withFileTypes: true })) ?? []) {
    const path = `${name}/${entry.name}`;
    if (entry.isDirectory()) removeLocks(folder, path, dead);
    else if (entry.name.endsWith(".lock")) removeIfDead(`${folder}/${path}`, dead);
  }
}

function removeIfDead(path: string, dead: ReadonlySet<string>): void {
  const holder = holderOf(unlessMissing(() => readFileSync(path, "utf8")) ?? "");
  if (holder !== undefined && dead.has(holder)) unlessMissing(() => unlinkSync(path));
}
