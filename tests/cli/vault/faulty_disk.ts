/**
 * A disk that fails, or stops for good, at a step of a caller's choice.
 *
 * @module
 */
import { type Disk, type DiskFile, realDisk } from "../../../cli/home/disk.ts";

/**
 * What happens at the step. `full`: it fails, those after it do not. `killed`: it and all after it fail, so that nobody
 * tidies up. `torn`: the same, after half of the step's bytes were written. `power`: the same, and of every file that was
 * not synced only half is left. `reordered`: the same, and the first rename that no sync of the folder followed has not
 * come to the disk, though those after it have.
 */
export type Fault = "full" | "killed" | "torn" | "power" | "reordered";

/** Every kind of fault. */
export const FAULTS: readonly Fault[] = ["full", "killed", "torn", "power", "reordered"];

/** A disk with one fault. What it loses it chooses itself, so that nothing waits for the disk of the machine. */
export class FaultyDisk implements Disk {
  /** Steps so far. */
  steps = 0;
  /** Names of the steps so far, for messages. */
  readonly trail: string[] = [];
  readonly #at: number;
  readonly #fault: Fault;
  readonly #unsynced = new Set<string>();
  /** The first rename since the folder was synced, with what had its new name before. */
  #renamed?: { readonly from: string; readonly to: string; readonly replaced?: Uint8Array };

  /** @param at The step at which it happens, from 1. */
  constructor(at: number, fault: Fault) {
    this.#at = at;
    this.#fault = fault;
  }

  /** Whether the step was reached. */
  get struck(): boolean {
    return this.steps >= this.#at;
  }

  async makeFile(path: string): Promise<DiskFile> {
    this.#step("make", path);
    const file = await realDisk.makeFile(path);
    this.#unsynced.add(path);
    return {
      write: async (bytes) => {
        if (this.#fault === "torn" && this.steps + 1 === this.#at) {
          await file.write(bytes.subarray(0, bytes.byteLength >> 1));
        }
        this.#step("write", path);
        return await file.write(bytes);
      },
      sync: () =>
        Promise.try(() => {
          this.#step("sync", path);
          this.#unsynced.delete(path);
        }),
      close: () => file.close(),
    };
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step("rename", `${from} ${to}`);
    this.#renamed ??= { from, to, replaced: await Deno.readFile(to).catch(() => undefined) };
    await realDisk.rename(from, to);
    if (this.#unsynced.delete(from)) this.#unsynced.add(to);
  }

  async remove(path: string): Promise<void> {
    this.#step("remove", path);
    await realDisk.remove(path);
    this.#unsynced.delete(path);
  }

  syncFolder(path: string): Promise<void> {
    return Promise.try(() => {
      this.#step("sync folder", path);
      this.#renamed = undefined;
    });
  }

  #step(what: string, path: string): void {
    this.steps++;
    this.trail.push(`${what} ${path}`);
    const struck = this.#fault === "full" ? this.steps === this.#at : this.steps >= this.#at;
    if (!struck) return;
    if (this.#fault === "power" || this.#fault === "reordered") this.#loseUnsynced();
    if (this.#fault === "reordered") this.#loseRename();
    throw new Error("No space left on device (os error 28)");
  }

  #loseUnsynced(): void {
    for (const path of this.#unsynced) Deno.truncateSync(path, Deno.statSync(path).size >> 1);
    this.#unsynced.clear();
  }

  /** Undoes it where later steps have not used its names. */
  #loseRename(): void {
    if (!this.#renamed) return;
    const { from, to, replaced } = this.#renamed;
    this.#renamed = undefined;
    Deno.renameSync(to, from);
    if (replaced) Deno.writeFileSync(to, replaced, { mode: 0o600 });
  }
}
