/**
 * What was changed, and changes as they come (fs.md §6, Events).
 *
 * @module
 */
import type { StoreDatabase } from "../../blobs/disk/tables/database.ts";
import { HistoryGoneError } from "../errors.ts";
import { isWithin } from "../names.ts";
import type { Change, ChangeOp, WatchOptions } from "../path_tree.ts";
import type { BranchRow, BranchRows } from "../rows/branches.ts";
import { KINDS } from "../rows/row.ts";

/** Changes that are read at once. */
const AT_ONCE = 1000;
/** Milliseconds between two looks at what other processes commit. */
const LOOK = 250;

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
  readonly #database: StoreDatabase;
  readonly #branches: BranchRows;
  readonly #waiting = new Set<() => void>();

  /** @param branches Those of the store. */
  constructor(database: StoreDatabase, branches: BranchRows) {
    this.#database = database;
    this.#branches = branches;
  }

  /** Wakes those who wait for changes. */
  wake(): void {
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
      const commit = this.#commitBefore(id, seq);
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
    const { id, head } = this.#branches.named(name);
    // Places of changes: those after this one are still to be told.
    let [seq, n] = [since ?? head, Number.MAX_SAFE_INTEGER];
    while (!signal.aborted) {
      // One that was dropped has another number, or none.
      if (this.#branches.named(name).id !== id) return;
      const oldest = this.#branches.oldest(id);
      if (seq + 1 < oldest) throw new HistoryGoneError(oldest);
      const page: ChangeRow[] = this.#database.all<ChangeRow>(
        `SELECT ${COLUMNS} FROM changes WHERE branch=? AND (seq,n)>(?,?) ORDER BY seq,n LIMIT ?`,
        id,
        seq,
        n,
        AT_ONCE,
      );
      for (const row of page) {
        const change = changeOf(row);
        if (concerns(change, path)) yield change;
        if (signal.aborted) return;
        [seq, n] = [row.seq, row.n];
      }
      if (page.length === 0) await this.#pause(signal);
    }
  }

  #commitBefore(branch: number, seq: number): Change[] {
    return this.#database.all<ChangeRow>(
      `SELECT ${COLUMNS} FROM changes WHERE branch=?1 AND seq=` +
        "(SELECT seq FROM changes WHERE branch=?1 AND seq<?2 ORDER BY seq DESC LIMIT 1) ORDER BY n",
      branch,
      seq,
    ).map(changeOf);
  }

  /** Until this process commits, or it is time to look at what others did. */
  async #pause(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LOOK);
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
