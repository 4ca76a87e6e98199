/**
 * What of the trees that a walk meets is sent: everything, or what a filter leaves.
 *
 * @module
 */
import { missing } from "../errors.ts";
import type { Kind, Oid } from "../objects/oid.ts";
import type { ObjectStore } from "../store/types.ts";
import type { ObjectFilter } from "../wire/filter_spec.ts";
import { Selection } from "./selection.ts";

/** Takes what a walk meets. Depths are levels below a commit's tree, which is on level 0. */
export interface Intake {
  /** Whether objects of a kind are sent at all. */
  takes(kind: Kind): boolean;
  /** Takes a tree. Says whether what is below it has to be looked at. */
  tree(oid: Oid, depth: number): boolean;
  /** Takes what is no tree. */
  leaf(oid: Oid, depth: number): Promise<void> | void;
}

/** Takes what a filter leaves; without one, everything. */
export function intakeOf(selection: Selection, store: ObjectStore, filter?: ObjectFilter): Intake {
  return filter ? new FilteredIntake(selection, store, filter) : new WholeIntake(selection);
}

class WholeIntake implements Intake {
  readonly #selection: Selection;

  constructor(selection: Selection) {
    this.#selection = selection;
  }

  takes(): boolean {
    return true;
  }

  tree(oid: Oid): boolean {
    return this.#selection.add(oid);
  }

  leaf(oid: Oid): void {
    this.#selection.add(oid);
  }
}

class FilteredIntake implements Intake {
  readonly #selection: Selection;
  readonly #store: ObjectStore;
  readonly #filter: ObjectFilter;
  /** Trees that were looked into and are not sent. */
  readonly #passed: Selection;
  /** Where levels count: trees, and the highest level on which each was looked into. */
  readonly #levels = new Map<Oid, number>();

  constructor(selection: Selection, store: ObjectStore, filter: ObjectFilter) {
    this.#selection = selection;
    this.#passed = new Selection(store);
    this.#store = store;
    this.#filter = filter;
  }

  takes(kind: Kind): boolean {
    return this.#filter.kinds?.has(kind) ?? true;
  }

  tree(oid: Oid, depth: number): boolean {
    const { treeDepth } = this.#filter;
    if (depth >= treeDepth || !(this.takes("tree") || this.takes("blob"))) return false;
    const isNew = (this.takes("tree") ? this.#selection : this.#passed).add(oid);
    if (treeDepth === Infinity) return isNew;
    const before = this.#levels.get(oid);
    if (before !== undefined && before <= depth) return false;
    this.#levels.set(oid, depth);
    return depth + 1 < treeDepth;
  }

  async leaf(oid: Oid, depth: number): Promise<void> {
    const { treeDepth, blobBytes } = this.#filter;
    if (depth >= treeDepth || blobBytes === 0 || !this.takes("blob")) return;
    if (blobBytes < Infinity) {
      const info = await this.#store.info(oid);
      if (!info) throw missing(oid);
      if (info.size >= blobBytes) return;
    }
    this.#selection.add(oid);
  }
}
