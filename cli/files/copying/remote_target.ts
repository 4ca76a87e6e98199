/**
 * A branch of another node as where files are copied to: each is pushed, and then linked.
 *
 * @module
 */
import type { JsonObject } from "@alknet/core/operations";
import type { Told } from "@alknet/handlers/fs";
import type { Item } from "./sources.ts";
import { InBranch } from "./targets.ts";

/** A branch of another node. */
export class RemoteTarget extends InBranch {
  async put({ name, kind, mode, mtime, target, bring }: Item, told: Told): Promise<void> {
    const { faces, options: { force } } = this.copying;
    const path = this.pathOf(name);
    if (kind === "folder") return await this.#call("fs/mkdir", { path, parents: true, mode });
    const there = kind === "link" && !force ? undefined : await faces.statIfThere({ ...this.place, path });
    if (kind === "link") {
      if (there && there.kind !== "folder") await this.#call("fs/remove", { path });
      return await this.#call("fs/symlink", { path, target: target! });
    }
    const { fs: { blobs } } = await faces.home();
    await using held = await bring(blobs, { signal: told.signal });
    if (name === "") this.hash = held.hash;
    // A command that was ended after some of its files goes on behind them.
    if (there?.hash === held.hash) return;
    const face = await faces.of(this.place);
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
    const face = await this.copying.faces.of(this.place);
    const { seq } = await face.call(operation, { branch: this.place.branch, ...input });
    this.seq = seq;
  }
}
