/**
 * The SSH handler as the configuration has it: policies, and where its host keys are.
 *
 * @module
 */
import { AlknetError, type Handler } from "@alknet/core/handler";
import { readPrivateFile } from "@alknet/core/private-file";
import type { TreeFs } from "@alknet/handlers/fs";
import type { SshPolicy, SshProgram, Subsystem } from "@alknet/handlers/ssh";
import { dirname, resolve } from "node:path";
import Type, { type Static, type TSchema } from "typebox";
import type { Home } from "../home/home.ts";
import { readVaultFile } from "../vault/reading.ts";
import { type FilesPlace, filesSchema, folderOf } from "./sftp.ts";

const closed = { additionalProperties: false };
const destinations = (description: string) => Type.Array(Type.String({ minLength: 1 }), { description });

const policy = Type.Object({
  shell: Type.Optional(Type.Boolean({ description: "whether it may log in to a shell" })),
  exec: Type.Optional(Type.Union([
    Type.Boolean(),
    Type.Object({ commands: Type.Array(Type.String({ minLength: 1 })) }, closed),
    Type.Object({ force: Type.String({ minLength: 1 }) }, closed),
  ], { description: "whether it may run commands, which ones, or which one in place of any" })),
  user: Type.Optional(
    Type.String({ minLength: 1, description: "as whom its programs run, where the node is root" }),
  ),
  forward: Type.Optional(destinations("host:port, range/bits:port or path that it may connect to from the node")),
  listen: Type.Optional(destinations("host:port or path where it may have the node listen")),
  sftp: Type.Optional(filesSchema),
}, closed);

const schema = Type.Object({
  policies: Type.Optional(Type.Record(Type.String(), policy, { description: "what each peer may do, by its peer_id" })),
  trust_tls_identity: Type.Optional(
    Type.Boolean({ description: "whether who is known by its node key needs no SSH key" }),
  ),
  host_key_files: Type.Optional(Type.Array(Type.String({ minLength: 1 }), {
    description: "private host keys in OpenSSH's format, in place of the vault's",
  })),
}, closed);

/** The schema of `handlers.ssh`. */
export const SSH_SCHEMA: TSchema = schema;
/** Options of `handlers.ssh`. */
export type SshConfig = Static<typeof schema>;

/** Where the host key comes from, and what other handlers add. */
export interface SshParts {
  /** Relative paths are resolved against its folder. */
  readonly configFile: string;
  /** Has the vault. */
  readonly home: Home;
  /** Opens it. */
  readonly passphraseFile?: string;
  /** Branches that files may be. */
  readonly files?: TreeFs;
  /** Commands of other handlers. */
  readonly programs?: readonly SshProgram[];
}

/**
 * The SSH handler.
 *
 * @throws {AlknetError} `INVALID_CONFIG`; `NO_HOST_KEY`; what opening the vault or reading a key file throws.
 */
export async function sshOf(options: SshConfig, parts: SshParts): Promise<Handler> {
  const { trust_tls_identity: trustTlsIdentity, host_key_files: files } = options;
  const policies = await policiesOf(options, parts);
  const hostKeys = files ? await readKeys(files, parts.configFile) : [await vaultKey(parts)];
  const { ssh } = await import("@alknet/handlers/ssh");
  try {
    return ssh({
      hostKeys,
      policies,
      trustTlsIdentity,
      subsystems: { sftp: fileServer(parts.files) },
      programs: parts.programs,
    });
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new AlknetError("INVALID_CONFIG", `config ${parts.configFile}: handlers.ssh: ${reason}`, { cause });
  }
}

/** Policies as the handler has them. */
async function policiesOf({ policies = {} }: SshConfig, place: FilesPlace): Promise<Record<string, SshPolicy>> {
  const all: Record<string, SshPolicy> = {};
  for (const [id, { sftp, ...rest }] of Object.entries(policies)) {
    all[id] = sftp ? { ...rest, sftp: await folderOf(sftp, place, `handlers.ssh.policies.${id}.sftp`) } : rest;
  }
  return all;
}

/** The subsystem `sftp`. The server of files is loaded when somebody asks for it. */
function fileServer(files: TreeFs | undefined): Subsystem {
  return async (stream, { policy, ...client }) => {
    const [{ serveFolder }, { storeOpener }] = await Promise.all([
      import("@alknet/handlers/sftp"),
      import("../mounts/open.ts"),
    ]);
    await serveFolder(stream, policy.sftp!, client, storeOpener(files));
  };
}

async function readKeys(files: readonly string[], configFile: string): Promise<string[]> {
  return await Promise.all(files.map((file) => readPrivateFile(resolve(dirname(configFile), file), "SSH host key")));
}

async function vaultKey({ home, passphraseFile }: SshParts): Promise<string> {
  if (!await readVaultFile(home)) {
    throw new AlknetError(
      "NO_HOST_KEY",
      `handlers.ssh needs a host key: there is no vault in ${home.folder}, so name one in handlers.ssh.host_key_files`,
    );
  }
  const [{ openVault }, { opensshPrivateKey }] = await Promise.all([
    import("../vault/vault_folder.ts"),
    import("@alknet/vault"),
  ]);
  using open = await openVault(home, { passphraseFile });
  using key = open.vault.sshHostKey();
  return opensshPrivateKey(key, "alknet");
}
