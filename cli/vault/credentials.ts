/**
 * `credentials.json`: names to sealed data.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { readPrivateFile, reason } from "@alknet/core/private-file";
import { CURRENT_KEY_VERSION, parseSealedData, type SealedData, type Vault, VaultError } from "@alknet/vault";
import { checkName } from "./names.ts";

/** Sealed credentials by name. */
export type Credentials = ReadonlyMap<string, SealedData>;

/** Most bytes of a file of credentials: thousands of tokens. */
export const MOST_CREDENTIALS_BYTES = 64 * 1024 * 1024;
/** Most bytes of one credential: a chain of certificates fits many times. */
export const MOST_VALUE_BYTES = 1024 * 1024;

/**
 * The credentials of a file; none where there is no file.
 *
 * @throws {AlknetError} `CREDENTIALS_INVALID`, naming the one that is not as it should be; `CREDENTIALS_PERMISSIONS`,
 * `CREDENTIALS_UNREADABLE`.
 */
export async function readCredentials(path: string): Promise<Credentials> {
  const options = { code: "CREDENTIALS", maxSize: MOST_CREDENTIALS_BYTES };
  try {
    return parseCredentials(await readPrivateFile(path, "credentials file", options), `credentials file ${path}`);
  } catch (error) {
    if (error instanceof AlknetError && error.code === "CREDENTIALS_NOT_FOUND") return new Map();
    throw error;
  }
}

/** Reads the content of a file. */
export function parseCredentials(text: string, where: string): Credentials {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw invalid(where, text.trim() === "" ? "it is empty" : "it is not JSON, or was cut");
  }
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw invalid(where, "it must be an object of names and sealed data");
  }
  return new Map(
    Object.entries(document).map(([name, sealed]) => {
      try {
        checkName(name);
        return [name, parseSealedData(sealed)];
      } catch (error) {
        if (error instanceof AlknetError) throw invalid(where, error.message);
        if (error instanceof VaultError) throw invalid(where, `${name}: ${error.message}`);
        throw error;
      }
    }),
  );
}

/** The content of a file, names in order. */
export function formatCredentials(credentials: Credentials): string {
  const sorted = [...credentials].sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
  return JSON.stringify(Object.fromEntries(sorted), undefined, 2) + "\n";
}

/** The newest version among the sealing keys in use: what is sealed now is sealed by it. */
export function newestVersion(credentials: Credentials): number {
  let newest: number = CURRENT_KEY_VERSION;
  for (const { key_version } of credentials.values()) newest = Math.max(newest, key_version);
  return newest;
}

/**
 * The credential of a name.
 *
 * @throws {AlknetError} `NO_SUCH_CREDENTIAL`.
 */
export function credentialOf(credentials: Credentials, name: string): SealedData {
  const sealed = credentials.get(name);
  if (sealed) return sealed;
  throw new AlknetError("NO_SUCH_CREDENTIAL", `no credential is named ${JSON.stringify(name)}; see: alknet vault list`);
}

/**
 * Refuses names that are taken.
 *
 * @throws {AlknetError} `CREDENTIAL_EXISTS`.
 */
export function refuseTaken(credentials: Credentials, names: readonly string[]): void {
  const taken = names.find((name) => credentials.has(name));
  if (taken === undefined) return;
  throw new AlknetError(
    "CREDENTIAL_EXISTS",
    `a credential is named ${JSON.stringify(taken)} already; nothing was changed. Take another name, or give --replace`,
  );
}

/** Every credential, sealed again by another key version. */
export function rotated(credentials: Credentials, vault: Vault, version: number): Credentials {
  return new Map([...credentials].map(([name, sealed]) => [name, opening(name, () => vault.rotate(sealed, version))]));
}

/**
 * Opens a credential, and says which it was when it cannot be opened.
 *
 * @throws {AlknetError} `DECRYPTION_FAILED`, `INVALID_PATH` for a key version that is none.
 */
export function opening<T>(name: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    const why = error.code === "DECRYPTION_FAILED" ? "it was altered, or another vault sealed it" : error.message;
    throw new AlknetError(error.code, `cannot open the credential ${JSON.stringify(name)}: ${why}`, { cause: error });
  }
}

/**
 * Credentials in a file from elsewhere.
 *
 * @throws {AlknetError} `FILE_UNREADABLE`, `CREDENTIALS_INVALID`.
 */
export async function readForeignCredentials(path: string): Promise<Credentials> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    throw new AlknetError("FILE_UNREADABLE", `cannot read ${path}: ${reason(error)}`, { cause: error });
  }
  return parseCredentials(text, path);
}

function invalid(where: string, why: string): AlknetError {
  return new AlknetError("CREDENTIALS_INVALID", `${where} is not one that alknet wrote: ${why}. Nothing was changed`);
}
