/**
 * Derivation paths (BIP-32, BIP-44): `m/74'/0'/0'/0'`.
 *
 * @module
 */
import { VaultError } from "../errors.ts";

/** The bit of an index that hardens it (BIP-32, "Extended keys"). */
export const HARDENED = 0x8000_0000;

/** Levels below the master key that an extended key can count in its one byte of depth (BIP-32, "Serialization format"). */
export const MOST_LEVELS = 255;

/** The version of the sealing key that seals unless another is named. */
export const CURRENT_KEY_VERSION = 2;

/** The last version that an index below 2³¹ can name. */
export const LAST_KEY_VERSION: number = CURRENT_KEY_VERSION + HARDENED - 1;

/** The paths in use. Purpose `74'` is ours. */
export const ALKNET_PATHS: AlknetPaths = Object.freeze({
  node: "m/74'/0'/0'/0'",
  device: (device: number): string => `m/74'/0'/0'/${indexOf(device, "device")}'`,
  sshHost: "m/74'/0'/1'/0'",
  sealing: (version: number): string => {
    // Version 1 belongs to an older, password-based scheme; another key in its place would be a silent mistake.
    if (!Number.isInteger(version) || version < CURRENT_KEY_VERSION || version > LAST_KEY_VERSION) {
      throw invalid(
        `sealing key version ${describe(version)} cannot be derived: versions are whole numbers from ` +
          `${CURRENT_KEY_VERSION} to ${LAST_KEY_VERSION}`,
      );
    }
    return `m/74'/2'/0'/${version - CURRENT_KEY_VERSION}'`;
  },
  message: (device: number): string => `m/74'/3'/0'/${indexOf(device, "device")}'`,
  messageStore: (device: number): string => `m/74'/3'/1'/${indexOf(device, "device")}'`,
  ethereum: "m/44'/60'/0'/0/0",
});

/** Shape of {@linkcode ALKNET_PATHS}. */
export interface AlknetPaths {
  /** Node identity, Ed25519. */
  readonly node: string;
  /** Identity of device or worker `n`, Ed25519; 0 is the node. */
  readonly device: (device: number) => string;
  /** SSH host key, Ed25519. */
  readonly sshHost: string;
  /** AES-256-GCM sealing key of a version, from 2. */
  readonly sealing: (version: number) => string;
  /** Message key of device `n`, X25519. */
  readonly message: (device: number) => string;
  /** What seals the message store of device `n`: 32 bytes. */
  readonly messageStore: (device: number) => string;
  /** Ethereum signing key, secp256k1. */
  readonly ethereum: string;
}

/**
 * The indices of a path, {@linkcode HARDENED} added to those that `'`, `h` or `H` hardens. The master key `m` has none.
 *
 * @throws {VaultError} `INVALID_PATH`, naming the part.
 */
export function parsePath(path: string): number[] {
  if (typeof path !== "string") throw new TypeError(`a path is a string, not ${typeof path}`);
  const [master, ...levels] = path.split("/");
  if (master !== "m") throw invalid(`path ${quote(path)} does not begin with m: write a path such as m/74'/0'/0'/0'`);
  if (levels.length > MOST_LEVELS) {
    throw invalid(`the path has ${levels.length} levels: at most ${MOST_LEVELS} can be derived`);
  }
  return levels.map((level, position) => parseLevel(level, position + 1));
}

/** The path of indices, hardened ones marked with `'`. */
export function formatPath(indices: readonly number[]): string {
  return ["m", ...indices.map((index) => index >= HARDENED ? `${index - HARDENED}'` : `${index}`)].join("/");
}

function parseLevel(level: string, position: number): number {
  // One spelling for one key: no sign, no leading zero, one mark.
  const found = /^(0|[1-9][0-9]{0,9})(['hH]?)$/.exec(level);
  if (!found) {
    throw invalid(
      `level ${position} of the path is ${
        quote(level)
      }: an index is a number without leading zeros, hardened by one ' after it`,
    );
  }
  const index = Number(found[1]);
  if (index >= HARDENED) {
    throw invalid(`level ${position} of the path is ${quote(level)}: an index is below ${HARDENED}`);
  }
  return found[2] ? index + HARDENED : index;
}

function indexOf(value: number, name: string): number {
  if (Number.isInteger(value) && value >= 0 && value < HARDENED) return value;
  throw invalid(`${name} ${describe(value)} cannot be derived: it is a whole number from 0 to ${HARDENED - 1}`);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

function describe(value: unknown): string {
  return typeof value === "number" ? String(value) : `of type ${typeof value}`;
}

function invalid(message: string): VaultError {
  return new VaultError("INVALID_PATH", message);
}
