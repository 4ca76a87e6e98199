/**
 * The mirrors of a node: looked at once a minute, fetched one after another, and left alone for longer each time one fails.
 *
 * @module
 */
import { AlknetError, type Logger } from "@alknet/core/handler";
import { codeOf } from "../store/folder/files.ts";
import { type Mirror, readMirror, writeMirror } from "../store/folder/owning/mirror_file.ts";
import type { FolderRepositories } from "../store/folder/repositories.ts";
import { follow, type Followed, type Following } from "./follow.ts";

/** Milliseconds between two looks. */
const LOOK = 60_000;
/** Seconds after a first failure; doubled with each further one, up to an hour. */
const AFTER_FAILURE = 60;
const LONGEST = 3600;
const MOST_ERROR = 1000;

/** What mirrors work with. */
export interface MirrorsParts extends Omit<Following, "signal" | "progress"> {
  /** The repositories. */
  readonly repositories: FolderRepositories;
  /** Told of a repository that has got something. */
  received?(name: string): void;
  /** The node's log. */
  readonly log: Logger;
  /** Seconds since 1970. Default: the machine's. */
  now?(): number;
}

/** Follows what the repositories of a node mirror. Disposing it ends what it does, and waits for that. */
export class Mirrors implements AsyncDisposable {
  readonly #parts: MirrorsParts;
  readonly #ended = new AbortController();
  /** How often each has failed in a row. */
  readonly #failures = new Map<string, number>();
  #timer?: ReturnType<typeof setInterval>;
  #last: Promise<void> = Promise.resolve();

  /** @param parts What it works with. */
  constructor(parts: MirrorsParts) {
    this.#parts = parts;
  }

  /** Begins to look once a minute, which is no reason for a process to stay. */
  start(): void {
    this.#timer ??= setInterval(() => this.look(), LOOK);
    Deno.unrefTimer(this.#timer);
    this.look();
  }

  /** Fetches those whose time has come. Resolves when that is done; never rejects. */
  look(): Promise<void> {
    return this.#inTurn(async () => {
      for (const name of await this.#parts.repositories.list()) {
        if (this.#ended.signal.aborted) return;
        const mirror = await this.#mirrorOf(name);
        if (mirror && this.#isDue(name, mirror)) await this.#one(name, mirror);
      }
    });
  }

  /** Fetches one as soon as nothing else is fetched. Resolves when that is done; never rejects. */
  update(name: string): Promise<void> {
    return this.#inTurn(async () => {
      const mirror = await this.#mirrorOf(name);
      if (mirror) await this.#one(name, mirror);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#ended.abort(new DOMException("the node ends", "AbortError"));
    await this.#last;
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    return this.#last = this.#last.then(work).catch((error) => {
      if (!this.#ended.signal.aborted) this.#parts.log.warn("git mirrors: {error}", { error: saidOf(error) });
    });
  }

  async #mirrorOf(name: string): Promise<Mirror | undefined> {
    try {
      using open = await this.#parts.repositories.openFolder(name);
      return open && readMirror(open.folder);
    } catch (error) {
      this.#parts.log.debug("git repository {repo}: {error}", { repo: name, error: saidOf(error) });
      return undefined;
    }
  }

  #isDue(name: string, { every, last }: Mirror): boolean {
    if (!last) return true;
    const failures = last.ok ? 0 : Math.max(this.#failures.get(name) ?? 1, 1);
    const rest = failures === 0 ? every : Math.min(AFTER_FAILURE * 2 ** (failures - 1), LONGEST);
    const now = this.#now();
    // A clock that was set back does not stop it for long.
    return now >= last.at + rest || now < last.at;
  }

  async #one(name: string, mirror: Mirror): Promise<void> {
    const { log, received, repositories } = this.#parts;
    const { signal } = this.#ended;
    const began = performance.now();
    try {
      const { refs, moved, objects } = await followOnce(repositories, name, { ...this.#parts, signal });
      this.#failures.delete(name);
      if (moved === 0) return;
      const ms = Math.round(performance.now() - began);
      log.info("git repository {repo} mirrored refs={refs} moved={moved} objects={objects} ms={ms}", {
        repo: name,
        refs,
        moved,
        objects,
        ms,
      });
      received?.(name);
    } catch (error) {
      if (signal.aborted) return;
      this.#failures.set(name, (this.#failures.get(name) ?? 0) + 1);
      // Each minute the same again helps nobody.
      if (mirror.last?.error === saidOf(error)) return;
      log.warn("git repository {repo} is not mirrored: {error}", { repo: name, error: saidOf(error) });
    }
  }

  #now(): number {
    return this.#parts.now?.() ?? nowInSeconds();
  }
}

/**
 * Fetches a mirror once, and writes down what came of it.
 *
 * @throws {AlknetError} `NO_MIRROR`: it follows no other; `MIRROR_FAILED`, what dialling throws.
 */
export async function followOnce(
  repositories: FolderRepositories,
  name: string,
  following: Following & { now?(): number },
): Promise<Followed> {
  using open = await repositories.openFolder(name);
  const mirror = open && readMirror(open.folder);
  using repository = mirror && await repositories.open(name);
  if (!open || !mirror || !repository) {
    throw new AlknetError("NO_MIRROR", `repository ${JSON.stringify(name)} follows no other`);
  }
  const done = async (outcome: { readonly ok: boolean; readonly error?: string }): Promise<void> => {
    const at = following.now?.() ?? nowInSeconds();
    // What was changed meanwhile stays; what was ended stays ended.
    const current = readMirror(open.folder);
    if (current?.url === mirror.url) await writeMirror(open.folder, { ...current, last: { at, ...outcome } });
  };
  try {
    const followed = await follow(repository, mirror, following);
    await done({ ok: true });
    return followed;
  } catch (error) {
    if (!following.signal.aborted) await done({ ok: false, error: saidOf(error) });
    throw error;
  }
}

/** What is written down and logged. What the file system says has paths in it. */
function saidOf(error: unknown): string {
  const said = error instanceof AlknetError ? error.message : codeOf(error) ?? (error as Error).name;
  return said.slice(0, MOST_ERROR);
}

function nowInSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
