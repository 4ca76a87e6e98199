/**
 * A file of a commit-graph, version 1 (gitformat-commit-graph).
 *
 * ```text
 * "CGPH" 01 01 <chunks> <files below>   table of chunks (chunks + 1) * 12
 * OIDF fan-out 256 * 4       OIDL object ids n * 20
 * CDAT n * 36: tree, positions of two parents, level in 30 bits and date in 34
 * GDA2, GDO2 dates that rise from parents to children   EDGE third parents and on   BASE SHA-1 of the files below
 * SHA-1 of all that
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { corrupt } from "../errors.ts";
import { type Oid, OID_BYTES } from "../objects/oid.ts";

/** The first four bytes. */
export const MAGIC = 0x43475048;
/** Bytes before the table of chunks. */
export const HEADER = 8;
/** Bytes of a row of that table: its name, and where it begins. */
export const ROW = 12;
/** Bytes of a commit's data: a tree, two positions, level and date. */
export const DATA: number = OID_BYTES + 16;
/** In place of a parent's position: there is none. */
export const NO_PARENT = 0x70000000;
/** In place of the second parent's position: all but the first stand among the edges, from here; of an edge: the last. */
export const FLAG = 0x80000000;
const FAN_OUT = 256 * 4;

/** What a commit's row says; parents by their positions in the whole chain. */
export interface GraphRow {
  /** Its tree. */
  readonly tree: Oid;
  /** Positions of its parents, in order. */
  readonly parents: readonly number[];
  /** The committer's date, Unix seconds. */
  readonly date: number;
}

/** One file. The bytes stay as they are; a position is the rank of an object id. */
export class GraphFile {
  /** Commits. */
  readonly count: number;
  /** SHA-1 of the file, 40 hex digits: what it is called in a chain. */
  readonly hash: string;
  /** Hashes of the files below it, the lowest first. */
  readonly below: readonly string[];
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fanOut: number;
  readonly #oids: number;
  readonly #data: number;
  readonly #edges: number;
  readonly #edgeCount: number;

  /**
   * @param bytes The whole file.
   * @throws {AlknetError} `GIT_CORRUPT`: it is none of version 1, or not whole.
   */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const view = this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const end = bytes.byteLength - OID_BYTES;
    if (end < HEADER + ROW || view.getUint32(0) !== MAGIC || view.getUint16(4) !== 0x0101) {
      throw corrupt("a commit-graph is none of version 1 with SHA-1");
    }
    this.hash = bytes.subarray(end).toHex();
    if (createHash("sha1").update(bytes.subarray(0, end)).digest("hex") !== this.hash) {
      throw corrupt("a commit-graph has another SHA-1 than it says");
    }
    const chunks = chunksOf(view, end);
    const chunk = (name: string, length: number): number => {
      const { [name]: found } = chunks;
      if (found?.length !== length) throw corrupt(`a commit-graph's ${name} is not as long as it has to be`);
      return found.from;
    };
    this.#fanOut = chunk("OIDF", FAN_OUT);
    const count = this.count = view.getUint32(this.#fanOut + FAN_OUT - 4);
    for (let at = 4; at < FAN_OUT; at += 4) {
      const [before, now] = [view.getUint32(this.#fanOut + at - 4), view.getUint32(this.#fanOut + at)];
      if (now < before) throw corrupt("a commit-graph's fan-out falls");
    }
    this.#oids = chunk("OIDL", count * OID_BYTES);
    this.#data = chunk("CDAT", count * DATA);
    this.#edges = chunks.EDGE?.from ?? 0;
    this.#edgeCount = (chunks.EDGE?.length ?? 0) >>> 2;
    const files = view.getUint8(7);
    const base = files > 0 ? chunk("BASE", files * OID_BYTES) : 0;
    this.below = Array.from({ length: files }, (_, at) => this.#oid(base + at * OID_BYTES));
  }

  /** Bytes of the file. */
  get size(): number {
    return this.#bytes.byteLength;
  }

  /** The position of a commit, or -1. */
  find(oid: Oid): number {
    const word = parseInt(oid.slice(0, 8), 16);
    const first = word >>> 24;
    let low = first === 0 ? 0 : this.#view.getUint32(this.#fanOut + (first - 1) * 4);
    let high = this.#view.getUint32(this.#fanOut + first * 4);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const there = this.#view.getUint32(this.#oids + middle * OID_BYTES);
      if (there === word) {
        const found = this.oidAt(middle);
        if (found === oid) return middle;
        if (found < oid) low = middle + 1;
        else high = middle;
      } else if (there < word) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  /** The commit at a position. */
  oidAt(position: number): Oid {
    return this.#oid(this.#oids + position * OID_BYTES);
  }

  /**
   * What a commit's row says.
   *
   * @throws {AlknetError} `GIT_CORRUPT`: a parent stands among edges that are not there.
   */
  row(position: number): GraphRow {
    const at = this.#data + position * DATA;
    const view = this.#view;
    const [first, second] = [view.getUint32(at + OID_BYTES), view.getUint32(at + OID_BYTES + 4)];
    const parents = first === NO_PARENT ? [] : [first];
    if (second >= FLAG) this.#addEdges(second - FLAG, parents);
    else if (second !== NO_PARENT) parents.push(second);
    const date = (view.getUint32(at + OID_BYTES + 8) & 3) * 2 ** 32 + view.getUint32(at + OID_BYTES + 12);
    return { tree: this.#oid(at), parents, date };
  }

  #addEdges(from: number, parents: number[]): void {
    for (let edge = from;; edge++) {
      if (edge >= this.#edgeCount) throw corrupt("a commit-graph's parent is not there");
      const parent = this.#view.getUint32(this.#edges + edge * 4);
      parents.push(parent & ~FLAG);
      if (parent >= FLAG) return;
    }
  }

  #oid(at: number): Oid {
    return this.#bytes.subarray(at, at + OID_BYTES).toHex();
  }
}

interface Chunk {
  readonly from: number;
  readonly length: number;
}

/** The chunks by their names, each within the file. */
function chunksOf(view: DataView, end: number): Readonly<Record<string, Chunk>> {
  const count = view.getUint8(6);
  const table = HEADER + (count + 1) * ROW;
  const chunks: Record<string, Chunk> = Object.create(null);
  if (table > end) throw corrupt("a commit-graph is shorter than its table");
  for (let row = HEADER, before = table; row < table; row += ROW) {
    const from = Number(view.getBigUint64(row + 4));
    if (from < before || from > end) throw corrupt("a commit-graph's table does not rise");
    before = from;
    if (row + ROW === table) break;
    const name = String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + row, 4));
    chunks[name] = { from, length: Number(view.getBigUint64(row + ROW + 4)) - from };
  }
  return chunks;
}
