/**
 * What was changed, and changes as they come (fs.md §6, Events).
 *
 * @module
 */
import { HistoryGoneError } from "../errors.ts";
import { isWithin } from "../names.ts";
import type { Change, ChangeOp, WatchOptions } from "../path_tree.ts";
import type { BranchRow, BranchRows } from "../rows/branches.ts";
import type { TreeEngine } from "../rows/engine.ts";
import { KINDS } from "../rows/row.ts";
import type { Steps } from "../rows/steps.ts";

/** Changes that are read at once. */
const AT_ONCE = 1000;

interface ChangeRow {
  readonly seq: number;
  readonly n: number;
  readonly time: number;
  readonly actor: string;
  readonly op: ChangeOp;
  readonly path: string;
  readonly origin: string | null;
  readonly kind: number | null;
  readonly hash: Uint8Array | null;
  readonly size: number | null;
}

const COLUMNS = "seq,n,time,actor,op,path,origin,kind,hash,size";

/** Reads what was changed. */
export class Log {
  readonly #engine: TreeEngine;
  readonly #branches: BranchRows;
  readonly #waiting = new Set<() => void>();
  /** How often somebody said that there is more. */
  #woken = 0;

  /** @param branches Those of the store. */
  constructor(engine: TreeEngine, branches: BranchRows) {
    this.#engine = engine;
    this.#branches = branches;
  }

  /** Wakes those who wait for changes. */
  wake(): void {
    this.#woken++;
    for (const wake of [...this.#waiting]) wake();
  }

  /** Whole commits before one, the newest first: so many changes, or those of one commit. */
  async page(
    { id }: BranchRow,
    { path = "/", before = Number.MAX_SAFE_INTEGER, limit = AT_ONCE }: {
      readonly path?: string;
      readonly before?: number;
      readonly limit?: number;
    },
  ): Promise<Change[]> {
    const found: Change[] = [];
    for (let seq = before, read = 0;;) {
      const commit: Change[] = await this.#engine.run(() => this.#commitBefore(id, seq));
      if (commit.length === 0) return found;
      seq = commit[0].seq;
      const fitting = commit.filter((change) => concerns(change, path));
      if (found.length > 0 && found.length + fitting.length > limit) return found;
      found.push(...fitting);
      if (found.length >= limit) return found;
      // A path that is seldom changed may lie far back: others have their turn meanwhile.
      read += commit.length;
      if (read >= AT_ONCE) [read] = [0, await new Promise((done) => setTimeout(done))];
    }
  }

  /** Changes after a commit, each once, as they come. */
  async *watch(name: string, { since, path = "/", signal }: WatchOptions): AsyncGenerator<Change> {
    const { id, head } = await this.#engine.run(() => this.#branches.named(name));
    this.#engine.listen(() => this.wake());
    // Places of changes: those after this one are still to be told.
    let [seq, n] = [since ?? head, Number.MAX_SAFE_INTEGER];
    while (!signal.aborted) {
      const woken = this.#woken;
      const page: ChangeRow[] | undefined = await this.#engine.run(() => this.#after(name, id, seq, n));
      if (!page) return;
      for (const row of page) {
        const change = changeOf(row);
        if (concerns(change, path)) yield change;
        if (signal.aborted) return;
        [seq, n] = [row.seq, row.n];
      }
      if (page.length === 0) await this.#pause(signal, woken);
    }
  }

  /** Changes after a place; nothing where the branch was dropped. */
  *#after(name: string, id: number, seq: number, n: number): Steps<ChangeRow[] | undefined> {
    // One that was dropped has another number, or none.
    if ((yield* this.#branches.named(name)).id !== id) return undefined;
    const oldest = yield* this.#branches.oldest(id);
    if (seq + 1 < oldest) throw new HistoryGoneError(oldest);
    return yield* this.#engine.tables.database.all<ChangeRow>(
      `SELECT ${COLUMNS} FROM changes WHERE branch=? AND (seq,n)>(?,?) ORDER BY seq,n LIMIT ?`,
      id,
      seq,
      n,
      AT_ONCE,
    );
  }

  *#commitBefore(branch: number, seq: number): Steps<Change[]> {
    const rows = yield* this.#engine.tables.database.all<ChangeRow>(
      `SELECT ${COLUMNS} FROM changes WHERE branch=?1 AND seq=` +
        "(SELECT seq FROM changes WHERE branch=?1 AND seq<?2 ORDER BY seq DESC LIMIT 1) ORDER BY n",
      branch,
      seq,
    );
    return rows.map(changeOf);
  }

  /** Until somebody commits, or it is time to look whether anybody did. */
  async #pause(signal: AbortSignal, woken: number): Promise<void> {
    if (this.#woken !== woken) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#engine.look);
    this.#waiting.add(resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (!signal.aborted) await promise;
    clearTimeout(timer);
    this.#waiting.delete(resolve);
  }
}

function changeOf({ seq, n, time, actor, op, path, origin, kind, hash, size }: ChangeRow): Change {
  return {
    seq,
    n,
    time,
    actor,
    op,
    path,
    ...origin !== null && { origin },
    ...kind !== null && { kind: KINDS[kind] },
    ...hash && { hash: hash.toHex() },
    ...size !== null && { size },
  };
}

/** Whether a change is of a path, of what it holds, or of a folder that it lies in. */
function concerns({ op, path, origin }: Change, wanted: string): boolean {
  const related = (one: string): boolean => isWithin(one, wanted) || isWithin(wanted, one);
  return related(path) || (op !== "merge" && origin !== undefined && related(origin));
}
