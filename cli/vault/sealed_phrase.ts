/**
 * The phrase, sealed for the disk and opened again.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { type Argon2Cost, DEFAULT_COST, SALT_LENGTH, stretch } from "./argon2.ts";
import type { SealedBy, VaultDocument, VaultHeader } from "./vault_file.ts";

/** Bytes of the key in `vault.key`. */
export const KEY_LENGTH = 32;
const NONCE_LENGTH = 24;

/** What opens a vault: something a person knows, or a key in a file. */
export type Secret =
  | { readonly kind: "passphrase"; readonly passphrase: string }
  | { readonly kind: "key"; readonly key: Uint8Array };

/** How the work goes, from 0 to 1. */
export type OnProgress = (part: number) => void;

/** Options of {@linkcode sealEntropy}. */
export interface SealOptions {
  /** What a guess of the passphrase costs. Default {@linkcode DEFAULT_COST}. */
  readonly cost?: Argon2Cost;
  /** Told how far the passphrase is stretched. */
  readonly onProgress?: OnProgress;
}

/** Public keys of a vault, as they stand in its file. */
export type PublicPart = Pick<VaultHeader, "node" | "ssh_host">;

/** Seals the entropy of a phrase, 16 to 32 bytes. */
export async function sealEntropy(
  entropy: Uint8Array,
  secret: Secret,
  { node, ssh_host }: PublicPart,
  { cost = DEFAULT_COST, onProgress }: SealOptions = {},
): Promise<VaultDocument> {
  const sealed_by: SealedBy = secret.kind === "key" ? { kind: "key" } : {
    kind: "passphrase",
    kdf: "argon2id",
    memory_kib: cost.memoryKib,
    passes: cost.passes,
    lanes: cost.lanes,
    salt: crypto.getRandomValues(new Uint8Array(SALT_LENGTH)).toBase64(),
  };
  const header: VaultHeader = { version: 1, node, ssh_host, sealed_by, cipher: "xchacha20-poly1305" };
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_LENGTH));
  const key = await keyOf(header, secret, onProgress);
  try {
    const data = xchacha20poly1305(key, nonce, authenticated(header)).encrypt(entropy);
    return { ...header, nonce: nonce.toBase64(), data: data.toBase64() };
  } finally {
    key.fill(0);
  }
}

/**
 * Opens it. The caller wipes the entropy.
 *
 * @param where What is opened, for messages.
 * @throws {AlknetError} `UNLOCK_FAILED`, whether the secret is wrong or the file damaged: which of them is not said.
 */
export async function openEntropy(
  document: VaultDocument,
  secret: Secret,
  where: string,
  onProgress?: OnProgress,
): Promise<Uint8Array> {
  const { nonce, data, ...header } = document;
  mustFit(header, secret);
  let key: Uint8Array | undefined;
  try {
    key = await keyOf(header, secret, onProgress);
    return xchacha20poly1305(key, Uint8Array.fromBase64(nonce), authenticated(header)).decrypt(
      Uint8Array.fromBase64(data),
    );
  } catch {
    const wrong = secret.kind === "passphrase" ? "the passphrase is wrong" : "vault.key is not its key";
    throw new AlknetError("UNLOCK_FAILED", `cannot open ${where}: ${wrong}, or the file is damaged`);
  } finally {
    key?.fill(0);
  }
}

/** The key of a secret: a copy, which its user wipes. */
async function keyOf({ sealed_by }: VaultHeader, secret: Secret, onProgress?: OnProgress): Promise<Uint8Array> {
  if (secret.kind === "key") return new Uint8Array(secret.key);
  const { salt, memory_kib, passes, lanes } = sealed_by as Extract<SealedBy, { kind: "passphrase" }>;
  return await stretch(
    secret.passphrase,
    Uint8Array.fromBase64(salt),
    { memoryKib: memory_kib, passes, lanes },
    onProgress,
  );
}

function mustFit({ sealed_by }: VaultHeader, { kind }: Secret): void {
  if (kind !== sealed_by.kind) throw new TypeError(`a ${kind} does not open what a ${sealed_by.kind} sealed`);
}

/** The header as bytes, in an order of its own: that of the file may be changed by an editor. */
function authenticated({ version, node, ssh_host, sealed_by, cipher }: VaultHeader): Uint8Array {
  const sealing = sealed_by.kind === "key"
    ? ["key"]
    : ["passphrase", sealed_by.kdf, sealed_by.memory_kib, sealed_by.passes, sealed_by.lanes, sealed_by.salt];
  return new TextEncoder().encode(JSON.stringify([version, node, ssh_host, sealing, cipher]));
}
