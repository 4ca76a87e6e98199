/**
 * A transaction of refs, in git's own lock protocol: a journal, a lock for each ref, a look at what is there, and then one
 * rename that decides (git.md §6).
 *
 * @module
 */
import { logger } from "@alknet/core/handler";
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import type { RefOutcome, RefUpdate } from "../types.ts";
import { applyMoves, packedWithout, removeEmpty } from "./apply.ts";
import { codeOf, isFull, type OnStep, sync, writeNew } from "./files.ts";
import { type Holder, holderOf } from "./holder.ts";
import { formatJournal, type Move, reflogText, ZERO } from "./journal.ts";
import { unlessMissing } from "./loose.ts";
import { parsePackedRefs } from "./packed_refs.ts";
import { recover } from "./recover.ts";

const log = logger("git");
/** How long others' locks are waited for, and how often they are looked at; milliseconds. */
const WAIT = 1000;
const LOOK = 20;
/** Files that are brought to the disk at a time. */
const TOGETHER = 32;

/** Where and by whom refs are moved. */
export interface TransactionWork {
  /** The repository's folder. */
  readonly folder: string;
  /** Who does it. */
  readonly holder: Holder;
  /** For the reflog. */
  readonly who: string;
  /** Whether one that is refused refuses all. */
  readonly atomic: boolean;
  /** Told of each step. */
  readonly onStep?: OnStep;
}

/** One transaction. */
export class Transaction {
  readonly #work: TransactionWork;
  readonly #given: readonly RefUpdate[];
  /** In the order in which locks are taken, so that two transactions do not wait for each other. */
  readonly #updates: readonly RefUpdate[];
  readonly #refused = new Map<string, string>();
  readonly #locks = new Map<string, string>();
  readonly #written = new Map<string, string>();
  readonly #by: string;
  #packed: ReadonlyMap<string, string> = new Map();
  #packedFile?: string;
  #journal?: string;

  /** @param updates Refs to move, each once. */
  constructor(updates: readonly RefUpdate[], work: TransactionWork) {
    this.#work = work;
    this.#given = updates;
    this.#updates = [...updates].sort((a, b) => a.name < b.name ? -1 : 1);
    this.#by = reflogText(work.who);
  }

  /** Runs it. What became of each update, in the order in which they were given. */
  async run(): Promise<RefOutcome[]> {
    try {
      await this.#prepare();
    } catch (error) {
      this.#undo();
      // A disk that is full, or a folder that cannot be written to: nothing has moved.
      this.#refuseAll("failed to lock");
      if (!isFull(error) && codeOf(error) === undefined) throw error;
    }
    return this.#given.map(({ name }) => ({ name, refused: this.#refused.get(name) }));
  }

  async #prepare(): Promise<void> {
    const { folder, onStep } = this.#work;
    if (!await this.#begin()) return this.#refuseAll("failed to lock");
    onStep?.("refs.prepare");
    await this.#lockAll();
    onStep?.("locked");
    const moves = this.#compared();
    if (this.#work.atomic && this.#refused.size > 0) {
      this.#undo();
      return this.#refuseAll("atomic push failure");
    }
    if (moves.length === 0) return this.#undo();
    await this.#writeValues(moves);
    await this.#writeJournal(moves);
    onStep?.("journal");
    renameSync(`${folder}/alknet/refs.prepare`, `${folder}/alknet/refs.commit`);
    this.#journal = undefined;
    onStep?.("refs.commit");
    await this.#finish(moves);
  }

  /** Makes the journal, which nobody else has then. */
  async #begin(): Promise<boolean> {
    const { folder, holder } = this.#work;
    const moves = this.#updates.map(({ name, old, new: new_ }) => ({ name, old: old ?? ZERO, new: new_ ?? ZERO }));
    const file = holder.temporary();
    await writeNew(file, formatJournal({ holder: holder.id, by: this.#by, moves }));
    try {
      const path = `${folder}/alknet/refs.prepare`;
      return await this.#waiting(async () => {
        // What a transaction that has been decided has left comes first, whoever began it.
        const there = unlessMissing(() => readFileSync(`${folder}/alknet/refs.commit`, "utf8"));
        if (there !== undefined) {
          await recover(folder, holder);
          return false;
        }
        try {
          linkSync(file, path);
        } catch (error) {
          if (codeOf(error) !== "EEXIST") throw error;
          await recover(folder, holder);
          return false;
        }
        this.#journal = path;
        // One that was being decided between the look and the link is not to be overtaken.
        if (existsSync(`${folder}/alknet/refs.commit`)) {
          unlinkSync(path);
          this.#journal = undefined;
          return false;
        }
        await sync(`${folder}/alknet`);
        return true;
      });
    } finally {
      unlessMissing(() => unlinkSync(file));
    }
  }

  async #lockAll(): Promise<void> {
    const { folder } = this.#work;
    this.#readPacked();
    const gone = new Set(this.#updates.filter((update) => update.new === null).map(({ name }) => name));
    const packed = [...gone].filter((name) => this.#packed.has(name));
    if (packed.length > 0) {
      if (await this.#lock("packed-refs", `${folder}/packed-refs.lock`)) this.#readPacked();
      else for (const name of packed) this.#refuse(name, "failed to lock");
    }
    for (const [i, { name }] of this.#updates.entries()) {
      if (i % TOGETHER === TOGETHER - 1) await new Promise((resolve) => setTimeout(resolve, 0));
      if (this.#refused.has(name)) continue;
      // What lies below a ref that is deleted with it is guarded by that ref's lock.
      if (parentsOf(name).some((parent) => gone.has(parent) && this.#isFile(parent))) continue;
      try {
        if (!await this.#lock(name, `${folder}/${name}.lock`)) this.#refuse(name, "failed to lock");
      } catch (error) {
        if (codeOf(error) !== "ENOTDIR" && codeOf(error) !== "EEXIST") throw error;
        this.#refuse(name, "D/F conflict");
      }
    }
  }

  async #lock(name: string, path: string): Promise<boolean> {
    const { folder, holder } = this.#work;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return await this.#waiting(async () => {
      try {
        holder.lock(path);
        this.#locks.set(name, path);
        return true;
      } catch (error) {
        if (codeOf(error) === "ENOENT") mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
        else if (codeOf(error) !== "EEXIST") throw error;
        else if (holderOf(unlessMissing(() => readFileSync(path, "utf8")) ?? "")) await recover(folder, holder);
        return false;
      }
    });
  }

  /** What is to be done, once all is compared with the disk. */
  #compared(): Move[] {
    const moves: Move[] = [];
    const gone = new Set<string>();
    const made: Move[] = [];
    for (const update of this.#updates) {
      const { name } = update;
      if (this.#refused.has(name)) continue;
      const value = this.#value(name);
      const old = update.old === undefined ? value : update.old ?? ZERO;
      const move = { name, old, new: update.new ?? ZERO };
      if (value !== old) this.#refuse(name, "stale info");
      else if (old === move.new) continue;
      else if (old === ZERO) made.push(move);
      else moves.push(move);
      if (value === old && move.new === ZERO) gone.add(name);
    }
    if (made.length === 0) return moves;
    const conflicts = this.#conflicts(gone, new Set(made.map(({ name }) => name)));
    for (const move of made) {
      if (conflicts(move.name)) this.#refuse(move.name, "D/F conflict");
      else moves.push(move);
    }
    return moves;
  }

  /** What a ref points at; zeros where it is not there. */
  #value(name: string): string {
    let text: string | undefined;
    try {
      text = unlessMissing(() => readFileSync(`${this.#work.folder}/${name}`, "utf8"))?.trim();
    } catch (error) {
      if (codeOf(error) !== "EISDIR") throw error;
    }
    return text ?? this.#packed.get(name) ?? ZERO;
  }

  /** Tells whether a ref that stays, or another that is made, lies above or below a new one. */
  #conflicts(gone: ReadonlySet<string>, made: ReadonlySet<string>): (name: string) => boolean {
    const folders = new Set<string>();
    for (const name of [...this.#packed.keys(), ...made]) {
      if (!gone.has(name)) { for (const folder of parentsOf(name)) folders.add(folder); }
    }
    const there = (name: string): boolean => made.has(name) || this.#packed.has(name) || this.#isFile(name);
    return (name) =>
      folders.has(name) || parentsOf(name).some((parent) => !gone.has(parent) && there(parent)) ||
      this.#filesBelow(name).some((other) => !gone.has(other));
  }

  #filesBelow(name: string): string[] {
    const names: string[] = [];
    const path = `${this.#work.folder}/${name}`;
    if (!unlessMissing(() => statSync(path).isDirectory())) return names;
    for (const entry of unlessMissing(() => readdirSync(path, { withFileTypes: true })) ?? []) {
      if (entry.isDirectory()) names.push(...this.#filesBelow(`${name}/${entry.name}`));
      else if (!entry.name.endsWith(".lock")) names.push(`${name}/${entry.name}`);
    }
    return names;
  }

  #isFile(name: string): boolean {
    return unlessMissing(() => statSync(`${this.#work.folder}/${name}`).isFile()) ?? false;
  }

  /** Writes all that needs room before anything is decided. */
  async #writeValues(moves: readonly Move[]): Promise<void> {
    const { folder, holder } = this.#work;
    const gone = new Set(moves.filter((move) => move.new === ZERO).map(({ name }) => name));
    this.#packedFile = await packedWithout(folder, gone, holder.temporary());
    const values = moves.filter((move) => move.new !== ZERO);
    for (let i = 0; i < values.length; i += TOGETHER) {
      await Promise.all(
        values.slice(i, i + TOGETHER).map((move) => {
          const file = holder.temporary();
          this.#written.set(move.name, file);
          return writeNew(file, `${move.new}\n`);
        }),
      );
    }
  }

  async #writeJournal(moves: readonly Move[]): Promise<void> {
    const { folder, holder } = this.#work;
    const said = this.#updates.length === moves.length && this.#updates.every(({ old }) => old !== undefined);
    if (said) return;
    const file = holder.temporary();
    await writeNew(file, formatJournal({ holder: holder.id, by: this.#by, moves }));
    renameSync(file, `${folder}/alknet/refs.prepare`);
  }

  async #finish(moves: readonly Move[]): Promise<void> {
    const { folder, holder, onStep } = this.#work;
    try {
      await sync(`${folder}/alknet`);
      const [written, packed] = [this.#written, this.#packedFile];
      await applyMoves({ folder, holder, by: this.#by, moves, written, packed, onStep });
      onStep?.("applied");
      unlinkSync(`${folder}/alknet/refs.commit`);
      await sync(`${folder}/alknet`);
      onStep?.("done");
      this.#unlock();
      removeEmpty(folder, moves);
    } catch (error) {
      log.error("git: refs that were moved are not all written: {error}", { error: codeOf(error) ?? "fault" });
      // It is decided: whoever writes next brings it to its end, once this holder is gone.
      this.#locks.clear();
      holder[Symbol.dispose]();
    }
  }

  /** Takes all back, where nothing has been decided. */
  #undo(): void {
    this.#unlock();
    for (const file of [...this.#written.values(), this.#packedFile]) {
      if (file !== undefined) unlessMissing(() => unlinkSync(file));
    }
    if (this.#journal !== undefined) unlessMissing(() => unlinkSync(this.#journal!));
    this.#journal = undefined;
    // Locks make folders.
    removeEmpty(this.#work.folder, this.#updates.map(({ name }) => ({ name, old: ZERO, new: ZERO })));
  }

  #unlock(): void {
    for (const path of this.#locks.values()) unlessMissing(() => unlinkSync(path));
    this.#locks.clear();
  }

  #readPacked(): void {
    const text = unlessMissing(() => readFileSync(`${this.#work.folder}/packed-refs`, "utf8")) ?? "";
    this.#packed = new Map(parsePackedRefs(text).map(({ name, oid }) => [name, oid]));
  }

  #refuse(name: string, reason: string): void {
    if (!this.#refused.has(name)) this.#refused.set(name, reason);
  }

  #refuseAll(reason: string): void {
    for (const { name } of this.#updates) this.#refuse(name, reason);
  }

  async #waiting(attempt: () => Promise<boolean>): Promise<boolean> {
    const until = performance.now() + WAIT;
    while (!await attempt()) {
      if (performance.now() > until) return false;
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
    return true;
  }
}

/** Lets HEAD stand for a branch. */
export async function writeHead(folder: string, symref: string, holder: Holder): Promise<void> {
  // git takes the lock of HEAD for it too; who holds it decides.
  const lock = `${folder}/HEAD.lock`;
  holder.lock(lock);
  try {
    const file = holder.temporary();
    await writeNew(file, `ref: ${symref}\n`);
    renameSync(file, `${folder}/HEAD`);
    await sync(folder);
  } finally {
    unlessMissing(() => unlinkSync(lock));
  }
}

/** `refs/heads/a` of `refs/heads/a/b`. */
function parentsOf(name: string): string[] {
  const parts = name.split("/");
  const parents: string[] = [];
  for (let length = 3; length < parts.length; length++) parents.push(parts.slice(0, length).join("/"));
  return parents;
}
