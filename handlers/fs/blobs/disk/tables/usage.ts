/**
 * How much each identity keeps, and how much it may (fs.md §5.5). What it keeps is what its tags name, and what sequences
 * under them list; and the files of its branches, which are counted beside these, in a row of their own. What it has pushed
 * and nothing refers to yet takes room as long as it is there.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { StoreDatabase } from "./database.ts";

/** How much an identity may keep; what is absent is not limited. */
export interface Quota {
  /** Bytes. */
  readonly bytes?: number;
  /** Names. */
  readonly files?: number;
}

/** Quotas by identity; `*` is that of each which has no entry. */
export type Quotas = Readonly<Record<string, Quota>>;

/** How much an identity keeps. */
export interface Used {
  /** Bytes. */
  readonly bytes: number;
  /** Names. */
  readonly files: number;
}

/** Counts it. Changes are in transactions of the caller's. */
export class Usage {
  readonly #database: StoreDatabase;
  readonly #quotas: Quotas;
  /** What branches elsewhere keep, as it was told last. */
  readonly #elsewhere = new Map<string, Used>();

  /** @param quotas How much each may keep. */
  constructor(database: StoreDatabase, quotas: Quotas) {
    this.#database = database;
    this.#quotas = quotas;
  }

  /**
   * Bytes that an identity may still add.
   *
   * @param except A blob of which a part is there for it already.
   */
  room(owner: string | undefined, except?: Uint8Array): number {
    const { bytes = Infinity } = this.#quotaOf(owner);
    if (owner === undefined || bytes === Infinity) return bytes;
    return Math.max(0, bytes - this.total(owner).bytes - this.#loose(owner, except));
  }

  /**
   * Makes sure that there is room for a blob, in the transaction that writes it down.
   *
   * @throws {AlknetError} `QUOTA_EXCEEDED`.
   */
  assertRoom(owner: string | undefined, hash: Uint8Array, size: number): void {
    if (size > this.room(owner, hash)) {
      throw exceeded(`the quota of ${JSON.stringify(owner)} has no room for ${size} bytes`);
    }
  }

  /** Says that something refers to a blob, in whose quota it is counted from then on, with what a sequence lists. */
  settled(hash: Uint8Array, isSequence: boolean): void {
    this.#database.run("UPDATE blobs SET owner=NULL WHERE hash=? AND owner IS NOT NULL", hash);
    if (!isSequence) return;
    this.#database.run(
      "UPDATE blobs SET owner=NULL WHERE hash IN (SELECT child FROM members WHERE root=?) AND owner IS NOT NULL",
      hash,
    );
  }

  /**
   * Counts a tag that was set.
   *
   * @throws {AlknetError} `QUOTA_EXCEEDED`.
   */
  added(owner: string, hash: Uint8Array, isSequence: boolean): void {
    const before = this.#of(owner);
    if (before && !isSequence) this.#set(owner, { bytes: before.bytes + this.#sizeOf(hash), files: before.files + 1 });
    else this.#count(owner);
    this.#check(owner);
  }

  /**
   * Counts files that came to the branches of an identity, or went from them.
   *
   * @throws {AlknetError} `QUOTA_EXCEEDED`: more came than may.
   */
  entries(owner: string, bytes: number, files: number): void {
    if (bytes === 0 && files === 0) return;
    const before = this.#of(ofBranches(owner));
    this.#set(ofBranches(owner), {
      bytes: Math.max(0, (before?.bytes ?? 0) + bytes),
      files: Math.max(0, (before?.files ?? 0) + files),
    });
    // Who has too much may still take away.
    if (bytes > 0 || files > 0) this.#check(owner);
  }

  /** How much an identity keeps. */
  total(owner: string): Used {
    const [tags, branches] = [this.tags(owner), this.#elsewhere.get(owner) ?? this.#of(ofBranches(owner))];
    return { bytes: tags.bytes + (branches?.bytes ?? 0), files: tags.files + (branches?.files ?? 0) };
  }

  /** How much an identity keeps under tags. */
  tags(owner: string): Used {
    return this.#of(owner) ?? { bytes: 0, files: 0 };
  }

  /** Says how much an identity keeps in branches that lie elsewhere. */
  told(owner: string, used: Used): void {
    this.#elsewhere.set(owner, used);
  }

  /** How much an identity may keep. */
  quota(owner: string): Quota {
    return this.#quotaOf(owner);
  }

  /** Counts a tag that was dropped. */
  dropped(owner: string, hash: Uint8Array, isSequence: boolean): void {
    const before = this.#of(owner);
    // What a sequence lists may have come since it was counted.
    if (!before || isSequence) return this.#count(owner);
    this.#set(owner, { bytes: Math.max(0, before.bytes - this.#sizeOf(hash)), files: Math.max(0, before.files - 1) });
  }

  #check(owner: string): void {
    const { bytes, files } = this.total(owner);
    const { bytes: mostBytes = Infinity, files: mostFiles = Infinity } = this.#quotaOf(owner);
    const has = JSON.stringify(owner);
    if (bytes > mostBytes) throw exceeded(`${has} would keep ${bytes} bytes; its quota is ${mostBytes}`);
    if (files > mostFiles) throw exceeded(`${has} would keep ${files} files; its quota is ${mostFiles}`);
  }

  /** Bytes that came for an identity, and nothing refers to: candidates of collection, each from when it came. */
  #loose(owner: string, except: Uint8Array = new Uint8Array()): number {
    return this.#database.get<Pick<Used, "bytes">>(
      "SELECT CAST(total(size) AS INT) AS bytes FROM candidates JOIN blobs b USING(hash) WHERE owner=? " +
        "AND hash<>? AND NOT EXISTS(SELECT 1 FROM entries e WHERE e.hash=b.hash) " +
        "AND NOT EXISTS(SELECT 1 FROM past p WHERE p.hash=b.hash)",
      owner,
      except,
    )!.bytes;
  }

  #quotaOf(owner: string | undefined): Quota {
    if (owner === undefined) return {};
    return (Object.hasOwn(this.#quotas, owner) ? this.#quotas[owner] : this.#quotas["*"]) ?? {};
  }

  #of(owner: string): Used | undefined {
    return this.#database.get<Used>("SELECT bytes,files FROM usage WHERE owner=?", owner);
  }

  #sizeOf(hash: Uint8Array): number {
    return this.#database.get<{ size: number }>("SELECT size FROM blobs WHERE hash=?", hash)?.size ?? 0;
  }

  #set(owner: string, { bytes, files }: Used): void {
    this.#database.run("INSERT OR REPLACE INTO usage(owner,bytes,files) VALUES(?,?,?)", owner, bytes, files);
  }

  /** Counts all of its tags. */
  #count(owner: string): void {
    const { bytes, files } = this.#database.get<Used>(
      "SELECT CAST(total(size) AS INT) AS bytes,count(*) AS files FROM tags JOIN blobs USING(hash) WHERE tags.owner=?",
      owner,
    )!;
    const { listed } = this.#database.get<{ listed: number }>(
      "SELECT CAST(total(b.size) AS INT) AS listed FROM tags t JOIN members m ON m.root=t.hash JOIN blobs b " +
        "ON b.hash=m.child WHERE t.owner=? AND t.format=1",
      owner,
    )!;
    this.#set(owner, { bytes: bytes + listed, files });
  }
}

/** The row of what is in branches: no identity has a control character in its name. */
function ofBranches(owner: string): string {
  return `${owner}\tbranches`;
}

/** `QUOTA_EXCEEDED`: an identity would keep too much. */
export function exceeded(what: string): AlknetError {
  return new AlknetError("QUOTA_EXCEEDED", `${what}; nothing was changed`);
}
