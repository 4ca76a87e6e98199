/**
 * Changes a configuration file as a program: `token create`, `authorize`. A running node that follows the file takes the
 * change over.
 *
 * @module
 */
import { dirname } from "node:path";
import { AlknetError } from "../errors.ts";
import { reason, replaceFile } from "../identity/private_file.ts";
import { readConfigText } from "./load.ts";
import { parseConfig, parseDocument, type ParseOptions } from "./parse.ts";
import type { ConfigDocument } from "./types.ts";

/** Options of {@linkcode editConfig}. */
export interface EditOptions extends ParseOptions {
  /** Makes the file if there is none. Default `false`. */
  readonly create?: boolean;
}

/**
 * Changes a configuration file in one step. What `change` leaves alone stays in the file, in its order; indentation follows
 * the file's own. Editors of one file take turns, across processes too (a lock file `<path>.lock` stays behind).
 *
 * @param change Changes the document that it is given; what it returns is passed on. When it throws, nothing is written.
 * @throws {InvalidConfigError} The file is invalid, or would be afterwards. It stays as it is.
 * @throws {AlknetError} `CONFIG_NOT_FOUND`, `CONFIG_UNREADABLE`, `CONFIG_WRITE`.
 */
export async function editConfig<T>(
  path: string,
  change: (document: ConfigDocument) => T | Promise<T>,
  options: EditOptions = {},
): Promise<T> {
  using _lock = await lock(path);
  const text = await readForEdit(path, options);
  parseConfig(text, path, options);
  const document = parseDocument(text, path) as ConfigDocument;
  const result = await change(document);
  const edited = JSON.stringify(document, undefined, indentation(text)) + "\n";
  parseConfig(edited, path, options);
  try {
    await replaceFile(path, edited);
  } catch (error) {
    throw new AlknetError("CONFIG_WRITE", `cannot write config ${path}: ${reason(error)}`, { cause: error });
  }
  return result;
}

async function readForEdit(path: string, { create }: EditOptions): Promise<string> {
  try {
    return await readConfigText(path);
  } catch (error) {
    if (create && error instanceof AlknetError && error.code === "CONFIG_NOT_FOUND") return "{}";
    throw error;
  }
}

/**
 * Waits its turn. The operating system gives the lock back when a process dies.
 *
 * It is the folder that is locked: a file made for it would belong to whoever came first, and keep others out.
 */
async function lock(config: string): Promise<Disposable> {
  try {
    const file = await openToLock(config);
    try {
      await file.lock(true);
    } catch (error) {
      file.close();
      throw error;
    }
    return { [Symbol.dispose]: () => file.close() };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new AlknetError(
        "CONFIG_NOT_FOUND",
        `the folder of config ${config} does not exist; \`alknet init\` makes it`,
        {
          cause: error,
        },
      );
    }
    throw new AlknetError("CONFIG_WRITE", `cannot lock config ${config}: ${reason(error)}`, { cause: error });
  }
}

/** Something to lock that is there already; Windows has no descriptors of folders. */
async function openToLock(config: string): Promise<Deno.FsFile> {
  if (Deno.build.os === "windows") return await Deno.open(`${config}.lock`, { write: true, create: true });
  return await Deno.open(dirname(await Deno.realPath(config).catch(() => config)), { read: true });
}

function indentation(text: string): string {
  return /\n([ \t]+)"/.exec(text)?.[1].slice(0, 10) ?? "  ";
}
