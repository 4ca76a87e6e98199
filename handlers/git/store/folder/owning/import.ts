/**
 * The files of a folder as the first commit of a repository: loose objects, which the first maintenance packs.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { createHash } from "node:crypto";
import { lstat, mkdir, readdir, readlink, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Oid } from "../../../objects/oid.ts";
import { deflate } from "../../../pack/inflate.ts";
import { codeOf, sync, writeNew } from "../files.ts";

/** What an import came to. */
export interface Imported {
  /** The commit; nothing where the folder holds no file. */
  readonly commit?: Oid;
  /** Files. */
  readonly files: number;
}

/** A file's bytes go through memory in pieces; a file above this is deflated as it is read. */
const WHOLE = 16 * 1024 * 1024;
/** Folders in folders. */
const MOST_DEPTH = 256;

/**
 * Commits the files of a folder to a branch of a new bare repository. `.git` is left out wherever it lies, and so is what
 * is neither a file, a link nor a folder.
 *
 * @param bare The repository.
 * @param branch Full name of a branch that is not there.
 * @throws {AlknetError} `IMPORT_FAILED`: a file changes while it is read. What the file system throws.
 */
export async function importFolder(bare: string, branch: string, from: string): Promise<Imported> {
  const importing = new Import(`${bare}/objects`);
  const tree = await importing.tree(from, 0);
  if (tree === undefined) return { files: 0 };
  const who = `alknet <> ${Math.floor(Date.now() / 1000)} +0000`;
  const text = `tree ${tree}\nauthor ${who}\ncommitter ${who}\n\nimport\n`;
  const commit = await importing.object("commit", new TextEncoder().encode(text));
  const ref = join(bare, branch);
  await mkdir(dirname(ref), { recursive: true, mode: 0o700 });
  await writeNew(ref, `${commit}\n`);
  await sync(dirname(ref));
  return { commit, files: importing.files };
}

class Import {
  files = 0;
  readonly #objects: string;
  #next = 0;

  constructor(objects: string) {
    this.#objects = objects;
  }

  /** The tree of a folder; nothing where there is no file in it, as git has no empty ones. */
  async tree(folder: string, depth: number): Promise<Oid | undefined> {
    if (depth > MOST_DEPTH) throw failed(folder, `folders lie more than ${MOST_DEPTH} deep`);
    const entries: { readonly key: Uint8Array; readonly bytes: Uint8Array }[] = [];
    for (const name of await readdir(folder)) {
      if (name.toLowerCase() === ".git") continue;
      const entry = await this.#entry(join(folder, name), depth);
      if (!entry) continue;
      const { mode, oid } = entry;
      // Trees stand as if their names ended in a slash.
      entries.push({
        key: new TextEncoder().encode(mode === "40000" ? `${name}/` : name),
        bytes: joined([new TextEncoder().encode(`${mode} ${name}\0`), Uint8Array.fromHex(oid)]),
      });
    }
    if (entries.length === 0) return undefined;
    entries.sort(({ key: a }, { key: b }) => compare(a, b));
    return await this.object("tree", joined(entries.map(({ bytes }) => bytes)));
  }

  async #entry(path: string, depth: number): Promise<{ readonly mode: string; readonly oid: Oid } | undefined> {
    const info = await lstat(path);
    if (info.isDirectory()) {
      const oid = await this.tree(path, depth + 1);
      return oid === undefined ? undefined : { mode: "40000", oid };
    }
    if (info.isSymbolicLink()) {
      this.files++;
      return { mode: "120000", oid: await this.object("blob", new TextEncoder().encode(await readlink(path))) };
    }
    if (!info.isFile()) return undefined;
    this.files++;
    const oid = info.size <= WHOLE
      ? await this.object("blob", await Deno.readFile(path))
      : await this.#large(path, info.size);
    return { mode: info.mode & 0o100 ? "100755" : "100644", oid };
  }

  /** Writes an object, unless it is there. */
  async object(kind: string, bytes: Uint8Array): Promise<Oid> {
    const whole = joined([new TextEncoder().encode(`${kind} ${bytes.byteLength}\0`), bytes]);
    const oid = createHash("sha1").update(whole).digest("hex");
    const temporary = this.#temporary();
    await writeNew(temporary, deflate(whole));
    return await this.#named(temporary, oid);
  }

  async #large(path: string, size: number): Promise<Oid> {
    const hash = createHash("sha1");
    const head = new TextEncoder().encode(`blob ${size}\0`);
    hash.update(head);
    let read = 0;
    const source = (await Deno.open(path)).readable;
    const content = async function* (): AsyncGenerator<Uint8Array<ArrayBuffer>> {
      yield head;
      for await (const part of source) {
        hash.update(part);
        read += part.byteLength;
        yield part;
      }
    };
    const temporary = this.#temporary();
    try {
      const file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
      await ReadableStream.from(content()).pipeThrough(new CompressionStream("deflate")).pipeTo(file.writable);
      if (read !== size) throw failed(path, "it changes while it is read");
      await sync(temporary);
      return await this.#named(temporary, hash.digest("hex"));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async #named(temporary: string, oid: Oid): Promise<Oid> {
    const folder = `${this.#objects}/${oid.slice(0, 2)}`;
    await mkdir(folder, { mode: 0o700 }).catch((error) => {
      if (codeOf(error) !== "EEXIST") throw error;
    });
    await rename(temporary, `${folder}/${oid.slice(2)}`);
    return oid;
  }

  #temporary(): string {
    return `${this.#objects}/import-${this.#next++}`;
  }
}

function failed(path: string, why: string): AlknetError {
  return new AlknetError("IMPORT_FAILED", `${path} cannot be imported: ${why}`);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.byteLength && i < b.byteLength; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.byteLength - b.byteLength;
}
