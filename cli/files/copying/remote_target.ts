/**
 * A branch of another node as where files are copied to: each is pushed, and then linked.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { JsonObject } from "@alknet/core/operations";
import type { Told } from "@alknet/handlers/fs";
import type { Copying } from "../face.ts";
import type { FilePlace } from "../place.ts";
import type { Item } from "./sources.ts";
import type { Target } from "./targets.ts";

/** A branch of another node. */
export class RemoteTarget implements Target {
  readonly skipped = 0;
  readonly #copying: Copying;
  readonly #place: FilePlace;
  #seq: unknown;
  #hash: string | undefined;

  /** @param place Where the first item comes to. */
  constructor(copying: Copying, place: FilePlace) {
    this.#copying = copying;
    this.#place = place;
  }

  get path(): string {
    return this.#place.path;
  }

  get result(): Readonly<Record<string, unknown>> {
    return {
      ...this.#seq !== undefined && { seq: this.#seq },
      ...this.#hash !== undefined && { hash: this.#hash },
    };
  }

  async prepare(items: readonly Item[]): Promise<void> {
    if (items.length !== 1 || this.#copying.options.force) return;
    // One file that may not come is not sent first.
    const there = await this.#copying.faces.statIfThere(this.#place);
    if (there && items[0].kind !== "folder") {
      throw new AlknetError("PATH_EXISTS", `${this.path} is there already; --force replaces it`);
    }
  }

  async put({ name, kind, mode, mtime, target, bring }: Item, told: Told): Promise<void> {
    const { faces, options: { force } } = this.#copying;
    const path = name === "" ? this.path : `${this.path === "/" ? "" : this.path}/${name}`;
    if (kind === "folder") return await this.#call("fs/mkdir", { path, parents: true, mode });
    const there = kind === "link" && !force ? undefined : await faces.statIfThere({ ...this.#place, path });
    if (kind === "link") {
      if (there && there.kind !== "folder") await this.#call("fs/remove", { path });
      return await this.#call("fs/symlink", { path, target: target! });
    }
    const { fs: { blobs } } = await faces.home();
    await using held = await bring(blobs, { signal: told.signal });
    if (name === "") this.#hash = held.hash;
    // A command that was ended after some of its files goes on behind them.
    if (there?.hash === held.hash) return;
    const face = await faces.of(this.#place);
    await face.push(held.hash, blobs, told);
    await this.#call("fs/link", { path, hash: held.hash, mode, mtime, ifAbsent: !force });
  }

  end(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  async #call(operation: string, input: JsonObject): Promise<void> {
    const face = await this.#copying.faces.of(this.#place);
    const { seq } = await face.call(operation, { branch: this.#place.branch, ...input });
    this.#seq = seq;
  }
}
