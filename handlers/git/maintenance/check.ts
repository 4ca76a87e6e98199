/**
 * Whether a repository is whole: the sums of its packs, the ids of its objects, and all that its refs reach (git-fsck).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { parseCommit } from "../objects/commit.ts";
import { isOid, type Kind, type Oid } from "../objects/oid.ts";
import { parseTag } from "../objects/tag.ts";
import { GITLINK_MODE, parseTree, TREE_MODE } from "../objects/tree.ts";
import type { PackFile } from "../pack/pack_file.ts";
import { unlessMissing } from "../store/folder/loose.ts";
import type { OpenFolder } from "../store/folder/repositories.ts";
import type { RefSnapshot } from "../store/types.ts";
import type { Pace } from "../walk/pace.ts";

/** Faults that are told; more are as bad. */
export const MOST_FAULTS = 100;

/** Bytes of an object that is looked at. */
const LARGEST = 2 * 1024 ** 3;

/** How a repository is checked. */
export interface CheckOptions {
  /** Its pace, and its end. */
  readonly pace: Pace;
  /** Told of how far it is. */
  progress?(done: number, total: number): void;
}

/** What a check has found. */
export interface CheckReport {
  /** Objects that were looked at, each as often as it is stored. */
  readonly objects: number;
  /** What is wrong, `<kind> <oid>: <words>`, up to {@linkcode MOST_FAULTS}. */
  readonly faults: readonly string[];
}

/**
 * Checks an open repository. Nothing is changed.
 *
 * @throws The signal's reason, once it is aborted. What the file system throws.
 */
export async function checkFolder(open: OpenFolder, options: CheckOptions): Promise<CheckReport> {
  const check = new Check(open, options);
  await check.run();
  return { objects: check.looked, faults: check.faults };
}

class Check {
  readonly faults: string[] = [];
  looked = 0;
  readonly #open: OpenFolder;
  readonly #options: CheckOptions;
  readonly #loose: Oid[];
  readonly #total: number;

  constructor(open: OpenFolder, options: CheckOptions) {
    this.#open = open;
    this.#options = options;
    this.#loose = looseOf(`${open.folder}/objects`);
    this.#total = open.objects.packs.reduce((sum, { index }) => sum + index.count, this.#loose.length);
  }

  async run(): Promise<void> {
    const { objects, folder } = this.#open;
    for (const [number, pack] of objects.packs.entries()) {
      const { packHash } = pack.index;
      await this.#fault(
        `pack ${packHash}`,
        () => this.#sums(pack, `${folder}/objects/pack/${objects.packNames[number]}`),
      );
      for (let position = 0; position < pack.index.count && !this.#full; position++) {
        const oid = pack.index.oidAt(position);
        await this.#fault(`object ${oid}`, () => this.#entry(number, position, oid));
        await this.#step();
      }
    }
    for (const oid of this.#loose) {
      if (this.#full) return;
      await this.#fault(`object ${oid}`, () => this.#looseObject(oid));
      await this.#step();
    }
    if (!this.#full) await this.#connected();
  }

  get #full(): boolean {
    return this.faults.length >= MOST_FAULTS;
  }

  async #step(): Promise<void> {
    this.looked++;
    this.#options.progress?.(this.looked, this.#total);
    await this.#options.pace.step();
  }

  async #fault(what: string, look: () => void | Promise<void>): Promise<void> {
    try {
      await look();
    } catch (error) {
      // What nobody could have written has sizes that no memory holds.
      if (!(error instanceof AlknetError || error instanceof RangeError)) throw error;
      if (!this.#full) this.faults.push(`${what}: ${error.message}`);
    }
  }

  async #sums(pack: PackFile, path: string): Promise<void> {
    const hash = createHash("sha1");
    for (const piece of pack.through(0, pack.size - 20)) {
      hash.update(piece);
      await this.#options.pace.step();
    }
    if (hash.digest("hex") !== pack.index.packHash) throw wrong("its sum is another than it says");
    const index = readFileSync(`${path}.idx`);
    const sum = createHash("sha1").update(index.subarray(0, -20)).digest("hex");
    if (sum !== index.subarray(-20).toString("hex")) throw wrong("the sum of its index is another than that says");
  }

  #entry(number: number, position: number, oid: Oid): void {
    const { objects } = this.#open;
    const { [number]: pack } = objects.packs;
    // Read to its end, its CRC is checked.
    for (const _ of objects.entry({ pack: number, position }).pieces());
    const { kind, bytes } = pack.read(pack.index.offsetAt(position), LARGEST, (base) => objects.readNow(base, LARGEST));
    isNamed(oid, kind, bytes);
  }

  async #looseObject(oid: Oid): Promise<void> {
    const found = await this.#open.objects.looseObject(oid);
    if (!found) return;
    const hash = createHash("sha1").update(`${found.kind} ${found.size}\0`);
    try {
      for await (const part of found.body) hash.update(part);
    } catch (error) {
      throw error instanceof AlknetError ? error : wrong("it cannot be inflated");
    }
    if (hash.digest("hex") !== oid) throw wrong("its bytes have another id");
  }

  /** All that refs reach has to be there, and be what is expected of it. */
  async #connected(): Promise<void> {
    const { refs, objects } = this.#open;
    let snapshot: RefSnapshot | undefined;
    await this.#fault("refs", async () => void (snapshot = await refs.snapshot([])));
    if (!snapshot) return;
    const seen = new Map<Oid, Kind | undefined>();
    const stack: { oid: Oid; kind?: Kind; from: string }[] = [];
    if (snapshot.head.oid !== undefined) stack.push({ oid: snapshot.head.oid, from: "HEAD" });
    for (const { name, oid } of snapshot.list()) stack.push({ oid, from: name });
    for (let next = stack.pop(); next && !this.#full; next = stack.pop()) {
      const { oid, kind: expected, from } = next;
      const before = seen.get(oid);
      if (before !== undefined || seen.has(oid)) {
        if (expected && before && before !== expected) {
          this.faults.push(`${expected} ${oid}: it is a ${before}, ${from}`);
        }
        continue;
      }
      await this.#fault(`${expected ?? "object"} ${oid}`, async () => {
        const info = await objects.info(oid);
        seen.set(oid, info?.kind);
        if (!info) throw wrong(`it is missing, and ${from} needs it`);
        if (expected && info.kind !== expected) throw wrong(`it is a ${info.kind}, and ${from} needs a ${expected}`);
        if (info.kind === "blob") return;
        const { bytes } = (await objects.read(oid))!;
        const owner = `${info.kind} ${oid}`;
        if (info.kind === "tag") {
          const target = parseTag(bytes);
          stack.push({ ...target, from: owner });
        } else if (info.kind === "commit") {
          const { tree, parents } = parseCommit(bytes);
          stack.push({ oid: tree, kind: "tree", from: owner });
          for (const parent of parents) stack.push({ oid: parent, kind: "commit", from: owner });
        } else {
          for (const { mode, oid: entry } of parseTree(bytes)) {
            if (mode !== GITLINK_MODE) {
              stack.push({ oid: entry, kind: mode === TREE_MODE ? "tree" : "blob", from: owner });
            }
          }
        }
      });
      await this.#options.pace.step();
    }
  }
}

function isNamed(oid: Oid, kind: Kind, bytes: Uint8Array): void {
  const named = createHash("sha1").update(`${kind} ${bytes.byteLength}\0`).update(bytes).digest("hex");
  if (named !== oid) throw wrong("its bytes have another id");
}

function wrong(words: string): AlknetError {
  return new AlknetError("GIT_CORRUPT", words);
}

function looseOf(folder: string): Oid[] {
  const found: Oid[] = [];
  for (const prefix of unlessMissing(() => readdirSync(folder)) ?? []) {
    if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
    for (const name of unlessMissing(() => readdirSync(`${folder}/${prefix}`)) ?? []) {
      if (isOid(prefix + name)) found.push(prefix + name);
    }
  }
  return found.sort();
}
