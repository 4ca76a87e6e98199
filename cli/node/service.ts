/**
 * What a configuration says of a service behind a store: secrets that are in the vault, or in a file that nobody else may read,
 * never in the configuration nor in the environment; and certificates.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { readPrivateFile, reason } from "@alknet/core/private-file";
import { dirname, resolve } from "node:path";
import { exists, type Home } from "../home/home.ts";

/** Bytes of a file of certificates. */
const MOST_CA = 1024 * 1024;

/** Where in the configuration it is. */
export type Service = `handlers.fs.${"bucket" | "postgres"}`;

/** Whose configuration it is. */
export interface ServicePlace {
  /** Relative paths are resolved against its folder. */
  readonly configFile: string;
  /** Has the vault. */
  readonly home: Home;
  /** File with the passphrase of the vault. */
  readonly passphraseFile?: string;
}

/**
 * The secret of a service: of its name in the vault, or its file.
 *
 * @throws {AlknetError} `VAULT_LOCKED`, `CREDENTIAL_NOT_FOUND`, `CREDENTIAL_FILE`.
 */
export async function secretOf(
  { credential, file }: { readonly credential?: string; readonly file?: string },
  service: Service,
  place: ServicePlace,
): Promise<string> {
  if (file !== undefined) {
    return await readPrivateFile(pathOf(file, place), "credential file", { code: "CREDENTIAL_FILE" });
  }
  const { home, passphraseFile } = place;
  // Nobody may be there to be asked.
  if (passphraseFile === undefined && !await exists(home.vaultKeyFile)) {
    throw new AlknetError(
      "VAULT_LOCKED",
      `${credential} of ${service} is in a vault with a passphrase; give --passphrase-file FILE to alknet serve, ` +
        "or name a credential_file",
    );
  }
  const { openVault, settledCredentials } = await import("../vault/vault_folder.ts");
  const { credentialOf, opening } = await import("../vault/credentials.ts");
  const sealed = credentialOf(await settledCredentials(home), credential!);
  using open = await openVault(home, { passphraseFile });
  return await opening(credential!, () => open.vault.open(sealed));
}

/**
 * Certificates of a file.
 *
 * @throws {AlknetError} `INVALID_CONFIG`: there are none.
 */
export async function certificatesOf(file: string, service: Service, place: ServicePlace): Promise<string> {
  const path = pathOf(file, place);
  try {
    const { size } = await Deno.stat(path);
    if (size > MOST_CA) throw new Error(`it has ${size} bytes, more than certificates ever have`);
    const text = await Deno.readTextFile(path);
    if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
    throw new Error("it holds no certificate in PEM");
  } catch (cause) {
    throw wrong(service, place, `ca_file: cannot read ${path}: ${reason(cause)}`, cause);
  }
}

/** `INVALID_CONFIG`: something in what is said of a service is wrong. */
export function wrong(service: Service, { configFile }: ServicePlace, why: string, cause?: unknown): AlknetError {
  return new AlknetError("INVALID_CONFIG", `config ${configFile}: ${service}.${why}`, { cause });
}

function pathOf(path: string, { configFile }: ServicePlace): string {
  return resolve(dirname(configFile), path);
}
