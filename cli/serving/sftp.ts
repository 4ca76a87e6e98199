/**
 * The SFTP handler as the configuration has it: folders by peer.
 *
 * @module
 */
import { AlknetError, type Handler } from "@alknet/core/handler";
import type { SftpPolicy } from "@alknet/handlers/sftp";
import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import Type, { type Static, type TSchema } from "typebox";

const closed = { additionalProperties: false };

/** The schema of files that a peer is served. */
export const filesSchema = Type.Object({
  root: Type.String({ minLength: 1, description: "the folder that it is served as /" }),
  read_only: Type.Optional(Type.Boolean({ description: "whether it may change nothing there" })),
}, closed);

const schema = Type.Object({
  policies: Type.Optional(
    Type.Record(Type.String(), filesSchema, { description: "what each peer is served, by its peer_id" }),
  ),
}, closed);

/** The schema of `handlers.sftp`. */
export const SFTP_SCHEMA: TSchema = schema;
/** Options of `handlers.sftp`. */
export type SftpConfig = Static<typeof schema>;
/** What one peer is served. */
export type FilesConfig = Static<typeof filesSchema>;

/**
 * The SFTP handler.
 *
 * @param configFile Relative folders are resolved against its own.
 * @throws {AlknetError} `INVALID_CONFIG`: a root is no folder, or cannot be served on this system.
 */
export async function sftpOf({ policies = {} }: SftpConfig, configFile: string): Promise<Handler> {
  const { sftp } = await import("@alknet/handlers/sftp");
  const all: Record<string, SftpPolicy> = {};
  for (const [id, given] of Object.entries(policies)) {
    all[id] = await folderOf(given, configFile, `handlers.sftp.policies.${id}`);
  }
  return sftp({ policies: all });
}

/**
 * The policy for files, its folder being there.
 *
 * @param at Where in the configuration it stands.
 * @throws {AlknetError} `INVALID_CONFIG`: see {@linkcode sftpOf}.
 */
export async function folderOf(
  { root, read_only: readOnly }: FilesConfig,
  configFile: string,
  at: string,
): Promise<SftpPolicy> {
  const { openFolderStore } = await import("@alknet/handlers/sftp");
  const policy = { root: resolve(dirname(configFile), root), readOnly };
  const wrong = (reason: string, cause?: unknown) =>
    new AlknetError("INVALID_CONFIG", `config ${configFile}: ${at}.root: ${reason}`, { cause });
  const isFolder = await stat(policy.root).then((found) => found.isDirectory(), () => false);
  if (!isFolder) throw wrong(`${policy.root} is no folder; the path of one that is there is needed`);
  try {
    await using _store = await openFolderStore(policy.root);
  } catch (cause) {
    throw wrong((cause as Error).message, cause);
  }
  return policy;
}
