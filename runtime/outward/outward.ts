/**
 * What a guest is granted of the world beyond its host's operations, and what answers it there.
 *
 * @module
 */
import { GuestError } from "../errors.ts";
import type { Doors } from "./doors.ts";
import { Fetcher, type FetchGrant } from "./fetch/fetcher.ts";
import { type FsGrant, GuestFiles } from "./files/guest_files.ts";
import { type GpuGrant, GuestGpu } from "./gpu/guest_gpu.ts";

/** Doors that a host can open for a guest. Without one its function is not there at all. */
export interface OutwardGrants {
  /** Origins that the guest's `fetch` reaches. Default: there is no `fetch`. */
  readonly allowFetch?: FetchGrant;
  /** Folders of the guest's `fs`. Default: there is no `fs`. */
  readonly allowFs?: FsGrant;
  /** Quotas of the guest's `gpu`. Default: there is no `gpu`. */
  readonly allowGpu?: GpuGrant;
}

/** The doors of one guest. */
export class Outward implements Doors {
  readonly #fetcher: Fetcher | undefined;
  readonly #files: GuestFiles | undefined;
  readonly #gpu: GuestGpu | undefined;

  /** @throws {GuestError} `E_REFUSED`, `E_UNAVAILABLE`: a grant that cannot be given. */
  constructor({ allowFetch, allowFs, allowGpu }: OutwardGrants) {
    this.#fetcher = allowFetch && new Fetcher(allowFetch);
    this.#gpu = allowGpu && new GuestGpu(allowGpu);
    // Last: it holds descriptors.
    this.#files = allowFs && new GuestFiles(allowFs);
  }

  /** Names of what is open. */
  get doors(): readonly string[] {
    return [...this.#fetcher ? ["fetch"] : [], ...this.#files ? ["fs"] : [], ...this.#gpu ? ["gpu"] : []];
  }

  /** Answers a guest. @throws {AlknetError} Why not, for the guest to read. */
  readonly reach = async (door: string, input: unknown, signal: AbortSignal): Promise<unknown> => {
    if (door === "fetch" && this.#fetcher) return await this.#fetcher.fetch(input, signal);
    if (door.startsWith("fs/") && this.#files) return await this.#files.answer(door.slice(3), input, signal);
    if (door.startsWith("gpu/") && this.#gpu) return await this.#gpu.answer(door.slice(4), input, signal);
    throw new GuestError("NOT_FOUND", "nothing of that name is granted");
  };

  /** Lets go of what a grant that was taken back holds. */
  revoke(door: string): void {
    if (door === "gpu") this.#gpu?.[Symbol.dispose]();
  }

  /** Comes when what was disposed of has ended. */
  async ended(): Promise<void> {
    await this.#gpu?.ended();
  }

  /** Lets go of the folders, and of what is on the GPU. */
  [Symbol.dispose](): void {
    this.#gpu?.[Symbol.dispose]();
    this.#files?.[Symbol.dispose]();
  }
}
