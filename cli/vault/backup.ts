/**
 * A backup: one sealed file from which a vault comes back.
 *
 * ```json
 * {
 *   "kind": "alknet-vault-backup",
 *   "version": 1,
 *   "vault": { … as vault.json, always sealed by a passphrase … },
 *   "content": "<base64: what else there is, sealed as a stream by the vault's own key>"
 * }
 * ```
 *
 * The content is JSON: the credentials, and the node's own key where the node has one.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { reason } from "@alknet/core/private-file";
import { type Credentials, formatCredentials, parseCredentials } from "./credentials.ts";
import { checkVersion, invalid, readVaultDocument, type VaultDocument } from "./vault_file.ts";
import type { OpenVault } from "./vault_folder.ts";

const KIND = "alknet-vault-backup";
const VERSION = 1;
/** Most bytes of a backup: twice what the credentials may have. */
const MOST_BYTES = 128 * 1024 * 1024;

/** What a backup holds beside the vault itself. */
export interface BackupContent {
  /** The credentials, sealed as they are. */
  readonly credentials: Credentials;
  /** `node.key`, where the node has a key of its own. A secret. */
  readonly nodeKey?: string;
}

/** A backup whose content is sealed still. */
export interface SealedBackup {
  /** The vault. */
  readonly vault: VaultDocument;
  /** Opens what else there is. Rejects with `UNLOCK_FAILED`. */
  open(opened: OpenVault): Promise<BackupContent>;
}

/**
 * Makes a backup.
 *
 * @param vault The vault's file, sealed by a passphrase.
 */
export async function formatBackup(
  { vault: keys }: OpenVault,
  vault: VaultDocument,
  { credentials, nodeKey }: BackupContent,
): Promise<string> {
  const content = JSON.stringify({ credentials: JSON.parse(formatCredentials(credentials)), node_key: nodeKey });
  const sealed = await keys.sealBulk(new TextEncoder().encode(content));
  return JSON.stringify({ kind: KIND, version: VERSION, vault, content: sealed.toBase64() }, undefined, 2) + "\n";
}

/**
 * Reads a backup.
 *
 * @throws {AlknetError} `BACKUP_UNREADABLE`, `VAULT_FILE_INVALID`, `VAULT_FILE_NEWER`.
 */
export async function readBackup(path: string): Promise<SealedBackup> {
  const where = `backup ${path}`;
  const document = parse(await readText(path), where);
  if (document?.kind !== KIND) throw invalid(where, `its kind is not ${KIND}`);
  checkVersion(document, where, VERSION);
  const { vault, content } = document;
  const sealed = typeof content === "string" ? fromBase64(content) : undefined;
  if (!sealed) throw invalid(where, "content is not as it should be");
  const checked = readVaultDocument(vault, where);
  if (checked.sealed_by.kind !== "passphrase") throw invalid(where, "no passphrase seals it");
  return { vault: checked, open: (opened) => openContent(opened, sealed, where) };
}

async function openContent({ vault }: OpenVault, sealed: Uint8Array, where: string): Promise<BackupContent> {
  let content: { credentials: unknown; node_key?: string };
  try {
    const bytes = await vault.openBulk(sealed);
    content = JSON.parse(new TextDecoder().decode(bytes));
    bytes.fill(0);
  } catch (cause) {
    throw new AlknetError("UNLOCK_FAILED", `cannot open ${where}: the file is damaged. Nothing was changed`, { cause });
  }
  return { credentials: parseCredentials(JSON.stringify(content.credentials), where), nodeKey: content.node_key };
}

async function readText(path: string): Promise<string> {
  try {
    const { size } = await Deno.stat(path);
    if (size > MOST_BYTES) throw new Error(`it is ${size} bytes long, more than a backup ever is`);
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new AlknetError("BACKUP_UNREADABLE", `cannot read backup ${path}: ${reason(error)}`, { cause: error });
  }
}

function parse(text: string, where: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(where, text.trim() === "" ? "it is empty" : "it is not JSON, or was cut");
  }
}

function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return undefined;
  }
}
