/**
 * Where the node's key is kept. A file is one such place; a vault is another.
 *
 * @module
 */
import { AlknetError } from "../errors.ts";
import { NodeKey } from "./node_key.ts";
import { createPrivateFile, readPrivateFile, reason } from "./private_file.ts";

/** Keeps the key of one node. */
export interface KeyStore {
  /** For people: where the key is, such as the path of its file. */
  readonly location: string;
  /**
   * The key that is kept.
   *
   * @throws {AlknetError} `KEY_FILE_NOT_FOUND` when there is none; other codes when there is one that cannot be used.
   */
  load(): Promise<NodeKey>;
  /**
   * Keeps a key, and returns it. Never replaces one.
   *
   * @param key Default: a new random one.
   * @throws {AlknetError} `KEY_FILE_EXISTS` when there is one already.
   */
  create(key?: NodeKey): Promise<NodeKey>;
}

/**
 * A key in a PEM file that only its owner may read. It is written whole or not at all.
 *
 * Errors name the file: `KEY_FILE_NOT_FOUND`, `KEY_FILE_PERMISSIONS` (with the command that mends it),
 * `KEY_FILE_UNREADABLE`, `KEY_FILE_INVALID` (no PEM, another algorithm, encrypted), `KEY_FILE_EXISTS`,
 * `KEY_FILE_WRITE`.
 */
export function fileKeyStore(path: string): KeyStore {
  return { location: path, load: () => load(path), create: (key) => create(path, key ?? NodeKey.generate()) };
}

/** The key that a store keeps, or a new one if it keeps none. */
export async function loadOrCreateKey(store: KeyStore): Promise<NodeKey> {
  try {
    return await store.load();
  } catch (error) {
    if (!(error instanceof AlknetError) || error.code !== "KEY_FILE_NOT_FOUND") throw error;
  }
  try {
    return await store.create();
  } catch (error) {
    // Another process was first; both use what it kept.
    if (error instanceof AlknetError && error.code === "KEY_FILE_EXISTS") return await store.load();
    throw error;
  }
}

async function load(path: string): Promise<NodeKey> {
  const text = await readPrivateFile(path, "key file");
  try {
    return NodeKey.fromPem(text);
  } catch (error) {
    throw new AlknetError("KEY_FILE_INVALID", `key file ${path}: ${reason(error)}`, { cause: error });
  }
}

async function create(path: string, key: NodeKey): Promise<NodeKey> {
  try {
    await createPrivateFile(path, key.toPem());
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw new AlknetError("KEY_FILE_EXISTS", `key file ${path} exists; it is left as it is`, { cause: error });
    }
    throw new AlknetError("KEY_FILE_WRITE", `cannot write key file ${path}: ${reason(error)}`, { cause: error });
  }
  return key;
}
