/**
 * The second pass over a pack that has arrived (gitformat-pack, "Deltified representation"): from each base outward, its
 * deltas are applied, and what they make is named and looked at.
 *
 * @module
 */
import { badPack, GitPackError } from "../errors.ts";
import { type Kind, OID_BYTES } from "../objects/oid.ts";
import type { Blocks } from "./blocks.ts";
import { applyDelta, deltaResultSize } from "./delta.ts";
import { compareOids, type Entries, NONE } from "./entries.ts";
import { kindOfType, typeOfKind } from "./entry.ts";
import { inflateExactly } from "./inflate.ts";
import { MAX_DEPTH, type StoredObject } from "./pack_file.ts";
import { type ObjectCheck, objectId, type PackBounds, type Steps } from "./read_entries.ts";

/** What the second pass needs. */
export interface SecondPass extends ObjectCheck {
  /** What the first one found. */
  readonly entries: Entries;
  /** The pack, as the client sent it. */
  readonly blocks: Blocks;
  /** Where its entries end. */
  readonly bodyEnd: number;
  /** Bounds. */
  readonly bounds: PackBounds & {
    /** Bytes that all deltas may make. */
    readonly resolvedBytes: number;
    /** Bytes of objects that are held at a time. */
    readonly baseCache: number;
  };
  /** Its pace. */
  readonly pace: Steps;
  /** Told of how far it is. */
  progress?(done: number, total: number): void;
}

interface Frame {
  /** Number of the entry; {@linkcode NONE} for a base that is not in the pack. */
  readonly number: number;
  readonly children: number[];
  bytes?: Uint8Array;
}

/** Applies deltas. */
export class Resolver {
  readonly #pass: SecondPass;
  readonly #count: number;
  readonly #ends: (number: number) => number;
  /** Of each entry its first ofs-delta, and of each ofs-delta the next one of the same base. */
  readonly #first: Int32Array;
  readonly #next: Int32Array;
  /** Ref-deltas, in the order of their bases' ids, which stand in `#wanted` in the same order. */
  readonly #refs: Uint32Array;
  readonly #wanted: Uint8Array;
  readonly #deltas: number;
  #done = 0;
  #made = 0;

  /** @param pass What it works with. */
  constructor(pass: SecondPass) {
    this.#pass = pass;
    const { entries, bodyEnd } = pass;
    const count = this.#count = entries.count;
    this.#ends = (number) => number + 1 < count ? entries.offsets[number + 1] : bodyEnd;
    this.#first = new Int32Array(count).fill(NONE);
    this.#next = new Int32Array(count).fill(NONE);
    const refs: number[] = [];
    let deltas = 0;
    for (let i = count - 1; i >= 0; i--) {
      if (kindOfType(entries.types[i])) continue;
      deltas++;
      const { [i]: base } = entries.bases;
      if (base === NONE) refs.push(i);
      else {
        this.#next[i] = this.#first[base];
        this.#first[base] = i;
      }
    }
    this.#deltas = deltas;
    this.#refs = entries.sorted(new Uint32Array(refs));
    this.#wanted = new Uint8Array(refs.length * OID_BYTES);
    for (const [i, number] of this.#refs.entries()) this.#wanted.set(entries.oid(number), i * OID_BYTES);
  }

  /**
   * Resolves what has its base in the pack.
   *
   * @throws {GitPackError} See its words.
   */
  async resolve(): Promise<void> {
    const { entries } = this.#pass;
    for (let i = 0; i < this.#count; i++) {
      const kind = kindOfType(entries.types[i]);
      if (!kind) continue;
      const children = this.#childrenOf(i);
      if (children.length === 0) continue;
      if (entries.sizes[i] > this.#pass.bounds.deltaBytes) throw new GitPackError("object too large");
      await this.#descend({ number: i, children, bytes: this.#inflated(i) }, kind);
    }
  }

  /** Ids of the bases that are not in the pack, each once, in their order. */
  missingBases(): Uint8Array[] {
    const missing: Uint8Array[] = [];
    for (const [i, number] of this.#refs.entries()) {
      if (this.#pass.entries.kinds[number] !== 0) continue;
      const oid = this.#wanted.subarray(i * OID_BYTES, (i + 1) * OID_BYTES);
      if (missing.length === 0 || compareOids(missing[missing.length - 1], 0, oid, 0) !== 0) missing.push(oid);
    }
    return missing;
  }

  /** Resolves what has its base elsewhere. */
  async resolveFrom(oid: Uint8Array, { kind, bytes }: StoredObject): Promise<void> {
    await this.#descend({ number: NONE, children: this.#refsOf(oid), bytes }, kind);
  }

  /** Whether every delta has been resolved. */
  get complete(): boolean {
    return this.#done === this.#deltas;
  }

  async #descend(root: Frame, kind: Kind): Promise<void> {
    const { entries, bounds, pace, progress } = this.#pass;
    const stack = [root];
    let held = root.bytes!.byteLength;
    for (let top: Frame | undefined = root; top; top = stack[stack.length - 1]) {
      const number = top.children.pop();
      if (number === undefined) {
        held -= top.bytes?.byteLength ?? 0;
        stack.pop();
        continue;
      }
      // Two bases with one id are told of later; what hangs on them is resolved once.
      if (entries.kinds[number] !== 0) continue;
      if (stack.length > MAX_DEPTH) throw badPack("delta");
      if (!top.bytes) held += this.#rebuild(stack);
      const bytes = this.#applied(top.bytes!, number);
      const oid = objectId(kind, bytes);
      entries.oid(number).set(oid);
      entries.kinds[number] = typeOfKind(kind);
      await this.#pass.check(kind, entries.oid(number), bytes, bytes.byteLength);
      this.#done++;
      progress?.(this.#done, this.#deltas);
      await pace.step();
      const children = this.#childrenOf(number);
      if (children.length === 0) continue;
      stack.push({ number, children, bytes });
      held += bytes.byteLength;
      // The lowest are needed last; the first one cannot be had again if it is not in the pack.
      for (let i = 1; held > bounds.baseCache && i < stack.length - 1; i++) {
        held -= stack[i].bytes?.byteLength ?? 0;
        stack[i].bytes = undefined;
      }
    }
  }

  /** Makes the topmost object again, from the next one below that is held. Says how many bytes it has. */
  #rebuild(stack: readonly Frame[]): number {
    let from = stack.length - 1;
    while (!stack[from].bytes) from--;
    let { bytes } = stack[from];
    for (let i = from + 1; i < stack.length; i++) bytes = this.#applied(bytes!, stack[i].number);
    stack[stack.length - 1].bytes = bytes;
    return bytes!.byteLength;
  }

  #applied(base: Uint8Array, number: number): Uint8Array {
    const { bounds } = this.#pass;
    const delta = this.#inflated(number);
    try {
      const size = deltaResultSize(delta);
      if (size > bounds.deltaBytes) throw new GitPackError("object too large");
      this.#made += size;
      if (this.#made > bounds.resolvedBytes) throw new GitPackError("pack too large");
      return applyDelta(base, delta, bounds.deltaBytes);
    } catch (error) {
      throw error instanceof GitPackError ? error : badPack("delta");
    }
  }

  #inflated(number: number): Uint8Array {
    const { entries, blocks } = this.#pass;
    const kept = entries.taken(number);
    if (kept) return kept;
    const start = entries.offsets[number] + entries.heads[number];
    return inflateExactly(blocks.bytes(start, this.#ends(number) - start), entries.sizes[number]);
  }

  /** Numbers of the deltas of an entry, the last first. */
  #childrenOf(number: number): number[] {
    const children: number[] = [];
    for (let i = this.#first[number]; i !== NONE; i = this.#next[i]) children.push(i);
    if (this.#refs.length > 0) children.push(...this.#refsOf(this.#pass.entries.oid(number)));
    return children.reverse();
  }

  #refsOf(oid: Uint8Array): number[] {
    let low = 0;
    let high = this.#refs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareOids(this.#wanted, middle * OID_BYTES, oid, 0) < 0) low = middle + 1;
      else high = middle;
    }
    const found: number[] = [];
    for (; low < this.#refs.length && compareOids(this.#wanted, low * OID_BYTES, oid, 0) === 0; low++) {
      found.push(this.#refs[low]);
    }
    return found;
  }
}
