/**
 * `vault.json`: the phrase's entropy, sealed with XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) under the key of a
 * passphrase or the key of `vault.key`. What stands in clear is authenticated with it.
 *
 * ```json
 * {
 *   "version": 1,
 *   "node": "ed25519:<64 hex>",
 *   "ssh_host": "ed25519:<64 hex>",
 *   "sealed_by": { "kind": "passphrase", "kdf": "argon2id", "memory_kib": 65536, "passes": 3, "lanes": 1, "salt": "…" },
 *   "cipher": "xchacha20-poly1305",
 *   "nonce": "<base64, 24 bytes>",
 *   "data": "<base64, ciphertext then 16-byte tag>"
 * }
 * ```
 *
 * With `vault.key`, `sealed_by` is `{ "kind": "key" }`. `node` and `ssh_host` are public keys, so that who a node is can
 * be said without opening its vault.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import Type, { type Static } from "typebox";
import { Value } from "typebox/value";
import { HIGHEST_COST } from "./argon2.ts";

const closed = { additionalProperties: false };
const publicKey = Type.String({ pattern: "^ed25519:[0-9a-f]{64}$" });

const sealedByPassphrase = Type.Object({
  kind: Type.Literal("passphrase"),
  kdf: Type.Literal("argon2id"),
  memory_kib: Type.Integer({ minimum: 8, maximum: HIGHEST_COST.memoryKib }),
  passes: Type.Integer({ minimum: 1, maximum: HIGHEST_COST.passes }),
  lanes: Type.Integer({ minimum: 1, maximum: HIGHEST_COST.lanes }),
  salt: Type.String(),
}, closed);
const sealedByKey = Type.Object({ kind: Type.Literal("key") }, closed);

const vaultFile = Type.Object({
  version: Type.Literal(1),
  node: publicKey,
  ssh_host: publicKey,
  sealed_by: Type.Union([sealedByPassphrase, sealedByKey]),
  cipher: Type.Literal("xchacha20-poly1305"),
  nonce: Type.String(),
  data: Type.String(),
}, closed);

/** The version that this program writes, and the newest that it reads. */
const VERSION = 1;

/** What `vault.json` holds. */
export type VaultDocument = Static<typeof vaultFile>;
/** By what the phrase is sealed. */
export type SealedBy = VaultDocument["sealed_by"];
/** What of it stands in clear and is authenticated. */
export type VaultHeader = Omit<VaultDocument, "nonce" | "data">;

/** The content of a file. */
export function formatVaultFile(document: VaultDocument): string {
  return JSON.stringify(document, undefined, 2) + "\n";
}

/**
 * Reads the content of a file.
 *
 * @param where What it is, for messages: `vault /home/…/vault.json`.
 * @throws {AlknetError} `VAULT_FILE_INVALID`; `VAULT_FILE_NEWER` when a newer version wrote it. Neither says what is in it.
 */
export function parseVaultFile(text: string, where: string): VaultDocument {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw invalid(where, text.trim() === "" ? "it is empty" : "it is not JSON, or was cut");
  }
  return readVaultDocument(document, where);
}

/** The same for what was parsed already. */
export function readVaultDocument(document: unknown, where: string): VaultDocument {
  checkVersion(document, where, VERSION);
  if (Value.Check(vaultFile, document)) return document;
  // A union has an error for each of its members; the deepest place says most.
  const places = Value.Errors(vaultFile, document).map(({ instancePath }) => instancePath);
  const place = places.sort((a, b) => b.length - a.length)[0];
  throw invalid(where, place ? `${place.slice(1).replaceAll("/", ".")} is not as it should be` : "fields are wrong");
}

/**
 * Looks whether this program knows the version of a file.
 *
 * @throws {AlknetError} `VAULT_FILE_INVALID`, `VAULT_FILE_NEWER`.
 */
export function checkVersion(document: unknown, where: string, newest: number): void {
  const version = (document as { version?: unknown } | null)?.version;
  if (typeof version !== "number" || !Number.isInteger(version) || version < 1) {
    throw invalid(where, "it has no version");
  }
  if (version <= newest) return;
  throw new AlknetError(
    "VAULT_FILE_NEWER",
    `${where} has version ${version}, which a newer alknet wrote; this one reads versions up to ${newest}. Nothing was ` +
      "changed; use the newer one",
  );
}

/** The refusal of a file that is not what it should be. */
export function invalid(where: string, why: string): AlknetError {
  return new AlknetError("VAULT_FILE_INVALID", `${where} is not one that alknet wrote: ${why}. Nothing was changed`);
}
