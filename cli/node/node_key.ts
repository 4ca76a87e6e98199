/**
 * Who the node of a home folder is. Its key is the one in `node.key`, where there is such a file, else that of the vault.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { fileKeyStore, type KeyStore, nodeIdOf, NodeKey } from "@alknet/core/identity";
import { exists, type Home } from "../home/home.ts";
import { readVaultFile, settled } from "../vault/reading.ts";
import type { Secret } from "../vault/sealed_phrase.ts";
import type { UnlockOptions } from "../vault/secrets.ts";
import { sshFingerprint } from "../vault/ssh_fingerprint.ts";

/** What everyone may know of a node. */
export interface PublicIdentity {
  /** z-base-32 of the public key. */
  readonly nodeId: string;
  /** `ed25519:<64 hex>`. */
  readonly fingerprint: string;
  /** Of the SSH host key, `SHA256:…` as `ssh-keygen -l` prints it; nothing without a vault. */
  readonly sshHostKey?: string;
  /** Where the key is. */
  readonly keptIn: "vault" | "file";
}

/** Makes a node in a home folder, sealed by a secret. */
export type NodeMaker = (home: Home, secret: Secret) => Promise<void>;

/**
 * Where the node's key is kept.
 *
 * @param unlock How the vault is opened, where it is the vault.
 * @param make Makes a node, where the store is told to create a key and there is none.
 */
export async function keyStore(home: Home, unlock: UnlockOptions, make: NodeMaker): Promise<KeyStore> {
  // A change that was made and not finished may be about to move the file aside.
  using _turn = await settled(home.folder);
  return await exists(home.keyFile) ? fileKeyStore(home.keyFile) : vaultKeyStore(home, unlock, make);
}

/**
 * The node's key, or nothing when no node was made here.
 *
 * @throws {AlknetError} There is one, and it cannot be used.
 */
export async function loadNodeKey(home: Home, unlock: UnlockOptions = {}): Promise<NodeKey | undefined> {
  try {
    return await (await keyStore(home, unlock, makesNone)).load();
  } catch (error) {
    if (error instanceof AlknetError && error.code === "KEY_FILE_NOT_FOUND") return undefined;
    throw error;
  }
}

/**
 * What everyone may know of the node; its vault is not opened for it.
 *
 * @throws {AlknetError} `NO_NODE` when no node was made here; otherwise there is one that cannot be used.
 */
export async function publicIdentity(home: Home): Promise<PublicIdentity> {
  const vault = await readVaultFile(home);
  const sshHostKey = vault && sshFingerprint(publicKeyOf(vault.ssh_host));
  if (await exists(home.keyFile)) {
    using key = await fileKeyStore(home.keyFile).load();
    return { nodeId: key.id, fingerprint: key.fingerprint, sshHostKey, keptIn: "file" };
  }
  if (!vault) throw new AlknetError("NO_NODE", `no node in ${home.folder}; make one with: alknet init`);
  return { nodeId: nodeIdOf(publicKeyOf(vault.node)), fingerprint: vault.node, sshHostKey, keptIn: "vault" };
}

/** The id of the node with this fingerprint; nothing when it is not that of a node. */
export function nodeIdOfFingerprint(fingerprint: string): string | undefined {
  const hex = /^ed25519:([0-9a-f]{64})$/.exec(fingerprint)?.[1];
  return hex === undefined ? undefined : nodeIdOf(Uint8Array.fromHex(hex));
}

/** The node's key in the vault. What is made there is a vault that opens unattended, unless a passphrase file seals it. */
function vaultKeyStore(home: Home, unlock: UnlockOptions, make: NodeMaker): KeyStore {
  return {
    location: home.vaultFile,
    async load() {
      const { openVault } = await import("../vault/vault_folder.ts");
      if (!await readVaultFile(home)) {
        throw new AlknetError("KEY_FILE_NOT_FOUND", `vault ${home.vaultFile} does not exist`);
      }
      using open = await openVault(home, unlock);
      using derived = open.vault.nodeKey();
      return NodeKey.fromSeed(derived.privateKey);
    },
    async create(key) {
      if (key) throw new TypeError("a vault derives its node's key; it takes none from outside");
      const { newSecret } = await import("../vault/secrets.ts");
      try {
        await make(home, await newSecret({ ...unlock, noPassphrase: unlock.passphraseFile === undefined }));
      } catch (error) {
        if (!(error instanceof AlknetError) || error.code !== "VAULT_EXISTS") throw error;
        throw new AlknetError("KEY_FILE_EXISTS", error.message, { cause: error });
      }
      return await this.load();
    },
  };
}

function makesNone(home: Home): Promise<void> {
  return Promise.reject(new AlknetError("NO_NODE", `no node in ${home.folder}; make one with: alknet init`));
}

function publicKeyOf(fingerprint: string): Uint8Array {
  return Uint8Array.fromHex(fingerprint.slice("ed25519:".length));
}
