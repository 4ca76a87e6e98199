/**
 * Writes a commit-graph as one file, byte for byte as `git commit-graph write` does.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { CommitLinks } from "../objects/commit.ts";
import { type Oid, OID_BYTES } from "../objects/oid.ts";
import { DATA, FLAG, HEADER, MAGIC, NO_PARENT, ROW } from "./graph_file.ts";

/** The highest level that is written. */
const MAX_LEVEL = 0x3fffffff;
/** A larger difference of dates stands in a table of its own. */
const MAX_OFFSET = 0x7fffffff;

/**
 * The bytes of a commit-graph.
 *
 * @param commits All that some commits reach, each after its parents.
 */
export function graphBytes(commits: ReadonlyMap<Oid, CommitLinks>): Uint8Array {
  const oids = [...commits.keys()].sort();
  const positions = new Map(oids.map((oid, position) => [oid, position]));
  const parts = partsOf(oids, positions, commits);
  const chunks: [name: string, bytes: Uint8Array][] = [
    ["OIDF", fanOut(oids)],
    ["OIDL", Uint8Array.fromHex(oids.join(""))],
    ["CDAT", parts.data],
    ["GDA2", words(parts.offsets)],
  ];
  if (parts.large.length > 0) chunks.push(["GDO2", longs(parts.large)]);
  if (parts.edges.length > 0) chunks.push(["EDGE", words(parts.edges)]);
  return assembled(chunks);
}

interface Parts {
  readonly data: Uint8Array;
  readonly offsets: number[];
  readonly large: number[];
  readonly edges: number[];
}

function partsOf(
  oids: readonly Oid[],
  positions: ReadonlyMap<Oid, number>,
  commits: ReadonlyMap<Oid, CommitLinks>,
): Parts {
  const { levels, dates } = generations(positions, commits);
  const data = new Uint8Array(oids.length * DATA);
  const view = new DataView(data.buffer);
  const [offsets, large, edges]: number[][] = [[], [], []];
  for (const [position, oid] of oids.entries()) {
    const { tree, parents, date } = commits.get(oid)!;
    const of = (parent: number): number => positions.get(parents[parent])!;
    const at = position * DATA;
    data.set(Uint8Array.fromHex(tree), at);
    view.setUint32(at + OID_BYTES, parents.length > 0 ? of(0) : NO_PARENT);
    let second = NO_PARENT;
    if (parents.length === 2) second = of(1);
    else if (parents.length > 2) {
      second = FLAG + edges.length;
      for (let parent = 1; parent < parents.length; parent++) {
        edges.push(of(parent) + (parent === parents.length - 1 ? FLAG : 0));
      }
    }
    view.setUint32(at + OID_BYTES + 4, second);
    view.setUint32(at + OID_BYTES + 8, levels[position] * 4 + (Math.floor(date / 2 ** 32) & 3));
    view.setUint32(at + OID_BYTES + 12, date % 2 ** 32);
    const offset = dates[position] - date;
    offsets.push(offset > MAX_OFFSET ? FLAG + large.length : offset);
    if (offset > MAX_OFFSET) large.push(offset);
  }
  return { data, offsets, large, edges };
}

/** Of each commit the length of the longest way to a root, and a date that is later than that of each of its parents. */
function generations(
  positions: ReadonlyMap<Oid, number>,
  commits: ReadonlyMap<Oid, CommitLinks>,
): { levels: Uint32Array; dates: Float64Array } {
  const [levels, dates] = [new Uint32Array(commits.size), new Float64Array(commits.size)];
  for (const [oid, { parents, date }] of commits) {
    let [level, latest] = [0, date];
    for (const parent of parents) {
      const at = positions.get(parent)!;
      level = Math.max(level, levels[at]);
      latest = Math.max(latest, dates[at] + 1);
    }
    const position = positions.get(oid)!;
    levels[position] = Math.min(level + 1, MAX_LEVEL);
    dates[position] = latest;
  }
  return { levels, dates };
}

function fanOut(oids: readonly Oid[]): Uint8Array {
  const counts = new Array<number>(256).fill(0);
  for (const oid of oids) counts[parseInt(oid.slice(0, 2), 16)]++;
  let sum = 0;
  return words(counts.map((count) => sum += count));
}

function words(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [at, value] of values.entries()) view.setUint32(at * 4, value);
  return bytes;
}

function longs(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [at, value] of values.entries()) view.setBigUint64(at * 8, BigInt(value));
  return bytes;
}

function assembled(chunks: readonly (readonly [name: string, bytes: Uint8Array])[]): Uint8Array {
  const table = HEADER + (chunks.length + 1) * ROW;
  const end = chunks.reduce((sum, [, bytes]) => sum + bytes.byteLength, table);
  const whole = new Uint8Array(end + OID_BYTES);
  const view = new DataView(whole.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(4, 0x01010000 + chunks.length * 256);
  let from = table;
  for (const [row, [name, bytes]] of chunks.entries()) {
    const at = HEADER + row * ROW;
    for (let i = 0; i < 4; i++) whole[at + i] = name.charCodeAt(i);
    view.setBigUint64(at + 4, BigInt(from));
    whole.set(bytes, from);
    from += bytes.byteLength;
  }
  view.setBigUint64(table - 8, BigInt(end));
  whole.set(createHash("sha1").update(whole.subarray(0, end)).digest(), end);
  return whole;
}
