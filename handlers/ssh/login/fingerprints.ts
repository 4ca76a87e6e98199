/**
 * How SSH keys are named: as people read them, and as a configuration knows them. Loads nothing else of SSH.
 *
 * @module
 */
import { createHash } from "node:crypto";

const ED25519 = "ssh-ed25519";
/** Bytes of an Ed25519 key blob before the key (RFC 8709 §4). */
const ED25519_KEY_AT = 4 + ED25519.length + 4;
const ED25519_KEY_LENGTH = 32;

/** The fingerprint of a key's blob (RFC 4253 §6.6) as `ssh-keygen -l` prints it. */
export function sshFingerprint(blob: Uint8Array): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/**
 * The fingerprints by which a configuration may know a key, the first the one to write: that of a node certificate with
 * the same key, and the hash of the key's blob, in hex as all hashes there.
 */
export function fingerprintsOf(blob: Uint8Array): string[] {
  const hash = `SHA256:${createHash("sha256").update(blob).digest("hex")}`;
  const isEd25519 = new TextDecoder("latin1").decode(blob.subarray(4, 4 + ED25519.length)) === ED25519;
  if (!isEd25519 || blob.byteLength !== ED25519_KEY_AT + ED25519_KEY_LENGTH) return [hash];
  return [`ed25519:${new Uint8Array(blob.subarray(ED25519_KEY_AT)).toHex()}`, hash];
}

/**
 * The blob of a public key as `ssh-keygen` writes it: `ssh-ed25519 AAAA… comment`.
 *
 * @throws {RangeError} It is none.
 */
export function publicKeyBlob(line: string): Uint8Array<ArrayBuffer> {
  const [type, text = ""] = line.trim().split(/\s+/);
  let blob: Uint8Array<ArrayBuffer>;
  try {
    blob = Uint8Array.fromBase64(text);
  } catch {
    throw new RangeError(`${JSON.stringify(type)} is not followed by a key in base64`);
  }
  const length = blob.byteLength < 4 ? 0 : new DataView(blob.buffer).getUint32(0);
  if (new TextDecoder("latin1").decode(blob.subarray(4, 4 + length)) !== type) {
    throw new RangeError(`the key does not say that it is ${JSON.stringify(type)}; it was cut or mistyped`);
  }
  return blob;
}
