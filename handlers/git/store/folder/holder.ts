/**
 * Who writes to a repository: each process has a file there that is locked (flock) while it lives, and all that it leaves
 * lying names that file.
 *
 * @module
 */
import { linkSync, mkdirSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { unlessMissing } from "./loose.ts";

/** The form of a holder's name. */
export const HOLDER: RegExp = /^[0-9a-f]{16}$/;

/** A process that writes to a repository. Disposing it says that it writes no more. */
export class Holder implements Disposable {
  /** Its name, 16 hex digits. */
  readonly id: string = crypto.getRandomValues(new Uint8Array(8)).toHex();
  readonly #folder: string;
  readonly #file: Deno.FsFile;
  #next = 0;
  #gone = false;

  /** @param repository Its folder. */
  constructor(repository: string) {
    this.#folder = repository;
    mkdirSync(`${repository}/alknet/holders`, { recursive: true, mode: 0o700 });
    mkdirSync(`${repository}/alknet/tmp`, { recursive: true, mode: 0o700 });
    // Locked before it has its name: nobody finds it without its lock.
    const unnamed = this.temporary();
    this.#file = Deno.openSync(unnamed, { write: true, createNew: true, mode: 0o600 });
    try {
      this.#file.lockSync(true);
      writeFileSync(unnamed, this.#mark);
      renameSync(unnamed, holderFile(repository, this.id));
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  /** Whether it writes no more. */
  get gone(): boolean {
    return this.#gone;
  }

  /** What stands in locks and `.keep` files. */
  get #mark(): string {
    return `alknet ${Deno.pid} ${this.id}\n`;
  }

  /**
   * Makes a lock, which says whose it is from its first moment: it is one more name of the holder's own file.
   *
   * @throws What the file system throws: `EEXIST` where somebody else holds it.
   */
  lock(path: string): void {
    linkSync(holderFile(this.#folder, this.id), path);
  }

  /** The path of a file that is not there yet. */
  temporary(): string {
    return `${this.#folder}/alknet/tmp/${this.id}-${this.#next++}`;
  }

  /** The path of a folder for what is received, which is not there yet. */
  quarantine(): string {
    return `${this.#folder}/objects/incoming-${this.id}-${this.#next++}`;
  }

  /** Removes its file. */
  [Symbol.dispose](): void {
    if (this.#gone) return;
    this.#gone = true;
    unlessMissing(() => unlinkSync(holderFile(this.#folder, this.id)));
    this.#file.close();
  }
}

/** The file of a holder. */
export function holderFile(repository: string, id: string): string {
  return `${repository}/alknet/holders/${id}`;
}

/** Whether the process of a holder lives: its file is there and locked. */
export function isAlive(repository: string, id: string): boolean {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(holderFile(repository, id));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  try {
    return !file.tryLockSync(false);
  } finally {
    file.close();
  }
}

/** The holder that a lock or a `.keep` names; nothing where another program made it. */
export function holderOf(text: string): string | undefined {
  return /^alknet [0-9]+ ([0-9a-f]{16})\n?$/.exec(text)?.[1];
}
