/**
 * The key of this node, for commands that dial as it.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { fileKeyStore, type KeyStore, nodeIdOf, type NodeKey } from "@alknet/core/identity";
import type { Home } from "./home.ts";

/** Where the node's key is kept. */
export function keyStore(home: Home): KeyStore {
  return fileKeyStore(home.keyFile);
}

/**
 * The node's key, or nothing when no node was made here.
 *
 * @throws {AlknetError} There is one, and it cannot be used.
 */
export async function loadNodeKey(home: Home): Promise<NodeKey | undefined> {
  try {
    return await keyStore(home).load();
  } catch (error) {
    if (error instanceof AlknetError && error.code === "KEY_FILE_NOT_FOUND") return undefined;
    throw error;
  }
}

/**
 * The node's key.
 *
 * @throws {AlknetError} `NO_NODE` when no node was made here; otherwise see {@linkcode loadNodeKey}.
 */
export async function requireNodeKey(home: Home): Promise<NodeKey> {
  const key = await loadNodeKey(home);
  if (key) return key;
  throw new AlknetError("NO_NODE", `no node in ${home.folder}; make one with: alknet init`);
}

/** The id of the node with this fingerprint; nothing when it is not that of a node. */
export function nodeIdOfFingerprint(fingerprint: string): string | undefined {
  const hex = /^ed25519:([0-9a-f]{64})$/.exec(fingerprint)?.[1];
  return hex === undefined ? undefined : nodeIdOf(Uint8Array.fromHex(hex));
}
