/**
 * Extended keys in the form that wallets exchange, `xprv…` and `xpub…` (BIP-32, "Serialization format").
 *
 * ```text
 * version (4)  depth (1)  parent's fingerprint (4)  index (4)  chain code (32)  00 ‖ private key, or public key (33)
 * then the first 4 bytes of SHA-256(SHA-256(those 78)), and all 82 in base58
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { decodeBase58, encodeBase58 } from "./base58.ts";
import { deriveBip32, isScalar } from "./bip32.ts";
import { VaultError } from "../errors.ts";
import { KEY_LENGTH } from "./hmac.ts";
import { parsePath } from "./path.ts";
import { secp256k1PublicKey, uncompressedPoint } from "./public_key.ts";
import { redact, wipe } from "../secret_bytes.ts";

/** What is exchanged with an extended key. */
interface Fields {
  readonly depth: number;
  readonly parentFingerprint: Uint8Array;
  readonly index: number;
  readonly chainCode: Uint8Array;
  /** 32 bytes, or absent from a public one. */
  readonly privateKey?: Uint8Array;
  /** 33 bytes, compressed. */
  readonly publicKey: Uint8Array;
}

const VERSIONS = { private: 0x0488ade4, public: 0x0488b21e } as const;
const PAYLOAD_LENGTH = 78;
const CHECKSUM_LENGTH = 4;
const CHAIN_CODE_AT = 13;
const KEY_AT = 45;

/** An extended key of BIP-32, private or public. It prints as `[redacted]`. */
export class ExtendedKey implements Disposable {
  readonly #fields: Fields;

  private constructor(fields: Fields) {
    this.#fields = fields;
  }

  static {
    redact(this.prototype);
  }

  /**
   * The private extended key at a path (BIP-32, "Private parent key → private child key").
   *
   * @param seed 64 bytes, as BIP-39 makes it; BIP-32 takes 16 to 64.
   * @param path Such as `m/44'/60'/0'`.
   * @throws {VaultError} `INVALID_PATH`, naming the part.
   */
  static derive(seed: Uint8Array, path: string): ExtendedKey {
    const indices = parsePath(path);
    const node = deriveBip32(seed, indices);
    const privateKey = node.slice(0, KEY_LENGTH);
    const fields: Fields = {
      depth: indices.length,
      parentFingerprint: fingerprintOfParent(seed, indices),
      index: indices.at(-1) ?? 0,
      chainCode: node.slice(KEY_LENGTH),
      privateKey,
      publicKey: secp256k1PublicKey(privateKey),
    };
    wipe(node);
    return new ExtendedKey(fields);
  }

  /**
   * Reads an `xprv` or `xpub`.
   *
   * @throws {VaultError} `INVALID_EXTENDED_KEY`, saying which rule of BIP-32 it breaks, without quoting it.
   */
  static parse(text: string): ExtendedKey {
    const bytes = decodeBase58(text, PAYLOAD_LENGTH + CHECKSUM_LENGTH);
    if (!bytes) throw invalid(`it is not ${PAYLOAD_LENGTH + CHECKSUM_LENGTH} bytes of base58`);
    try {
      return new ExtendedKey(parseFields(bytes));
    } finally {
      wipe(bytes);
    }
  }

  /** Levels below the master key. */
  get depth(): number {
    return this.#fields.depth;
  }

  /** The last index of its path, 2³¹ added if it is hardened; 0 for a master key. */
  get index(): number {
    return this.#fields.index;
  }

  /** The first 4 bytes of the parent's identifier; zeros for a master key. */
  get parentFingerprint(): Uint8Array {
    return this.#fields.parentFingerprint.slice();
  }

  /** 32 bytes, its own. */
  get chainCode(): Uint8Array {
    return this.#fields.chainCode;
  }

  /** 32 bytes, its own; none in a public extended key. */
  get privateKey(): Uint8Array | undefined {
    return this.#fields.privateKey;
  }

  /** 33 bytes, compressed; a copy. */
  get publicKey(): Uint8Array {
    return this.#fields.publicKey.slice();
  }

  /**
   * `xprv…`. A secret.
   *
   * @throws {TypeError} It is a public extended key.
   */
  toPrivateText(): string {
    const { privateKey } = this.#fields;
    if (!privateKey) throw new TypeError("an xpub has no private key");
    return format(VERSIONS.private, this.#fields, Uint8Array.of(0, ...privateKey));
  }

  /** `xpub…`. Not for everyone: with it and one private child that is not hardened, the private parent can be found. */
  toPublicText(): string {
    return format(VERSIONS.public, this.#fields, this.#fields.publicKey);
  }

  /** Wipes private key and chain code. */
  [Symbol.dispose](): void {
    wipe(this.#fields.privateKey, this.#fields.chainCode);
  }
}

function fingerprintOfParent(seed: Uint8Array, indices: readonly number[]): Uint8Array {
  if (indices.length === 0) return new Uint8Array(4);
  const parent = deriveBip32(seed, indices.slice(0, -1));
  const identifier = createHash("sha256").update(secp256k1PublicKey(parent.subarray(0, KEY_LENGTH))).digest();
  wipe(parent);
  return new Uint8Array(createHash("ripemd160").update(identifier).digest().subarray(0, 4));
}

function parseFields(bytes: Uint8Array): Fields {
  const payload = bytes.subarray(0, PAYLOAD_LENGTH);
  const checksum = checksumOf(payload);
  if (checksum.some((byte, at) => byte !== bytes[PAYLOAD_LENGTH + at])) throw invalid("its checksum is wrong");
  const view = new DataView(payload.buffer, payload.byteOffset);
  const version = view.getUint32(0);
  const [depth, index] = [view.getUint8(4), view.getUint32(9)];
  const parentFingerprint = payload.slice(5, 9);
  if (version !== VERSIONS.private && version !== VERSIONS.public) throw invalid("it begins neither xprv nor xpub");
  if (depth === 0 && (index !== 0 || parentFingerprint.some((byte) => byte !== 0))) {
    throw invalid("a master key has neither a parent nor an index");
  }
  const key = payload.slice(KEY_AT);
  const fields = { depth, parentFingerprint, index, chainCode: payload.slice(CHAIN_CODE_AT, KEY_AT) };
  if (version === VERSIONS.public) return { ...fields, publicKey: checkedPoint(key) };
  const privateKey = key.subarray(1);
  if (key[0] !== 0 || !isScalar(privateKey)) throw invalid("it holds no private key of secp256k1");
  return { ...fields, privateKey, publicKey: secp256k1PublicKey(privateKey) };
}

function checkedPoint(key: Uint8Array): Uint8Array {
  try {
    if (key[0] === 2 || key[0] === 3) uncompressedPoint(key);
    else throw new RangeError("not compressed");
  } catch {
    throw invalid("it holds no public key of secp256k1");
  }
  return key;
}

function format(version: number, fields: Fields, key: Uint8Array): string {
  const bytes = new Uint8Array(PAYLOAD_LENGTH + CHECKSUM_LENGTH);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, version);
  view.setUint8(4, fields.depth);
  bytes.set(fields.parentFingerprint, 5);
  view.setUint32(9, fields.index);
  bytes.set(fields.chainCode, CHAIN_CODE_AT);
  bytes.set(key, KEY_AT);
  bytes.set(checksumOf(bytes.subarray(0, PAYLOAD_LENGTH)), PAYLOAD_LENGTH);
  const text = encodeBase58(bytes);
  wipe(bytes);
  if (version === VERSIONS.private) wipe(key);
  return text;
}

function checksumOf(payload: Uint8Array): Uint8Array {
  const once = createHash("sha256").update(payload).digest();
  return new Uint8Array(createHash("sha256").update(once).digest().subarray(0, CHECKSUM_LENGTH));
}

function invalid(why: string): VaultError {
  return new VaultError("INVALID_EXTENDED_KEY", `not an extended key of BIP-32: ${why}`);
}
