/**
 * The commit-graph of a folder of objects: `info/commit-graph`, or the chain in `info/commit-graphs`. Whatever of it is
 * missing or does not fit, there is none then: commits are read.
 *
 * @module
 */
import { readFileSync, statSync } from "node:fs";
import { isOid } from "../objects/oid.ts";
import type { ByteCache } from "../pack/byte_cache.ts";
import { CommitGraph } from "./commit_graph.ts";
import { GraphFile } from "./graph_file.ts";

/** Path of the one file, of a folder of objects. */
export function graphPath(objects: string): string {
  return `${objects}/info/commit-graph`;
}

/** Path of the folder of a chain. */
export function chainFolder(objects: string): string {
  return `${objects}/info/commit-graphs`;
}

/** Path of the names of a chain's files, the lowest first, a line each. */
export function chainPath(objects: string): string {
  return `${chainFolder(objects)}/commit-graph-chain`;
}

/** Reads the graph of a folder of objects, again where it has changed. */
export class GraphFolder {
  readonly #objects: string;
  readonly #files: ByteCache<GraphFile>;
  #seen = "";
  #graph?: CommitGraph;

  /**
   * @param objects Path of `objects`.
   * @param files Files that are in memory, also of folders that nobody has open.
   */
  constructor(objects: string, files: ByteCache<GraphFile>) {
    this.#objects = objects;
    this.#files = files;
  }

  /** The graph as of now; nothing where none is valid. */
  read(): CommitGraph | undefined {
    const one = graphPath(this.#objects);
    const chain = chainPath(this.#objects);
    const keys = [keyOf(one), keyOf(chain)];
    const key = keys.join("|");
    if (key === this.#seen) return this.#graph;
    this.#seen = key;
    this.#graph = undefined;
    try {
      if (keys[0] !== "") this.#graph = new CommitGraph([this.#file(one)]);
      else if (keys[1] !== "") this.#graph = new CommitGraph(this.#chain(chain));
    } catch { /* There is none. */ }
    return this.#graph;
  }

  #chain(path: string): GraphFile[] {
    const names = readFileSync(path, "latin1").split("\n").filter((line) => line !== "");
    if (!names.every(isOid)) throw new TypeError("not a chain");
    return names.map((name) => this.#file(`${chainFolder(this.#objects)}/graph-${name}.graph`));
  }

  #file(path: string): GraphFile {
    const key = keyOf(path);
    const held = this.#files.get(key);
    if (held) return held;
    const file = new GraphFile(readFileSync(path));
    this.#files.set(key, file, file.size);
    return file;
  }
}

/** What tells a file from another one, and from itself when it has changed; nothing where it is not there. */
function keyOf(path: string): string {
  const facts = statSync(path, { throwIfNoEntry: false });
  return facts ? `${path} ${facts.ino} ${facts.mtimeMs} ${facts.size}` : "";
}
