/**
 * A partial blob in memory.
 *
 * @module
 */
import { GROUP, groupsOf } from "../../bao/tree.ts";
import { GroupSet } from "./group_set.ts";
import type { Partial } from "./receiving.ts";

/** Its groups, each by itself: nothing is allocated by a size that is claimed. */
export class MemoryPartial implements Partial {
  size: number;
  proven = false;
  readonly groups: GroupSet = new GroupSet();
  readonly #parts = new Map<number, Uint8Array<ArrayBuffer>>();

  /** @param size Bytes, as they are claimed. */
  constructor(size: number) {
    this.size = size;
  }

  restart(size: number): void {
    this.size = size;
    this.groups.clear();
    this.#parts.clear();
  }

  pair(): void {
    // They are computed again once all is there.
  }

  group(index: number, bytes: Uint8Array): void {
    this.#parts.set(index, bytes.slice());
    this.groups.add(index);
  }

  /** The whole of it; nothing while a group is missing. */
  async whole(): Promise<Uint8Array | undefined> {
    if (!this.proven || this.groups.count < groupsOf(this.size)) return undefined;
    return await new Blob(Array.from({ length: groupsOf(this.size) }, (_, i) => this.#parts.get(i)!)).bytes();
  }

  /** Bytes that are there; nothing where they are not. They lie within a group. */
  read(at: number, length: number): Uint8Array | undefined {
    const from = at % GROUP;
    return this.#parts.get((at - from) / GROUP)?.subarray(from, from + length);
  }
}
