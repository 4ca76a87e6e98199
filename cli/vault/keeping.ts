/**
 * Backing a vault up and bringing it back.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { createPrivateFile, readPrivateFile, reason } from "@alknet/core/private-file";
import { exists, type Home } from "../home/home.ts";
import { formatBackup, readBackup } from "./backup.ts";
import type { Disk } from "../home/disk.ts";
import { type MakingOptions, mayMake } from "./making.ts";
import type { SealOptions } from "./sealed_phrase.ts";
import { knownPassphrase, newPassphrase, newVaultKey, type UnlockOptions } from "./secrets.ts";
import { openVault, placeVault, sealPhrase, settledCredentials, unlock } from "./vault_folder.ts";

/**
 * Writes a backup, which must not be there yet. It is sealed by the passphrase of the vault; for a vault without one, by a
 * new one.
 *
 * @throws {AlknetError} `BACKUP_EXISTS`, `BACKUP_WRITE`.
 */
export async function backUp(home: Home, file: string, options: UnlockOptions & SealOptions): Promise<void> {
  if (await exists(file)) throw backupExists(file);
  using open = await openVault(home, options);
  const vault = open.secret.kind === "passphrase" ? open.document : await sealPhrase(
    open.entropy,
    await newPassphrase(options, "--passphrase-file FILE", "a passphrase has to seal the backup"),
    options,
  );
  const credentials = await settledCredentials(home, open.document);
  const nodeKey = await exists(home.keyFile) ? await readPrivateFile(home.keyFile, "key file") : undefined;
  try {
    await createPrivateFile(file, await formatBackup(open, vault, { credentials, nodeKey }));
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw backupExists(file);
    throw new AlknetError("BACKUP_WRITE", `cannot write backup ${file}: ${reason(error)}`, { cause: error });
  }
}

/** How a vault is brought back. */
export interface BringBackOptions extends UnlockOptions, MakingOptions, SealOptions {
  /** Seal it by a new key in a file, instead of the backup's passphrase. */
  readonly noPassphrase: boolean;
  /** Where it is written. Default: the disk of the machine. */
  readonly disk?: Disk;
}

/**
 * Makes the vault of a backup, with its credentials.
 *
 * @throws {AlknetError} `VAULT_EXISTS`, `NODE_EXISTS`, `UNLOCK_FAILED`, and the codes of {@linkcode readBackup}.
 */
export async function bringBack(home: Home, file: string, options: BringBackOptions): Promise<void> {
  const { force, noPassphrase, disk } = options;
  const aside = await mayMake(home, options);
  const sealed = await readBackup(file);
  const passphrase = await knownPassphrase(options, "the backup");
  using open = await unlock(sealed.vault, passphrase, `backup ${file}`);
  const { credentials, nodeKey } = await sealed.open(open);
  const secret = noPassphrase ? newVaultKey() : passphrase;
  const document = noPassphrase ? await sealPhrase(open.entropy, secret) : sealed.vault;
  const files: Record<string, string> = nodeKey === undefined ? {} : { "node.key": nodeKey };
  await placeVault(home, document, secret, { force, credentials, files, aside, disk });
}

function backupExists(file: string): AlknetError {
  return new AlknetError("BACKUP_EXISTS", `${file} is there already, and is left as it is; name another file`);
}
