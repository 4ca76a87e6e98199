/**
 * Holders: the processes that have a store open. Each keeps a lock for as long as it lives, so that what it left behind is
 * known to be nobody's once it is dead.
 *
 * ```text
 * tmp/<holder>.lock  locked; a serving node writes the addresses it listens on into it, a line each
 * tmp/<holder>-<n>   what it is working on
 * ```
 *
 * @module
 */
import { join } from "node:path";

const LOCK = /^([0-9a-f]{16})\.(?:lock|new)$/;

/** A process that has a store open. */
export class Holder {
  /** Names it: 16 hex digits. */
  readonly id: string;
  readonly #folder: string;
  readonly #file: Deno.FsFile;
  #files = 0;

  private constructor(id: string, folder: string, file: Deno.FsFile) {
    this.id = id;
    this.#folder = folder;
    this.#file = file;
  }

  /** Becomes one. */
  static async open(folder: string): Promise<Holder> {
    for (;;) {
      const id = crypto.getRandomValues(new Uint8Array(8)).toHex();
      const fresh = join(folder, `${id}.new`);
      const file = await Deno.open(fresh, { createNew: true, read: true, write: true, mode: 0o600 });
      // Under its own name only once it is locked: whoever can lock that takes its holder for dead.
      try {
        file.lockSync(true);
        await Deno.rename(fresh, join(folder, `${id}.lock`));
        return new Holder(id, folder, file);
      } catch (error) {
        file.close();
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  }

  /** A path for a file of its own. */
  path(): string {
    return join(this.#folder, `${this.id}-${this.#files++}`);
  }

  /** Says where the node of this process listens. */
  async announce(addresses: readonly string[]): Promise<void> {
    const bytes = new TextEncoder().encode(addresses.map((address) => `${address}\n`).join(""));
    await this.#file.truncate();
    await this.#file.seek(0, Deno.SeekMode.Start);
    for (let rest = bytes; rest.byteLength > 0;) rest = rest.subarray(await this.#file.write(rest));
  }

  /**
   * Ends it, and removes what is left of it.
   *
   * @param asDead Leave its lock, free, for whoever repairs the store next.
   */
  async end(asDead: boolean): Promise<void> {
    await removeFilesOf(this.#folder, this.id);
    if (!asDead) await Deno.remove(join(this.#folder, `${this.id}.lock`)).catch(() => {});
    this.#file.close();
  }
}

/** Removes what dead holders left, after `clean` has done its part for each. */
export async function removeDeadHolders(folder: string, clean: (id: string) => Promise<void>): Promise<void> {
  for (const { name, id } of await locksIn(folder)) {
    using lock = await lockIfFree(join(folder, name));
    if (!lock) continue;
    await clean(id);
    await removeFilesOf(folder, id);
    await Deno.remove(join(folder, name)).catch(() => {});
  }
}

/** The addresses that a serving node announced, if one lives. */
export async function announcedAddresses(folder: string): Promise<string[]> {
  for (const { name } of await locksIn(folder)) {
    const path = join(folder, name);
    const text = await Deno.readTextFile(path).catch(() => "");
    if (text === "") continue;
    using lock = await lockIfFree(path);
    if (!lock) return text.split("\n").filter((line) => line !== "");
  }
  return [];
}

/** A file that is locked, until it is disposed of. */
export interface FileLock extends Disposable {
  /** Which file it is, whatever its name becomes; nothing where files have no numbers. */
  readonly ino: number | null;
}

/** Locks a file that nobody has locked, for as long as the result lives; nothing where somebody has. */
export async function lockIfFree(path: string, create = false): Promise<FileLock | undefined> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true, write: true, create, mode: 0o600 });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  if (file.tryLockSync(true)) {
    let open = true;
    const close = (): void => {
      if (open) file.close();
      open = false;
    };
    return { ino: file.statSync().ino, [Symbol.dispose]: close };
  }
  file.close();
  return undefined;
}

async function locksIn(folder: string): Promise<{ readonly name: string; readonly id: string }[]> {
  const locks = [];
  for await (const { name } of Deno.readDir(folder)) {
    const id = LOCK.exec(name)?.[1];
    if (id !== undefined) locks.push({ name, id });
  }
  return locks;
}

async function removeFilesOf(folder: string, id: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (name.startsWith(`${id}-`)) await Deno.remove(join(folder, name)).catch(() => {});
  }
}
