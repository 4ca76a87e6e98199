/**
 * What a client has, as far as the node has it too, and when enough is known of it.
 *
 * @module
 */
import type { ObjectStore, Repository } from "../../store/types.ts";
import { allReach, CommitReader } from "../../walk/commits.ts";
import { Pace } from "../../walk/pace.ts";

/** What a client has, as far as the node has it too. */
export class Known {
  /** Commits that both have, each once. */
  readonly common: string[] = [];
  /** Reads commits. */
  readonly reader: CommitReader;
  /** The pace of the service. */
  readonly pace: Pace;
  readonly #store: ObjectStore;
  readonly #seen = new Set<string>();
  #last?: string;
  #ready = false;
  #checked = 0;

  /** @param signal Ends what is begun. */
  constructor(repository: Repository, signal: AbortSignal) {
    this.#store = repository.objects;
    this.reader = new CommitReader(repository.objects, repository.graph());
    this.pace = new Pace(signal);
  }

  /** The object that both have and that was named last. */
  get last(): string | undefined {
    return this.#last;
  }

  /** Whether it was ready when it was last asked for. */
  get wasReady(): boolean {
    return this.#ready;
  }

  /** Takes what the client says it has. Resolves to whether the node has it. */
  async add(oid: string): Promise<boolean> {
    await this.pace.step();
    if (!await this.#store.has(oid)) return false;
    this.#last = oid;
    const commit = await this.reader.commitOf(oid);
    if (commit !== undefined && !this.#seen.has(commit)) {
      this.#seen.add(commit);
      this.common.push(commit);
    }
    return true;
  }

  /** Whether nothing that the client could say would leave more out. It walks only where more is known than before. */
  async isReady(wants: readonly string[]): Promise<boolean> {
    if (this.#ready || this.common.length === this.#checked) return this.#ready;
    this.#checked = this.common.length;
    const commits: string[] = [];
    for (const want of wants) {
      const commit = await this.reader.commitOf(want);
      if (commit !== undefined) commits.push(commit);
    }
    return this.#ready = await allReach(commits, this.common, this.reader, this.pace);
  }
}
