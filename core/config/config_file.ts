/**
 * The configuration of a running node: one immutable snapshot behind one reference, which a valid change of the file
 * replaces and an invalid one does not.
 *
 * @module
 */
import { basename, dirname, resolve } from "node:path";
import { AlknetError } from "../errors.ts";
import { reason } from "../identity/private_file.ts";
import { logger } from "../log.ts";
import { loadConfig } from "./load.ts";
import { ConfigSyntaxError, type ParsedConfig, type ParseOptions } from "./parse.ts";
import type { DynamicConfig, StaticConfig } from "./types.ts";

/** Options of {@linkcode watchConfig}. */
export interface WatchOptions extends ParseOptions {
  /** Told of each new snapshot, after it is in place. */
  readonly onReload?: (snapshot: DynamicConfig) => void;
  /** Told why a changed file was not taken over. */
  readonly onInvalid?: (error: AlknetError) => void;
  /** Told which static fields differ from those the node runs with; they take effect at the next start. */
  readonly onStaticChanged?: (fields: readonly string[]) => void;
  /** Whether changes of the file are noticed by themselves. Default `true`; `reload()` works either way. */
  readonly watch?: boolean;
  /** Waits some milliseconds. For tests. Default: a timer. */
  readonly delay?: (milliseconds: number) => Promise<void>;
}

/** How a reload ended. */
export interface ReloadResult {
  /** `applied`: a new snapshot. `unchanged`: the same content. `invalid`: the old snapshot stays. */
  readonly outcome: "applied" | "unchanged" | "invalid";
  /** Why, with `invalid`. */
  readonly error?: AlknetError;
  /** Static fields that differ from those the node runs with. */
  readonly staticChanged: readonly string[];
}

/** A configuration file that is followed. Disposing of it stops that; the last snapshot stays readable. */
export interface ConfigFile extends AsyncDisposable {
  /** Its absolute path. */
  readonly path: string;
  /** The static part as it was at the start. */
  readonly static: StaticConfig;
  /** The current dynamic part. Hold on to it for as long as one view is needed; it never changes. */
  snapshot(): DynamicConfig;
  /** Reads the file now, as SIGHUP asks. Never rejects. Reloads run one after another. */
  reload(): Promise<ReloadResult>;
}

/** A writer makes several events in a row: create, write, rename. */
const DEBOUNCE = 50;
/** A file that does not parse may be half written; it is read once more after this. */
const RETRY = 200;

const log = logger("config");

/**
 * Reads a configuration file and follows it.
 *
 * The folder is watched, not the file, so that a file replaced by rename (as editors and `mv` do), a symbolic link that is
 * turned, and a file that vanishes and comes back are noticed.
 *
 * @throws {AlknetError} As {@linkcode loadConfig}: the first reading has to succeed.
 */
export async function watchConfig(path: string, options: WatchOptions = {}): Promise<ConfigFile> {
  const absolute = resolve(path);
  // Before the first reading, so that no change falls between the two.
  const watcher = options.watch === false ? undefined : watchFolders(absolute, await foldersOf(absolute));
  try {
    const config = await loadConfig(absolute, options);
    return new FollowedFile(absolute, config, options, watcher);
  } catch (error) {
    watcher?.close();
    throw error;
  }
}

class FollowedFile implements ConfigFile {
  readonly path: string;
  readonly static: StaticConfig;
  readonly #options: WatchOptions;
  readonly #delay: (milliseconds: number) => Promise<void>;
  readonly #watcher?: FolderWatcher;
  readonly #stopped = new AbortController();
  readonly #following: Promise<void>;
  #current: ParsedConfig;
  /** What was last told as invalid, so that one fault is told once. */
  #lastFault?: string;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(path: string, config: ParsedConfig, options: WatchOptions, watcher: FolderWatcher | undefined) {
    this.path = path;
    this.static = config.static;
    this.#current = config;
    this.#options = options;
    this.#delay = options.delay ?? ((milliseconds) => wait(milliseconds, this.#stopped.signal));
    this.#watcher = watcher;
    this.#following = this.#follow();
  }

  snapshot(): DynamicConfig {
    return this.#current.dynamic;
  }

  reload(): Promise<ReloadResult> {
    const result = this.#queue.then(() => this.#reload());
    this.#queue = result.catch(() => {});
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    this.#watcher?.close();
    await this.#following;
    await this.#queue;
  }

  async #follow(): Promise<void> {
    if (!this.#watcher) return;
    while (await this.#watcher.changed()) {
      await this.#delay(DEBOUNCE);
      // Everything up to here is covered by this reading; what comes later causes another.
      this.#watcher.forget();
      if (this.#stopped.signal.aborted) return;
      await this.reload();
    }
  }

  async #reload(): Promise<ReloadResult> {
    let config: ParsedConfig;
    try {
      config = await this.#read();
    } catch (error) {
      return this.#invalid(error instanceof AlknetError ? error : unexpected(this.path, error));
    }
    this.#lastFault = undefined;
    const staticChanged = differences(this.static, config.static);
    const newlyChanged = differences(this.#current.static, config.static);
    const applied = !same(this.#current.dynamic, config.dynamic);
    // The one assignment that readers see. An equal snapshot is not swapped in: indexes built on the old one stay good.
    this.#current = applied ? config : { ...config, dynamic: this.#current.dynamic };
    if (newlyChanged.length > 0 && staticChanged.length > 0) this.#tell("onStaticChanged", staticChanged);
    if (applied) this.#tell("onReload", config.dynamic);
    return { outcome: applied ? "applied" : "unchanged", staticChanged };
  }

  async #read(): Promise<ParsedConfig> {
    try {
      return await loadConfig(this.path, this.#options);
    } catch (error) {
      if (!mayBeHalfWritten(error) || this.#stopped.signal.aborted) throw error;
    }
    await this.#delay(RETRY);
    return await loadConfig(this.path, this.#options);
  }

  #invalid(error: AlknetError): ReloadResult {
    if (this.#lastFault !== error.message) this.#tell("onInvalid", error);
    this.#lastFault = error.message;
    return { outcome: "invalid", error, staticChanged: differences(this.static, this.#current.static) };
  }

  /** Calls back; what a callback throws is its own affair and must not stop the following. */
  #tell<Name extends "onReload" | "onInvalid" | "onStaticChanged">(
    name: Name,
    value: Parameters<NonNullable<WatchOptions[Name]>>[0],
  ): void {
    try {
      (this.#options[name] as ((value: unknown) => void) | undefined)?.(value);
    } catch (error) {
      log.error("callback {name} failed", { name, error });
    }
  }
}

/** Events of folders, as one question: did anything change since it was last asked? */
class FolderWatcher {
  readonly #watcher: Deno.FsWatcher;
  #pending = false;
  #closed = false;
  #wake?: () => void;

  constructor(folders: readonly string[]) {
    this.#watcher = Deno.watchFs([...folders], { recursive: false });
    this.#run().catch((error) => log.error("changes of the configuration are no longer noticed", { error }));
  }

  /** Resolves with `true` at the next change, or at once if there was one; with `false` when closed. */
  async changed(): Promise<boolean> {
    while (!this.#pending && !this.#closed) await new Promise<void>((resolve) => this.#wake = resolve);
    return !this.#closed;
  }

  /** Counts what changed so far as seen. */
  forget(): void {
    this.#pending = false;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watcher.close();
    this.#wake?.();
  }

  async #run(): Promise<void> {
    for await (const event of this.#watcher) {
      // Reading the file is an event too; reacting to it would never end.
      if (event.kind === "access") continue;
      this.#pending = true;
      this.#wake?.();
    }
  }
}

/** A node whose system has no watches left still serves; SIGHUP reloads. */
function watchFolders(path: string, folders: readonly string[]): FolderWatcher | undefined {
  try {
    return new FolderWatcher(folders);
  } catch (error) {
    // A folder that is not there makes the reading that follows fail, with the better message.
    if (error instanceof Deno.errors.NotFound) return;
    log.warn("changes of {path} are not noticed by themselves, SIGHUP reloads it: {reason}", {
      path,
      reason: reason(error),
    });
  }
}

/** The folder of the file, and that of what a symbolic link there points to. */
async function foldersOf(path: string): Promise<string[]> {
  const real = await Deno.realPath(path).catch(() => path);
  return [...new Set([dirname(path), dirname(real)])];
}

function mayBeHalfWritten(error: unknown): boolean {
  if (error instanceof ConfigSyntaxError) return true;
  return error instanceof AlknetError && error.code === "CONFIG_NOT_FOUND";
}

function unexpected(path: string, error: unknown): AlknetError {
  return new AlknetError("CONFIG_UNREADABLE", `cannot read config ${basename(path)}`, { cause: error });
}

/** Names of the static fields that differ. */
function differences(a: StaticConfig, b: StaticConfig): string[] {
  return (Object.keys(b) as (keyof StaticConfig)[]).filter((name) => !same(a[name], b[name]));
}

/** Whether two JSON values are equal; the order of fields does not count. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) =>
    Object.hasOwn(b, name) && same((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name])
  );
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
