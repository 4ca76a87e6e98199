/**
 * Signatures by SSH keys (OpenSSH, PROTOCOL.sshsig), as `git` makes them with `gpg.format=ssh`.
 *
 * ```text
 * 53 53 48 53 49 47   "SSHSIG"
 * 00000001            version
 * string key, namespace "git", reserved "", hash "sha512" or "sha256", signature (string algorithm, string bytes)
 * ```
 *
 * Signed are "SSHSIG" and the strings namespace, reserved, hash, H(message).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, createPublicKey, type JsonWebKey, type KeyObject, verify } from "node:crypto";

const MAGIC = "SSHSIG";
const NAMESPACE = "git";
/** Bytes of a signature, far more than any key makes. */
const MOST = 16 * 1024;
const CURVES: Readonly<Record<string, { readonly crv: string; readonly bytes: number; readonly hash: string }>> = {
  "ecdsa-sha2-nistp256": { crv: "P-256", bytes: 32, hash: "sha256" },
  "ecdsa-sha2-nistp384": { crv: "P-384", bytes: 48, hash: "sha384" },
  "ecdsa-sha2-nistp521": { crv: "P-521", bytes: 66, hash: "sha512" },
};
const RSA: Readonly<Record<string, string>> = { "rsa-sha2-256": "sha256", "rsa-sha2-512": "sha512" };
/** Bits of an RSA key that counts, as OpenSSH has it, up to what costs little to check. */
const LEAST_RSA = 1024;
const MOST_RSA = 16_384;

/** Whether text is a signature of this kind, whatever it says. */
export function isSshSignature(armoured: string): boolean {
  return armoured.startsWith("-----BEGIN SSH SIGNATURE-----");
}

/** The blob of the key (RFC 4253 §6.6) that signed a message for git; nothing where the signature is not right. */
export function signerOf(armoured: string, message: Uint8Array): Uint8Array | undefined {
  const [, encoded] = /^-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)\n-----END SSH SIGNATURE-----\n*$/
    .exec(armoured) ?? [];
  if (encoded === undefined || encoded.length > MOST * 2) return undefined;
  try {
    const bytes = Uint8Array.fromBase64(encoded.replaceAll("\n", ""));
    const reader = new Strings(bytes);
    if (reader.text(MAGIC.length) !== MAGIC || reader.number() !== 1) return undefined;
    const [key, namespace, reserved, hash, signature] = [1, 2, 3, 4, 5].map(() => reader.string());
    const hashName = textOf(hash);
    if (!reader.ended || textOf(namespace) !== NAMESPACE || !["sha256", "sha512"].includes(hashName)) return undefined;
    const signed = Buffer.concat([
      Buffer.from(MAGIC),
      lengthened(namespace),
      lengthened(reserved),
      lengthened(hash),
      lengthened(createHash(hashName).update(message).digest()),
    ]);
    return isSigned(key, signature, signed) ? key : undefined;
  } catch {
    // What was no key and no signature.
    return undefined;
  }
}

function isSigned(blob: Uint8Array, signature: Uint8Array, signed: Uint8Array): boolean {
  const key = new Strings(blob);
  const type = textOf(key.string());
  const reader = new Strings(signature);
  const algorithm = textOf(reader.string());
  const bytes = reader.string();
  if (!reader.ended) return false;
  if (type === "ssh-ed25519") {
    const x = key.string();
    if (!key.ended || algorithm !== type || x.byteLength !== 32 || bytes.byteLength !== 64) return false;
    return verify(null, signed, keyOf({ kty: "OKP", crv: "Ed25519", x: url(x) }), bytes);
  }
  if (Object.hasOwn(CURVES, type)) {
    const { crv, bytes: size, hash } = CURVES[type];
    key.string();
    const point = key.string();
    if (!key.ended || algorithm !== type || point.byteLength !== 1 + 2 * size || point[0] !== 4) return false;
    const jwk = { kty: "EC", crv, x: url(point.subarray(1, 1 + size)), y: url(point.subarray(1 + size)) };
    const parts = new Strings(bytes);
    const both = [parts.string(), parts.string()].map((part) => fixed(part, size));
    if (!parts.ended) return false;
    return verify(hash, signed, { key: keyOf(jwk), dsaEncoding: "ieee-p1363" }, Buffer.concat(both));
  }
  if (type === "ssh-rsa" && Object.hasOwn(RSA, algorithm)) {
    const [e, n] = [key.string(), key.string()].map((part) => part[0] === 0 ? part.subarray(1) : part);
    const bits = n.byteLength * 8;
    if (!key.ended || bits < LEAST_RSA || bits > MOST_RSA || e.byteLength > 8) return false;
    return verify(RSA[algorithm], signed, keyOf({ kty: "RSA", e: url(e), n: url(n) }), bytes);
  }
  return false;
}

function keyOf(key: JsonWebKey): KeyObject {
  return createPublicKey({ key, format: "jwk" });
}

/** An mpint as so many bytes. */
function fixed(part: Uint8Array, size: number): Uint8Array {
  const bytes = part[0] === 0 ? part.subarray(1) : part;
  if (bytes.byteLength > size) throw new RangeError("a number is too large");
  const whole = new Uint8Array(size);
  whole.set(bytes, size - bytes.byteLength);
  return whole;
}

function url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

function lengthened(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(4 + bytes.byteLength);
  new DataView(whole.buffer).setUint32(0, bytes.byteLength);
  whole.set(bytes, 4);
  return whole;
}

/** Strings with their lengths before them (RFC 4251 §5). */
class Strings {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at === this.#bytes.byteLength;
  }

  text(length: number): string {
    return textOf(this.#take(length));
  }

  number(): number {
    const four = this.#take(4);
    return new DataView(four.buffer, four.byteOffset, 4).getUint32(0);
  }

  string(): Uint8Array {
    return this.#take(this.number());
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.byteLength - this.#at) throw new RangeError("it ends inside of a string");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
