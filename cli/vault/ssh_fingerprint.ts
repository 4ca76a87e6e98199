/**
 * Fingerprints of SSH keys, as `ssh-keygen -l` prints them.
 *
 * @module
 */
import { createHash } from "node:crypto";

const NAME = new TextEncoder().encode("ssh-ed25519");

/**
 * `SHA256:` and the hash of the key's blob in base64 without padding.
 *
 * @param publicKey Ed25519, 32 bytes. The blob is `string "ssh-ed25519", string key` (RFC 8709 §4, RFC 4253 §6.6).
 */
export function sshFingerprint(publicKey: Uint8Array): string {
  const hash = createHash("sha256");
  for (const part of [NAME, publicKey]) hash.update(length(part)).update(part);
  return `SHA256:${hash.digest("base64").replace(/=+$/, "")}`;
}

function length(part: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, part.byteLength);
  return bytes;
}
