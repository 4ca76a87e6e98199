/**
 * The vault of a home folder: read, opened, made and changed.
 *
 * A command opens the vault first, which may take a person's time, and takes its turn to write only then; what it writes is
 * refused if the vault became another one in between.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { entropyOf, Vault } from "@alknet/vault";
import { join } from "node:path";
import { exists, type Home, makeHome } from "../home/home.ts";
import { Progress } from "../terminal/progress.ts";
import { type Credentials, formatCredentials, readCredentials } from "./credentials.ts";
import { type Disk, realDisk } from "../home/disk.ts";
import { openEntropy, type PublicPart, sealEntropy, type SealOptions, type Secret } from "./sealed_phrase.ts";
import { formatVaultKey, knownPassphrase, readVaultKey, type UnlockOptions } from "./secrets.ts";
import { noVault, readUnsettled, settled } from "./reading.ts";
import { asideName, type Changes, commit, recover } from "../home/transaction.ts";
import { turnToWrite } from "../home/turns.ts";
import { formatVaultFile, type VaultDocument } from "./vault_file.ts";

/** A vault that is open, with what it was read from. Disposing of it locks it and wipes its secrets. */
export interface OpenVault extends Disposable {
  /** Derives and seals. */
  readonly vault: Vault;
  /** What opened it. */
  readonly secret: Secret;
  /** Its file. */
  readonly document: VaultDocument;
  /** What its phrase stands for. A secret; made into words only for a person to read. */
  readonly entropy: Uint8Array;
}

/** What else a new vault brings. */
export interface NewVaultOptions extends SealOptions {
  /** Move the old vault, with what belongs to it, aside. Default: there must be none. */
  readonly force?: boolean;
  /** Credentials that it has from the start. */
  readonly credentials?: Credentials;
  /** Files that are made with it unless they are there, name to content. */
  readonly files?: Readonly<Record<string, string>>;
  /** Files of the folder that are moved aside with the old vault, if they are there. */
  readonly aside?: readonly string[];
  /** Where it is written. Default: the disk of the machine. */
  readonly disk?: Disk;
}

/** Names of files that belong to a vault and go aside with it. */
const OF_A_VAULT = ["vault.json", "vault.key", "credentials.json"];

/**
 * Opens the vault: with `vault.key` where that seals it, else with a passphrase.
 *
 * @throws {AlknetError} `NO_VAULT`; `UNLOCK_FAILED` for a wrong passphrase and a damaged file alike.
 */
export async function openVault(home: Home, options: UnlockOptions = {}): Promise<OpenVault> {
  const { document, key } = await readSealed(home);
  const secret = key ?? await knownPassphrase(options, "the vault");
  return await unlock(document, secret, `vault ${home.vaultFile}`);
}

/** Opens what a vault's file holds. */
export async function unlock(document: VaultDocument, secret: Secret, where: string): Promise<OpenVault> {
  using progress = new Progress("opening the vault");
  return opened(await openEntropy(document, secret, where, progress.report), document, secret);
}

/** Makes a vault of a phrase. See {@linkcode makeVaultOf}. */
export async function makeVault(
  home: Home,
  phrase: string,
  secret: Secret,
  options: NewVaultOptions = {},
): Promise<void> {
  const entropy = entropyOf(phrase);
  try {
    await makeVaultOf(home, entropy, secret, options);
  } finally {
    entropy.fill(0);
  }
}

/**
 * Makes a vault of the entropy of a phrase, which the caller wipes. Nothing is written before everything is known that
 * will be.
 *
 * @throws {AlknetError} `VAULT_EXISTS` when there is one, and `force` is not given; `VAULT_WRITE`, `HOME_UNUSABLE`.
 */
export async function makeVaultOf(
  home: Home,
  entropy: Uint8Array,
  secret: Secret,
  options: NewVaultOptions = {},
): Promise<void> {
  await placeVault(home, await sealPhrase(entropy, secret, options), secret, options);
}

/** Seals the entropy of a phrase in the form of a vault's file. */
export async function sealPhrase(
  entropy: Uint8Array,
  secret: Secret,
  options: SealOptions = {},
): Promise<VaultDocument> {
  using progress = new Progress("sealing the vault");
  using vault = new Vault();
  vault.unlockEntropy(entropy);
  return await sealEntropy(entropy, secret, publicPartOf(vault), { onProgress: progress.report, ...options });
}

/** Writes a vault that was sealed. See {@linkcode makeVaultOf}. */
export async function placeVault(
  home: Home,
  document: VaultDocument,
  secret: Secret,
  { force = false, credentials, files = {}, aside = [], disk = realDisk }: NewVaultOptions = {},
): Promise<void> {
  await makeHome(home);
  using _turn = await turnToWrite(home.folder);
  await recover(home.folder, disk);
  if (!force) await refuseExisting(home);
  const away: Record<string, string> = {};
  for (const name of [...(force ? OF_A_VAULT : []), ...aside]) {
    if (await exists(join(home.folder, name))) away[name] = await asideName(home.folder, name);
  }
  const fresh: Record<string, string> = {};
  for (const [name, content] of Object.entries(files)) {
    if (!await exists(join(home.folder, name)) || name in away) fresh[name] = content;
  }
  await commit(home.folder, {
    aside: away,
    write: {
      ...(secret.kind === "key" ? { "vault.key": formatVaultKey(secret.key) } : {}),
      ...(credentials && credentials.size > 0 ? { "credentials.json": formatCredentials(credentials) } : {}),
      ...fresh,
      "vault.json": formatVaultFile(document),
    },
  }, disk);
}

/**
 * Seals the phrase by another secret.
 *
 * @throws {AlknetError} `VAULT_CHANGED`, `VAULT_WRITE`.
 */
export async function resealVault(
  home: Home,
  open: OpenVault,
  secret: Secret,
  options: SealOptions & { readonly disk?: Disk } = {},
): Promise<void> {
  const document = await sealPhrase(open.entropy, secret, options);
  const changes: Changes = secret.kind === "key"
    ? { write: { "vault.key": formatVaultKey(secret.key), "vault.json": formatVaultFile(document) } }
    : { write: { "vault.json": formatVaultFile(document) }, remove: open.secret.kind === "key" ? ["vault.key"] : [] };
  await changing(home, open.document, () => ({ changes }), options.disk);
}

/**
 * Changes the credentials of a vault, all or none.
 *
 * @param document The vault to which they belong, as it was read. Default: whichever is there.
 * @param change Gives the new ones, and what to pass on; when it throws, nothing is written.
 * @throws {AlknetError} `VAULT_CHANGED`, `VAULT_WRITE`, and the codes of {@linkcode readCredentials}.
 */
export async function changeCredentials<T>(
  home: Home,
  document: VaultDocument | undefined,
  change: (credentials: Credentials) => { readonly credentials: Credentials; readonly result: T },
  disk: Disk = realDisk,
): Promise<T> {
  return await changing(home, document, async () => {
    const { credentials, result } = change(await readCredentials(home.credentialsFile));
    return { changes: { write: { "credentials.json": formatCredentials(credentials) } }, result };
  }, disk) as T;
}

/**
 * The credentials of a vault, when nobody changes them.
 *
 * @param document The vault to which they belong, as it was read. Default: whichever is there.
 * @throws {AlknetError} `NO_VAULT`, `VAULT_CHANGED`, and the codes of {@linkcode readCredentials}.
 */
export async function settledCredentials(home: Home, document?: VaultDocument): Promise<Credentials> {
  using _turn = await settled(home.folder);
  const found = await readUnsettled(home);
  if (!found) throw noVault(home);
  if (document && found.data !== document.data) throw vaultChanged(home);
  return await readCredentials(home.credentialsFile);
}

/**
 * Refuses to go on where there is a vault, or part of one.
 *
 * @throws {AlknetError} `VAULT_EXISTS`.
 */
export async function refuseExisting(home: Home): Promise<void> {
  const found: string[] = [];
  for (const file of [home.vaultFile, home.vaultKeyFile, home.credentialsFile]) {
    if (await exists(file)) found.push(file);
  }
  if (found.length === 0) return;
  throw new AlknetError(
    "VAULT_EXISTS",
    `a vault is here already (${found.join(", ")}); nothing was changed. Use it as it is, name another home with ` +
      "--home, or move it aside with --force",
  );
}

async function changing<T>(
  home: Home,
  document: VaultDocument | undefined,
  plan: () => { changes: Changes; result?: T } | Promise<{ changes: Changes; result?: T }>,
  disk: Disk = realDisk,
): Promise<T | undefined> {
  using _turn = await turnToWrite(home.folder);
  await recover(home.folder, disk);
  if (document && (await readUnsettled(home))?.data !== document.data) throw vaultChanged(home);
  const { changes, result } = await plan();
  await commit(home.folder, changes, disk);
  return result;
}

/** The vault and, where it has one, its key: those that belong together. */
async function readSealed(home: Home): Promise<{ document: VaultDocument; key?: Secret }> {
  using _turn = await settled(home.folder);
  const document = await readUnsettled(home);
  if (!document) throw noVault(home);
  return { document, key: document.sealed_by.kind === "key" ? await readVaultKey(home) : undefined };
}

function vaultChanged(home: Home): AlknetError {
  return new AlknetError("VAULT_CHANGED", `the vault in ${home.folder} became another one meanwhile; try again`);
}

function opened(entropy: Uint8Array, document: VaultDocument, secret: Secret): OpenVault {
  const vault = new Vault();
  vault.unlockEntropy(entropy);
  return {
    vault,
    secret,
    document,
    entropy,
    [Symbol.dispose]() {
      vault.lock();
      entropy.fill(0);
      if (secret.kind === "key") secret.key.fill(0);
    },
  };
}

function publicPartOf(vault: Vault): PublicPart {
  using node = vault.nodeKey();
  using sshHost = vault.sshHostKey();
  return { node: `ed25519:${node.publicKey.toHex()}`, ssh_host: `ed25519:${sshHost.publicKey.toHex()}` };
}
