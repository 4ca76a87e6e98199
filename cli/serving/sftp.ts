/**
 * The SFTP handler as the configuration has it: folders, and branches, by peer.
 *
 * @module
 */
import { AlknetError, type Handler } from "@alknet/core/handler";
import type { TreeFs } from "@alknet/handlers/fs";
import type { SftpPolicy } from "@alknet/handlers/sftp";
import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import Type, { type Static, type TSchema } from "typebox";

const closed = { additionalProperties: false };

/** The schema of files that a peer is served. */
export const filesSchema = Type.Object({
  root: Type.String({
    minLength: 1,
    description: "the folder that it is served as /; fs:BRANCH or fs: is a branch of the node, or all",
  }),
  read_only: Type.Optional(Type.Boolean({ description: "whether it may change nothing there" })),
}, closed);

const schema = Type.Object({
  policies: Type.Optional(
    Type.Record(Type.String(), filesSchema, { description: "what each peer is served, by its peer_id" }),
  ),
}, closed);

/** What a root begins with that is no folder; a folder of such a name is ./fs:… */
const BRANCHES = "fs:";

/** The schema of `handlers.sftp`. */
export const SFTP_SCHEMA: TSchema = schema;
/** Options of `handlers.sftp`. */
export type SftpConfig = Static<typeof schema>;
/** What one peer is served. */
export type FilesConfig = Static<typeof filesSchema>;

/** Whose configuration it is, and what of the node can be served. */
export interface FilesPlace {
  /** Relative folders are resolved against its own. */
  readonly configFile: string;
  /** Has the branches, where the node serves any. */
  readonly files?: TreeFs;
}

/**
 * The SFTP handler.
 *
 * @throws {AlknetError} `INVALID_CONFIG`: a root is no folder, or cannot be served on this system.
 */
export async function sftpOf({ policies = {} }: SftpConfig, place: FilesPlace): Promise<Handler> {
  const [{ sftp }, { storeOpener }] = await Promise.all([
    import("@alknet/handlers/sftp"),
    import("../mounts/open.ts"),
  ]);
  const all: Record<string, SftpPolicy> = {};
  for (const [id, given] of Object.entries(policies)) {
    all[id] = await folderOf(given, place, `handlers.sftp.policies.${id}`);
  }
  return sftp({ policies: all, open: storeOpener(place.files) });
}

/**
 * The policy for files, its folder being there; whether a branch is there is looked at when it is asked for.
 *
 * @param at Where in the configuration it stands.
 * @throws {AlknetError} `INVALID_CONFIG`: see {@linkcode sftpOf}.
 */
export async function folderOf(
  { root, read_only: readOnly }: FilesConfig,
  { configFile, files }: FilesPlace,
  at: string,
): Promise<SftpPolicy> {
  const wrong = (reason: string, cause?: unknown) =>
    new AlknetError("INVALID_CONFIG", `config ${configFile}: ${at}.root: ${reason}`, { cause });
  if (root.startsWith(BRANCHES)) {
    const { isBranchRoot } = await import("../mounts/open.ts");
    if (!isBranchRoot(root)) throw wrong(`${root} is no branch; fs:BRANCH, fs:BRANCH@VERSION or fs: is needed`);
    if (!files) throw wrong(`${root} needs the handler fs, which is not configured`);
    return { root, readOnly };
  }
  const { openFolderStore } = await import("@alknet/handlers/sftp");
  const policy = { root: resolve(dirname(configFile), root), readOnly };
  const isFolder = await stat(policy.root).then((found) => found.isDirectory(), () => false);
  if (!isFolder) throw wrong(`${policy.root} is no folder; the path of one that is there is needed`);
  try {
    await using _store = await openFolderStore(policy.root);
  } catch (cause) {
    throw wrong((cause as Error).message, cause);
  }
  return policy;
}
