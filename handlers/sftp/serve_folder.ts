/**
 * A folder, served to one client: what `alknet/sftp` and the subsystem of SSH have in common.
 *
 * @module
 */
import { AlknetError, foreign, type Identity, type Logger } from "@alknet/core/handler";
import { MalformedPacketError } from "./codec/malformed.ts";
import { serveSftp, type SftpStream } from "./engine/serve.ts";
import type { FileStore } from "./file_store.ts";
import { openFolderStore } from "./folder_store.ts";
import { localOwnerNames } from "./owner_names.ts";
import type { SftpPolicy } from "./policy.ts";

/** Who is served, as the log names it. */
export interface FolderClient {
  /** Its address. */
  readonly address: string;
  /** The fingerprint of its key. */
  readonly key: string;
  /** Who it is. */
  readonly identity?: Identity;
  /** Where refusals are told of. */
  readonly log: Logger;
  /** See {@linkcode serveSftp}. */
  readonly signal?: AbortSignal;
}

/** Opens what a policy names, for one client. */
export type OpenStore = (policy: SftpPolicy, client: FolderClient) => Promise<FileStore & AsyncDisposable>;

/**
 * Serves a folder until the client leaves. Refusals, and what is no SFTP, are a line of the log each; no line holds a path.
 *
 * @param open Opens the folder. Default: {@linkcode openFolderStore}.
 * @returns Whether it went as the protocol has it. Never rejects because of the client.
 */
export async function serveFolder(
  stream: SftpStream,
  policy: SftpPolicy,
  client: FolderClient,
  open: OpenStore = ({ root, readOnly }) => openFolderStore(root, { readOnly }),
): Promise<boolean> {
  const { address: src, key, log, signal } = client;
  const { readOnly } = policy;
  const refused = (reason: string): void => {
    log.warn("not allowed src={src} what={what} key={key} reason={reason}", { src, what: "sftp", key, reason });
  };
  try {
    await using store = await open(policy, client);
    const failed = (error: unknown): void => {
      log.error("sftp failed: {message}", { message: foreign(error instanceof Error ? error.message : "unknown") });
    };
    await serveSftp(stream, { store, readOnly, ownerNames: localOwnerNames, refused, failed, signal });
    return true;
  } catch (error) {
    if (error instanceof MalformedPacketError) refused("malformed");
    else if (error instanceof AlknetError && error.code === "STORE_UNAVAILABLE") {
      log.error("sftp is not served: {message}", { message: error.message });
      refused("unavailable");
    } else throw error;
    return false;
  }
}
