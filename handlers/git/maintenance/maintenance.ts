/**
 * Maintenance of all repositories of a node: one at a time, when something has come, and never in anybody's way.
 *
 * @module
 */
import { AlknetError, type Logger } from "@alknet/core/handler";
import type { Turns } from "../serve/turns.ts";
import { codeOf } from "../store/folder/files.ts";
import type { FolderRepositories } from "../store/folder/repositories.ts";
import { Pace } from "../walk/pace.ts";
import { maintain } from "./maintain.ts";

/** After one that failed, milliseconds until the next. */
const AFTER_FAILURE = 3_600_000;
/** How many times as long as it took, what cost a walk of everything is not done again. */
const REST = 20;

/** What maintenance works with. */
export interface MaintenanceParts {
  /** The repositories. */
  readonly repositories: FolderRepositories;
  /** Turns of walks. */
  readonly walks: Turns;
  /** The node's log. */
  readonly log: Logger;
}

/** Looks after repositories. Disposing it ends what it does, and waits for that. */
export class Maintenance implements AsyncDisposable {
  readonly #parts: MaintenanceParts;
  readonly #waiting = new Set<string>();
  readonly #ended = new AbortController();
  /** When each may be looked at again, and packed anew again: milliseconds of the clock that never goes back. */
  readonly #looked = new Map<string, number>();
  readonly #repacked = new Map<string, number>();
  #running: Promise<void> | undefined;

  /** @param parts What it works with. */
  constructor(parts: MaintenanceParts) {
    this.#parts = parts;
  }

  /** Looks at a repository, once there is time. */
  look(name: string): void {
    if (this.#ended.signal.aborted || (this.#looked.get(name) ?? 0) > performance.now()) return;
    this.#waiting.add(name);
    this.#running ??= this.#run();
  }

  /** Waits until there is nothing to do. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  /** Ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new DOMException("the node ends", "AbortError"));
    this.#waiting.clear();
    await this.idle();
  }

  async #run(): Promise<void> {
    for (const name of this.#waiting) {
      this.#waiting.delete(name);
      await this.#one(name).catch((error) => this.#failed(name, error));
    }
    this.#running = undefined;
  }

  async #one(name: string): Promise<void> {
    const { repositories, walks, log } = this.#parts;
    const { signal } = this.#ended;
    const began = performance.now();
    using open = await repositories.openFolder(name);
    if (!open) return;
    using _turn = await walks.take(signal);
    const mayRepack = (this.#repacked.get(name) ?? 0) <= began;
    const outcome = await maintain(open, { pace: new Pace(signal), mayRepack });
    const ms = performance.now() - began;
    if (outcome === "repacked" || outcome === "merged") this.#repacked.set(name, performance.now() + ms * REST);
    if (outcome === "postponed" || outcome === "locked") this.#looked.set(name, performance.now() + ms * REST);
    if (outcome !== "nothing") {
      log.info("git repository {repo} maintained outcome={outcome} ms={ms}", {
        repo: name,
        outcome,
        ms: Math.round(ms),
      });
    }
  }

  #failed(name: string, error: unknown): void {
    if (this.#ended.signal.aborted) return;
    this.#looked.set(name, performance.now() + AFTER_FAILURE);
    // What the file system says has paths in it.
    const said = error instanceof AlknetError ? error.message : codeOf(error) ?? (error as Error).name;
    this.#parts.log.warn("git repository {repo}: maintenance: {error}", { repo: name, error: said });
  }
}
