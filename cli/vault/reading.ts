/**
 * Reading the vault's file, when nobody writes and no change is half made. Opens nothing, and so loads no cryptography.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { readPrivateFile } from "@alknet/core/private-file";
import type { Home } from "../home/home.ts";
import { isUnfinished, recover } from "../home/transaction.ts";
import { turnToRead, turnToWrite } from "../home/turns.ts";
import { parseVaultFile, type VaultDocument } from "./vault_file.ts";

/**
 * The file of the vault, as it is.
 *
 * @returns Nothing when there is no vault.
 * @throws {AlknetError} `VAULT_FILE_PERMISSIONS`, with the command that mends it; `VAULT_FILE_UNREADABLE`,
 * `VAULT_FILE_INVALID`, `VAULT_FILE_NEWER`.
 */
export async function readVaultFile(home: Home): Promise<VaultDocument | undefined> {
  using _turn = await settled(home.folder);
  return await readUnsettled(home);
}

/**
 * The file of the vault.
 *
 * @throws {AlknetError} `NO_VAULT`, and what {@linkcode readVaultFile} throws.
 */
export async function requireVaultFile(home: Home): Promise<VaultDocument> {
  const document = await readVaultFile(home);
  if (document) return document;
  throw noVault(home);
}

/** Waits until nobody writes and every change that was made is finished, and keeps it so. */
export async function settled(folder: string): Promise<Disposable> {
  for (;;) {
    const turn = await turnToRead(folder);
    if (!await isUnfinished(folder)) return turn;
    turn[Symbol.dispose]();
    using _turn = await turnToWrite(folder);
    await recover(folder);
  }
}

/** The file of the vault, for a caller who has a turn. See {@linkcode readVaultFile}. */
export async function readUnsettled(home: Home): Promise<VaultDocument | undefined> {
  try {
    return parseVaultFile(
      await readPrivateFile(home.vaultFile, "vault", { code: "VAULT_FILE" }),
      `vault ${home.vaultFile}`,
    );
  } catch (error) {
    if (error instanceof AlknetError && error.code === "VAULT_FILE_NOT_FOUND") return undefined;
    throw error;
  }
}

/** There is no vault: `NO_VAULT`. */
export function noVault(home: Home): AlknetError {
  return new AlknetError("NO_VAULT", `no vault in ${home.folder}; make one with: alknet init`);
}
