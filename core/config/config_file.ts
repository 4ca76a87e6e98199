/**
 * The configuration of a running node: one immutable snapshot behind one reference, which a valid change of the file
 * replaces and an invalid one does not.
 *
 * @module
 */
import { basename, resolve } from "node:path";
import { AlknetError } from "../errors.ts";
import { logger } from "../log.ts";
import { type FollowedFiles, followFiles } from "./follow_files.ts";
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
  /** Milliseconds between looks at the file without an event. Default 5000. */
  readonly poll?: number;
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

/** A file that does not parse may be half written; it is read once more after this. */
const RETRY = 200;

const log = logger("config");

/**
 * Reads a configuration file and follows it.
 *
 * @throws {AlknetError} As {@linkcode loadConfig}: the first reading has to succeed.
 */
export async function watchConfig(path: string, options: WatchOptions = {}): Promise<ConfigFile> {
  const absolute = resolve(path);
  const { promise: ready, resolve: made } = Promise.withResolvers<FollowedFile>();
  // Before the first reading, so that no change falls between the two.
  const files = options.watch === false
    ? undefined
    : await followFiles([absolute], async () => void await (await ready).reload(), options);
  try {
    const file = new FollowedFile(absolute, await loadConfig(absolute, options), options, files);
    made(file);
    return file;
  } catch (error) {
    await files?.[Symbol.asyncDispose]();
    throw error;
  }
}

class FollowedFile implements ConfigFile {
  readonly path: string;
  readonly static: StaticConfig;
  readonly #options: WatchOptions;
  readonly #delay: (milliseconds: number) => Promise<void>;
  readonly #files: FollowedFiles | undefined;
  #stopped = false;
  #current: ParsedConfig;
  /** What was last told as invalid, so that one fault is told once. */
  #lastFault?: string;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(path: string, config: ParsedConfig, options: WatchOptions, files: FollowedFiles | undefined) {
    this.path = path;
    this.static = config.static;
    this.#current = config;
    this.#options = options;
    this.#delay = options.delay ?? pause;
    this.#files = files;
  }

  snapshot(): DynamicConfig {
    return this.#current.dynamic;
  }

  reload(): Promise<ReloadResult> {
    const result = this.#queue.then(async () => {
      // What it leads to may be another folder by now, which is watched from here on.
      await this.#files?.refresh();
      return await this.#reload();
    });
    this.#queue = result.catch(() => {});
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#files?.[Symbol.asyncDispose]();
    await this.#queue;
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
      if (!mayBeHalfWritten(error) || this.#stopped) throw error;
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

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
