/**
 * A new bare repository, as stock git takes it: made beside the others, renamed when it is whole.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { lstat, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isRefName, isRepositoryName } from "../../wire/names.ts";
import { quotedValue } from "./git_config.ts";

/** How a new repository is to be. */
export interface CreateOptions {
  /** The branch that HEAD stands for. Default `refs/heads/main`. */
  readonly head?: string;
  /** For people. */
  readonly description?: string;
  /** Whether everyone that is known may read it. Default `false`. */
  readonly public?: boolean;
  /** Id of the identity whose it is. */
  readonly owner?: string;
  /** Fills it, before it is there for others; what it throws leaves none. Gets its folder. */
  readonly fill?: (folder: string) => Promise<void>;
}

/**
 * Makes `<root>/<name>.git`, for its owner alone.
 *
 * @returns Its folder.
 * @throws {AlknetError} `INVALID_NAME`: name or branch is none; `REPOSITORY_EXISTS`.
 */
export async function createRepository(root: string, name: string, options: CreateOptions = {}): Promise<string> {
  const { head = "refs/heads/main" } = options;
  if (!isRepositoryName(name)) {
    throw new AlknetError(
      "INVALID_NAME",
      `${
        JSON.stringify(name)
      } is no name of a repository: up to four parts of letters, digits, ".", "_" and "-" with ` +
        `"/" between them, none ending in ".git", ".lock" or "."`,
    );
  }
  if (!isRefName(head) || !head.startsWith("refs/heads/")) {
    throw new AlknetError("INVALID_NAME", `${JSON.stringify(head)} is no branch`);
  }
  const folder = join(root, `${name}.git`);
  const exists = new AlknetError(
    "REPOSITORY_EXISTS",
    `there is a repository in ${folder} already; nothing was changed`,
  );
  if (await lstat(folder).catch(() => undefined)) throw exists;
  const holder = crypto.getRandomValues(new Uint8Array(8)).toHex();
  const making = join(root, ".new", holder);
  try {
    for (const part of ["objects/info", "objects/pack", "refs/heads", "refs/tags"]) {
      await mkdir(join(making, part), { recursive: true, mode: 0o700 });
    }
    const file = (path: string, text: string) => writeFile(join(making, path), text, { mode: 0o600, flush: true });
    await file("HEAD", `ref: ${head}\n`);
    await file("config", configOf(options));
    await options.fill?.(making);
    await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
    try {
      await rename(making, folder);
    } catch (error) {
      const { code } = error as { code?: string };
      throw code === "ENOTEMPTY" || code === "EEXIST" ? exists : error;
    }
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return folder;
}

function configOf({ description, public: isPublic = false, owner }: CreateOptions): string {
  return [
    "[core]",
    "\trepositoryformatversion = 0",
    "\tfilemode = true",
    "\tbare = true",
    "\tlogAllRefUpdates = always",
    "[alknet]",
    `\tpublic = ${isPublic}`,
    ...description === undefined ? [] : [`\tdescription = ${quotedValue(description)}`],
    ...owner === undefined ? [] : [`\towner = ${quotedValue(owner)}`],
    "",
  ].join("\n");
}
