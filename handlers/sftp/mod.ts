/**
 * SFTP version 3 (draft-ietf-secsh-filexfer-02, and OpenSSH's extensions) over the first stream of any connection.
 *
 * Participants: an SFTP client such as OpenSSH's behind `alknet dial`, and this node. Messages: those of SFTP, without
 * SSH around them: the transport already encrypts and proves who is who. Identity: the one that TLS has proven, which a
 * policy gives a folder. The same server is the `sftp` subsystem of `alknet/ssh`, by {@linkcode serveFolder}.
 *
 * The two arguments of SYMLINK come in OpenSSH's order, the target first, as its clients and paramiko send them; asyncssh
 * sends them so to servers alone that call themselves OpenSSH.
 *
 * @module
 */
import { type BidiStream, defineHandler, type Handler, type HandlerContext } from "@alknet/core/handler";
import type { SftpPolicy } from "./policy.ts";
import { type FolderClient, type OpenStore, serveFolder } from "./serve_folder.ts";

export { MalformedPacketError } from "./codec/malformed.ts";
export type { OwnerNames } from "./engine/owners.ts";
export { serveSftp, type SftpServerOptions, type SftpStream } from "./engine/serve.ts";
export type { SessionOptions } from "./engine/session.ts";
export {
  type DirectoryEntry,
  type FileAttributes,
  type FileStore,
  type FileSystemRoom,
  type OpenFlags,
  type StoreDirectory,
  StoreError,
  type StoreErrorCode,
  type StoreFile,
} from "./file_store.ts";
export { type FolderStoreOptions, openFolderStore } from "./folder_store.ts";
export type { SftpPolicy } from "./policy.ts";
export { type FolderClient, type OpenStore, serveFolder } from "./serve_folder.ts";

/** The protocol's name on the wire. */
export const SFTP_ALPN = "alknet/sftp";

/** Options of {@linkcode sftp}. */
export interface SftpOptions {
  /** What identities are served, by id. Who is not named is refused. */
  readonly policies?: Readonly<Record<string, SftpPolicy>>;
  /** Opens what a policy names. Default: {@linkcode openFolderStore}. */
  readonly open?: OpenStore;
}

/** Codes with which streams of `alknet/sftp` are cut. */
const Code = { MALFORMED: 1, BUSY: 2 } as const;

/** The SFTP handler. Whoever has no policy is refused, with one line in the log. */
export function sftp(options: SftpOptions = {}): Handler<readonly [typeof SFTP_ALPN]> {
  const { policies = {}, open } = options;
  return defineHandler({
    alpns: [SFTP_ALPN],
    description: "files of a folder",
    async handle(connection, context) {
      const { identity, peer, remoteAddress: { hostname: address } } = connection;
      const policy = identity && Object.hasOwn(policies, identity.id) ? policies[identity.id] : undefined;
      const key = peer.fingerprint ?? "-";
      if (!policy) return refuse(context, address, key);
      let session: Promise<void> | undefined;
      const end = (): Promise<void> => connection[Symbol.asyncDispose]();
      const drain = (): void => void (session ?? end());
      context.signal.addEventListener("abort", drain);
      for await (const stream of connection) {
        // One session a connection: another client has another connection, and limits of its own.
        if (session) cut(stream, Code.BUSY);
        else {
          const { log, signal } = context;
          session = serve(stream, policy, { address, key, identity, log, signal }, open).finally(end);
          // It is waited for below, when the connection has ended.
          session.catch(() => {});
        }
      }
      context.signal.removeEventListener("abort", drain);
      await session;
    },
  });
}

async function serve(
  stream: BidiStream,
  policy: SftpPolicy,
  client: FolderClient,
  open: OpenStore | undefined,
): Promise<void> {
  if (!await serveFolder(stream, policy, client, open)) cut(stream, Code.MALFORMED);
}

function refuse({ log }: HandlerContext, src: string, key: string): void {
  log.warn("not allowed src={src} what={what} key={key} reason={reason}", { src, what: "sftp", key, reason: "policy" });
}

function cut(stream: BidiStream, code: number): void {
  stream.reset(code);
  stream.stop(code);
}
