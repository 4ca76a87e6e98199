/**
 * A commit-graph: what commits link to, without a look at the commits; of one file or of a chain of them
 * (gitformat-commit-graph).
 *
 * @module
 */
import { corrupt } from "../errors.ts";
import type { CommitLinks } from "../objects/commit.ts";
import type { Oid } from "../objects/oid.ts";
import type { GraphFile } from "./graph_file.ts";

/** Commits of a repository, mostly all but the newest. */
export class CommitGraph {
  /** Commits in it. */
  readonly count: number;
  readonly #files: readonly { readonly file: GraphFile; readonly start: number }[];

  /**
   * @param files The lowest first.
   * @throws {AlknetError} `GIT_CORRUPT`: they do not belong together.
   */
  constructor(files: readonly GraphFile[]) {
    let start = 0;
    this.#files = files.map((file, number) => {
      const { below } = file;
      if (below.length !== number || below.some((hash, at) => hash !== files[at].hash)) {
        throw corrupt("a commit-graph is not of the chain that it lies in");
      }
      const placed = { file, start };
      start += file.count;
      return placed;
    });
    this.count = start;
  }

  /** Whether a commit is in it. */
  has(oid: Oid): boolean {
    return this.#files.some(({ file }) => file.find(oid) >= 0);
  }

  /**
   * What a commit links to; nothing where it is not in the graph.
   *
   * @throws {AlknetError} `GIT_CORRUPT`: a parent is not there.
   */
  links(oid: Oid): CommitLinks | undefined {
    // Most are of the lowest file, by far.
    for (const { file } of this.#files) {
      const position = file.find(oid);
      if (position < 0) continue;
      const { tree, parents, date } = file.row(position);
      return { tree, parents: parents.map((parent) => this.#oidAt(parent)), date };
    }
    return undefined;
  }

  #oidAt(position: number): Oid {
    const place = this.#files.findLast(({ start }) => start <= position);
    if (!place || position - place.start >= place.file.count) throw corrupt("a commit-graph's parent is not there");
    return place.file.oidAt(position - place.start);
  }
}
