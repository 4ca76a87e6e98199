/**
 * Certificates of the public profile: made here for development, or read from files.
 *
 * The node's own certificate is not here: a {@linkcode NodeKey} has it.
 *
 * @module
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign, X509Certificate } from "node:crypto";
import { domainToASCII } from "node:url";
import { AlknetError } from "../errors.ts";
import { parseIp } from "../ip.ts";
import { foreign } from "../log.ts";
import type { CertificateKeyPair } from "./key_pair.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { readPrivateFile, reason } from "./private_file.ts";
import { dnsName, ipAddress, selfSigned } from "./x509_writer.ts";

/** Days of validity that browsers accept at most is 398; one less leaves room for a clock that differs. */
export const MAX_VALID_DAYS = 397;

/** Options of {@linkcode selfSignedCertificate}. */
export interface SelfSignedOptions {
  /** Host names (a leading `*.` is a wildcard) and IP addresses that it is for; at least one. */
  readonly names: readonly string[];
  /** Days of validity, 1 to 397. Default 397. */
  readonly validDays?: number;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/** Where a certificate and its key are. */
export interface CertificateFiles {
  /** PEM file with the chain, leaf first. */
  readonly certificateFile: string;
  /** PEM file with the unencrypted private key; readable by its owner alone. May be the same file. */
  readonly keyFile: string;
}

/** A certificate read from files. */
export interface LoadedCertificate extends CertificateKeyPair {
  /** `SHA256:` of the leaf, or `ed25519:` of a key certificate. */
  readonly fingerprint: string;
  /** Last moment of validity of the leaf, milliseconds since 1970. */
  readonly notAfter: number;
  /** What an operator should know: expired, not valid yet. */
  readonly warnings: readonly string[];
}

/** AlgorithmIdentifier of ECDSA with SHA-256 (RFC 5758 §3.2). */
const ECDSA_SHA256 = Uint8Array.fromHex("300a06082a8648ce3d040302");
const DAY = 24 * 60 * 60 * 1000;
/** RFC 5280 appendix A, ub-common-name. */
const MAX_COMMON_NAME = 64;
const CERTIFICATE_PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * A self-signed ECDSA P-256 certificate, as browsers want one once they are told to trust it. For development.
 *
 * @throws {AlknetError} `SELF_SIGNED`: a name is neither host name nor IP address, or there is none.
 * @throws {RangeError} `validDays` is not 1 to 397.
 */
export function selfSignedCertificate(options: SelfSignedOptions): CertificateKeyPair {
  const { names, validDays = MAX_VALID_DAYS, now = Date.now } = options;
  if (!Number.isInteger(validDays) || validDays < 1 || validDays > MAX_VALID_DAYS) {
    throw new RangeError(`validDays is ${validDays}; browsers accept 1 to ${MAX_VALID_DAYS}`);
  }
  if (names.length === 0) {
    throw new AlknetError("SELF_SIGNED", "a self-signed certificate needs at least one host name or IP address");
  }
  const alternatives = names.map(alternativeName);
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  // Begun an hour ago, for clients whose clock is behind.
  const notBefore = now() - 60 * 60 * 1000;
  const der = selfSigned({
    commonName: names[0].slice(0, MAX_COMMON_NAME),
    names: alternatives,
    notBefore: new Date(notBefore),
    notAfter: new Date(notBefore + validDays * DAY - 1000),
    spki: publicKey.export({ type: "spki", format: "der" }),
    algorithm: ECDSA_SHA256,
    sign: (data) => sign("sha256", data, privateKey),
  });
  return Object.freeze({
    certificate: new X509Certificate(der).toString(),
    privateKey: pkcs8(privateKey),
  });
}

/**
 * Reads a certificate chain and its key, and checks that they can serve.
 *
 * @throws {AlknetError} Naming the file: `CERT_LOAD` (unreadable, no PEM, broken, encrypted, a key that does not fit),
 * `KEY_FILE_NOT_FOUND`, `KEY_FILE_PERMISSIONS`, `KEY_FILE_UNREADABLE`.
 */
export async function loadCertificate(
  files: CertificateFiles,
  options: { now?: () => number } = {},
): Promise<LoadedCertificate> {
  const { certificateFile, keyFile } = files;
  const { now = Date.now } = options;
  const chain = await readChain(certificateFile);
  const key = readKey(await readPrivateFile(keyFile, "key file"), keyFile);
  const at = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (at < 0) throw failed(`the key in ${keyFile} does not fit the certificate in ${certificateFile}`);
  if (at > 0) {
    throw failed(`certificate file ${certificateFile}: the server's own certificate is number ${at + 1}; put it first`);
  }
  const [leaf] = chain;
  return Object.freeze({
    certificate: chain.map((certificate) => certificate.toString()).join(""),
    privateKey: pkcs8(key),
    fingerprint: fingerprintOf(leaf.raw),
    notAfter: Date.parse(leaf.validTo),
    warnings: Object.freeze(validityWarnings(leaf, certificateFile, now())),
  });
}

async function readChain(path: string): Promise<X509Certificate[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    const what = error instanceof Deno.errors.NotFound ? "does not exist" : `cannot be read: ${reason(error)}`;
    throw failed(`certificate file ${path} ${what}`, error);
  }
  const blocks = text.match(CERTIFICATE_PEM);
  if (!blocks) throw failed(`certificate file ${path} holds no "-----BEGIN CERTIFICATE-----"; PEM is expected`);
  return blocks.map((block, i) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw failed(`certificate file ${path}: certificate ${i + 1} cannot be decoded`, error);
    }
  });
}

function readKey(text: string, path: string): KeyObject {
  // A combined file has the certificate's label as well.
  const label = /-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----/.exec(text)?.[1];
  if (!label) throw failed(`key file ${path} holds no private key in PEM`);
  if (label.startsWith("ENCRYPTED") || text.includes("Proc-Type: 4,ENCRYPTED")) {
    throw failed(`key file ${path} is encrypted; store it decrypted (openssl pkey -in FILE -out FILE), with mode 0600`);
  }
  const block = text.slice(text.indexOf(`-----BEGIN ${label}-----`));
  try {
    return createPrivateKey(block.slice(0, block.indexOf(`-----END ${label}-----`) + `-----END ${label}-----`.length));
  } catch {
    // Without the parser's message, which may quote what it read.
    throw failed(`key file ${path}: "${label}" cannot be decoded; expected an RSA, EC or Ed25519 key in PEM`);
  }
}

function validityWarnings(leaf: X509Certificate, path: string, now: number): string[] {
  const from = Date.parse(leaf.validFrom);
  const to = Date.parse(leaf.validTo);
  if (now > to) return [`the certificate in ${path} expired on ${iso(to)}; clients will refuse it`];
  return now < from ? [`the certificate in ${path} is valid only from ${iso(from)} on; clients will refuse it`] : [];
}

function alternativeName(name: string): Uint8Array {
  const host = name.replace(/^\[(.*)\]$/, "$1");
  const ip = parseIp(host);
  if (ip) return ipAddress(ip.bytes);
  const wildcard = host.startsWith("*.") ? "*." : "";
  const ascii = domainToASCII(host.slice(wildcard.length));
  if (!/^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*$/.test(ascii)) {
    throw new AlknetError("SELF_SIGNED", `"${foreign(name)}" is neither a host name nor an IP address`);
  }
  return dnsName(wildcard + ascii);
}

function pkcs8(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function iso(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function failed(message: string, cause?: unknown): AlknetError {
  return new AlknetError("CERT_LOAD", message, cause === undefined ? undefined : { cause });
}
