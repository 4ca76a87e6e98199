/**
 * Follows files by their paths: says when what lies there is no longer what it was.
 *
 * Folders are watched rather than files, so that a file replaced by rename, as editors and `mv` do, and one that vanishes
 * and comes back are noticed; and looked at anew now and then, because a folder can be replaced too, or be reached by a
 * link that a deployment turns, and a watch stays with the folder that was.
 *
 * @module
 */
import { dirname } from "node:path";
import { logger } from "../log.ts";
import { reason } from "../identity/private_file.ts";

/** Options of {@linkcode followFiles}. */
export interface FollowOptions {
  /** Waits some milliseconds. For tests. Default: a timer. */
  readonly delay?: (milliseconds: number) => Promise<void>;
  /** Milliseconds between looks without an event. Default 5000. */
  readonly poll?: number;
}

/** Files that are followed. Disposing of it ends that, after a callback that runs. */
export interface FollowedFiles extends AsyncDisposable {
  /** Takes what lies there now for seen, as whoever reads it for another reason does. */
  refresh(): Promise<void>;
}

/** A writer makes several events in a row: create, write, rename. */
const DEBOUNCE = 50;
/** Between looks without an event, in milliseconds. */
const POLL = 5000;
/** A file written so recently may be written again with nothing to tell the two apart: clocks of file systems tick slowly. */
const RACY = 100;

const log = logger("config");

/**
 * Follows files.
 *
 * @param paths Absolute paths. They need not be there.
 * @param changed Called after each change, one call after another. What it throws is logged.
 */
export async function followFiles(
  paths: readonly string[],
  changed: () => void | Promise<void>,
  options: FollowOptions = {},
): Promise<FollowedFiles> {
  const follower = new Follower(paths, changed, options);
  await follower.refresh();
  follower.start();
  return follower;
}

class Follower implements FollowedFiles {
  readonly #paths: readonly string[];
  readonly #changed: () => void | Promise<void>;
  readonly #delay: (milliseconds: number) => Promise<void>;
  readonly #poll: number;
  readonly #stopped = new AbortController();
  #watcher: Deno.FsWatcher | undefined;
  /** Which folders are watched, and whether that works at all. */
  #folders = "";
  #unwatched = false;
  #seen = "";
  #pending = false;
  #wake: () => void = () => {};
  #running: Promise<void> = Promise.resolve();

  constructor(
    paths: readonly string[],
    changed: () => void | Promise<void>,
    { delay, poll = POLL }: FollowOptions,
  ) {
    this.#paths = paths;
    this.#changed = changed;
    this.#delay = delay ?? ((milliseconds) => wait(milliseconds, this.#stopped.signal));
    this.#poll = poll;
  }

  start(): void {
    this.#running = this.#run();
  }

  async refresh(): Promise<void> {
    await this.#watch();
    this.#seen = await this.#signature();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    this.#close();
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      await this.#event();
      if (this.#stopped.signal.aborted) return;
      await this.#watch();
      if (await this.#signature() === this.#seen) continue;
      await this.#delay(DEBOUNCE);
      // Everything up to here is covered by this call; what comes later causes another.
      this.#pending = false;
      if (this.#stopped.signal.aborted) return;
      this.#seen = await this.#signature();
      try {
        await this.#changed();
      } catch (error) {
        log.error("a change of {path} was not taken over: {reason}", { path: this.#paths[0], reason: reason(error) });
      }
    }
  }

  /** Waits for an event, or the time to look without one. */
  async #event(): Promise<void> {
    if (!this.#pending) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, this.#poll);
        Deno.unrefTimer(timer);
      });
      clearTimeout(timer);
    }
    this.#pending = false;
  }

  /** What lies at the paths, as far as can be told without reading. */
  async #signature(): Promise<string> {
    const parts = await Promise.all(this.#paths.map(async (path) => {
      try {
        const { dev, ino, size, mtime, ctime } = await Deno.stat(path);
        const written = Math.max(mtime?.getTime() ?? 0, ctime?.getTime() ?? 0);
        const racy = Date.now() - written < RACY ? ` ${performance.now()}` : "";
        return `${dev} ${ino} ${size} ${written}${racy}`;
      } catch {
        return "absent";
      }
    }));
    return parts.join("\n");
  }

  /** Watches the folders that the paths lead to now. */
  async #watch(): Promise<void> {
    const folders = new Map<string, string>();
    for (const path of this.#paths) {
      const real = await Deno.realPath(path).catch(() => path);
      for (const folder of [dirname(path), dirname(real)]) {
        const there = await Deno.stat(folder).catch(() => undefined);
        if (there) folders.set(folder, `${folder} ${there.dev} ${there.ino}`);
      }
    }
    const identity = [...folders.values()].join("\n");
    if (identity === this.#folders) return;
    this.#folders = identity;
    this.#close();
    if (folders.size > 0 && !this.#stopped.signal.aborted) this.#open([...folders.keys()]);
  }

  #open(folders: string[]): void {
    try {
      const watcher = Deno.watchFs(folders, { recursive: false });
      this.#watcher = watcher;
      this.#events(watcher).catch((error) => this.#blind(error));
    } catch (error) {
      this.#blind(error);
    }
  }

  async #events(watcher: Deno.FsWatcher): Promise<void> {
    for await (const event of watcher) {
      // Reading the file is an event too; reacting to it would never end.
      if (event.kind === "access") continue;
      this.#pending = true;
      this.#wake();
    }
  }

  /** A system that has no watches left: looking now and then remains. */
  #blind(error: unknown): void {
    if (this.#unwatched || error instanceof Deno.errors.NotFound) return;
    this.#unwatched = true;
    log.warn("changes of {path} are noticed some seconds late: {reason}", {
      path: this.#paths[0],
      reason: reason(error),
    });
  }

  #close(): void {
    try {
      this.#watcher?.close();
    } catch { /* ended by itself */ }
    this.#watcher = undefined;
  }
}

function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done);
  });
}
