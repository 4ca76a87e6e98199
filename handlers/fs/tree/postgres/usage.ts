/**
 * How much the branches of identities keep, counted for all nodes together; tags are counted by the node that has them.
 *
 * @module
 */
import { exceeded, type Quota, type Usage, type Used } from "../../blobs/disk/tables/usage.ts";
import type { TreeDatabase, TreeUsage } from "../rows/engine.ts";
import type { Steps } from "../rows/steps.ts";

const ADD = "INSERT INTO usage(owner,bytes,files) VALUES(?1,GREATEST(0,?2::bigint),GREATEST(0,?3::bigint))" +
  " ON CONFLICT(owner) DO UPDATE SET bytes=GREATEST(0,usage.bytes+?2::bigint),files=GREATEST(0,usage.files+?3::bigint)";

/** Counts it. */
export class SharedUsage implements TreeUsage {
  readonly #database: TreeDatabase;
  readonly #own: Usage;

  /** @param own That of the store: its tags, and how much each may keep. */
  constructor(database: TreeDatabase, own: Usage) {
    this.#database = database;
    this.#own = own;
  }

  *entries(owner: string, bytes: number, files: number): Steps<void> {
    if (bytes === 0 && files === 0) return;
    yield* this.#database.run(ADD, owner, bytes, files);
    // Who has too much may still take away.
    if (bytes > 0 || files > 0) yield* this.#check(owner);
  }

  *total(owner: string): Steps<Used> {
    const own = this.#own.tags(owner);
    const there = yield* this.#database.get<Used>("SELECT bytes,files FROM usage WHERE owner=?", owner);
    return { bytes: own.bytes + (there?.bytes ?? 0), files: own.files + (there?.files ?? 0) };
  }

  quota(owner: string): Quota {
    return this.#own.quota(owner);
  }

  *#check(owner: string): Steps<void> {
    const { bytes: mostBytes = Infinity, files: mostFiles = Infinity } = this.quota(owner);
    if (mostBytes === Infinity && mostFiles === Infinity) return;
    const { bytes, files } = yield* this.total(owner);
    const has = JSON.stringify(owner);
    if (bytes > mostBytes) throw exceeded(`${has} would keep ${bytes} bytes; its quota is ${mostBytes}`);
    if (files > mostFiles) throw exceeded(`${has} would keep ${files} files; its quota is ${mostFiles}`);
  }
}
