/**
 * A guest that stays: started anew where it was killed, exchanged where its file has changed. Calls that run end where
 * they began.
 *
 * @module
 */
import { AlknetError, foreign, logger } from "@alknet/core/handler";
import {
  GuestError,
  type GuestLimits,
  type GuestOperation,
  type IsolateOptions,
  type OfferingGuest,
} from "@alknet/runtime";
import { ProcessGuest } from "@alknet/runtime";
import { basename, dirname, join } from "node:path";
import { bundle } from "./bundle.ts";

/** Ends after which a guest may be in no state to go on. */
const FATAL: ReadonlySet<string> = new Set(["E_KILLED", "E_POISONED", "E_DEADLINE", "E_JOBS", "E_STACK", "E_MEMORY"]);
/** So many of them within so many milliseconds, and it rests as long. */
const MOST_ENDS = 3;
const ENDS_WITHIN = 10_000;

const log = logger("guests");

/** What a guest is started with. */
export interface LiveGuestOptions {
  /** Its name, as it is in names of operations and in the log. */
  readonly name: string;
  /** Its file. */
  readonly file: string;
  /** What it may use. */
  readonly limits: Partial<GuestLimits>;
  /** What it may call, and what it reaches. */
  readonly grants: Pick<IsolateOptions, "operations" | "host" | "allowFetch" | "allowFs" | "allowGpu">;
  /** Milliseconds that only go forward. Default `performance.now`. */
  readonly now?: () => number;
}

/** One process of a guest. */
interface Generation {
  readonly guest: ProcessGuest;
  /** Calls that run in it. */
  users: number;
  /** Whether it takes no more of them. */
  retired: boolean;
}

/** A guest of a file. */
export class LiveGuest implements OfferingGuest, AsyncDisposable {
  readonly operations: readonly GuestOperation[];
  readonly #options: LiveGuestOptions;
  readonly #now: () => number;
  readonly #ending = new Set<Promise<void>>();
  #sources: ReadonlyMap<string, string>;
  #current: Promise<Generation> | undefined;
  #ends: number[] = [];
  #disposed = false;

  private constructor(options: LiveGuestOptions, sources: ReadonlyMap<string, string>, generation: Generation) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#sources = sources;
    this.#current = Promise.resolve(generation);
    this.operations = generation.guest.operations;
  }

  /**
   * Runs the file.
   *
   * @throws {AlknetError} `GUEST_FAILED`: it does not run, or offers nothing.
   */
  static async start(options: LiveGuestOptions): Promise<LiveGuest> {
    const sources = await bundle(options.file);
    const generation = await started(options, sources);
    if (generation.guest.operations.length > 0) return new LiveGuest(options, sources, generation);
    await generation.guest[Symbol.asyncDispose]();
    throw failed(options, "it offers no operation; call ops.register in it");
  }

  /** Its name. */
  get name(): string {
    return this.#options.name;
  }

  /** Its file, and what that imports. */
  get files(): string[] {
    const folder = dirname(this.#options.file);
    return [...this.#sources.keys()].map((name) => join(folder, name));
  }

  /** Calls a query or mutation. */
  async invoke(name: string, input: unknown, options?: { readonly signal?: AbortSignal }): Promise<unknown> {
    const generation = await this.#enter();
    try {
      return await generation.guest.invoke(name, input, options);
    } catch (error) {
      this.#judge(generation, error);
      throw error;
    } finally {
      this.#leave(generation);
    }
  }

  /** Opens a subscription. */
  async *subscribe(name: string, input: unknown, options?: { readonly signal?: AbortSignal }): AsyncGenerator<unknown> {
    const generation = await this.#enter();
    try {
      yield* generation.guest.subscribe(name, input, options);
    } catch (error) {
      this.#judge(generation, error);
      throw error;
    } finally {
      this.#leave(generation);
    }
  }

  /**
   * Takes its file as it is now, for calls that begin from now on.
   *
   * @returns Whether anything has changed.
   * @throws {AlknetError} `GUEST_FAILED`: it does not run, or offers other operations than when the node started. Then it
   * stays as it was.
   */
  async reload(): Promise<boolean> {
    const sources = await bundle(this.#options.file);
    if (sameTexts(sources, this.#sources)) return false;
    const generation = await started(this.#options, sources);
    if (JSON.stringify(generation.guest.operations) !== JSON.stringify(this.operations)) {
      await generation.guest[Symbol.asyncDispose]();
      throw failed(
        this.#options,
        "it offers other operations, or others of their schemas, than at the start of the node",
      );
    }
    const before = this.#current;
    this.#sources = sources;
    this.#current = Promise.resolve(generation);
    this.#ends = [];
    before?.then((old) => this.#retire(old), ignore);
    if (this.#disposed) this.#retire(generation);
    return true;
  }

  /** Ends it, with all that runs in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const current = this.#current;
    this.#current = undefined;
    await current?.then(({ guest }) => guest[Symbol.asyncDispose](), ignore);
    await Promise.all(this.#ending);
  }

  async #enter(): Promise<Generation> {
    while (true) {
      if (this.#disposed) throw new GuestError("E_DISPOSED", "the node shuts down");
      this.#assertRested();
      const generation = await (this.#current ??= this.#begin());
      if (generation.retired) continue;
      generation.users++;
      return generation;
    }
  }

  #assertRested(): void {
    if (this.#current) return;
    const now = this.#now();
    this.#ends = this.#ends.filter((at) => now - at < ENDS_WITHIN);
    if (this.#ends.length < MOST_ENDS) return;
    const rest = Math.ceil((ENDS_WITHIN - (now - this.#ends[0])) / 1000);
    throw new GuestError("E_UNAVAILABLE", `the guest ended too often; it rests for ${rest} s`);
  }

  #begin(): Promise<Generation> {
    const beginning = started(this.#options, this.#sources);
    // What does not start is tried again by the next call.
    beginning.catch(() => {
      this.#ends.push(this.#now());
      if (this.#current === beginning) this.#current = undefined;
    });
    return beginning;
  }

  #leave(generation: Generation): void {
    if (--generation.users === 0 && generation.retired) this.#end(generation);
  }

  #retire(generation: Generation): void {
    if (generation.retired) return;
    generation.retired = true;
    if (generation.users === 0) this.#end(generation);
  }

  #end({ guest }: Generation): void {
    const ending = guest[Symbol.asyncDispose]().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  /** After some ends there is no going on. */
  #judge(generation: Generation, error: unknown): void {
    const { code } = error as { code?: string };
    if (generation.retired || code === undefined || !FATAL.has(code)) return;
    this.#ends.push(this.#now());
    log.warn("guest {name} is started anew: {why}", { name: this.name, why: foreign((error as Error).message) });
    this.#retire(generation);
    this.#current = undefined;
  }
}

/** Runs a guest's file in a process of its own. */
async function started(options: LiveGuestOptions, sources: ReadonlyMap<string, string>): Promise<Generation> {
  const { name, file, limits, grants } = options;
  const tell = (level: string, text: string): void => {
    const line = { name, text: foreign(text) };
    if (level === "error" || level === "warning") log.warn("guest {name}: {text}", line);
    else log.info("guest {name}: {text}", line);
  };
  const guest = await ProcessGuest.start({
    ...grants,
    limits,
    host: { ...grants.host, log: tell },
  }).catch((cause) => {
    throw failed(options, (cause as Error).message, cause);
  });
  try {
    for (const [module, source] of sources) await guest.addModule(module, source);
    await guest.runModule(basename(file));
    return { guest, users: 0, retired: false };
  } catch (cause) {
    await guest[Symbol.asyncDispose]();
    throw failed(options, (cause as Error).message, cause);
  }
}

function failed({ file }: LiveGuestOptions, why: string, cause?: unknown): AlknetError {
  return new AlknetError("GUEST_FAILED", `guest ${file}: ${why}`, { cause });
}

function sameTexts(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && a.entries().every(([name, text]) => b.get(name) === text);
}

function ignore(): void {}
