/**
 * Whether the certificate of a push is right: given out by this node, of this repository, signed by who pushes.
 *
 * @module
 */
import type { Identity, IdentityProvider } from "@alknet/core/handler";
import { createHash } from "node:crypto";
import type { PushCertificate } from "../../wire/signed/certificate.ts";
import { isSshSignature, signerOf } from "../../wire/signed/ssh_signature.ts";
import type { Nonces } from "./nonces.ts";
import type { KeptCertificate } from "./ref_moves.ts";
import { type Refusal, refusal } from "./policy.ts";

/** What is known of a push beside its certificate. */
export interface CertifiedPush {
  /** The repository's name. */
  readonly repo: string;
  /** Who pushes. */
  readonly identity: Identity;
  /** The options that came after the commands. */
  readonly options: readonly string[];
  /** What was given out on the stream; absent where each request stands for itself. */
  readonly nonce?: string;
  /** Knows again what was given out. */
  readonly nonces: Nonces;
  /** Says whose a key is; absent where nobody can. */
  readonly keys?: Pick<IdentityProvider, "resolveFingerprint">;
  /** Keeps a certificate, under the SHA-1 of its bytes. */
  keep(file: string, bytes: Uint8Array): Promise<Disposable>;
}

/** What is made of a certificate: it is right, wrong, or signed in a way that proves nothing here. */
export type Judgement = { readonly certificate: KeptCertificate } | { readonly refused: Refusal } | "unsigned";

/** Judges a certificate. */
export function judged(certificate: PushCertificate, push: CertifiedPush): Judgement {
  const { signature, signed, bytes, nonce, options, seconds } = certificate;
  if (!isSshSignature(signature)) return "unsigned";
  const file = createHash("sha1").update(bytes).digest("hex");
  if (nonce === undefined || !push.nonces.isGiven(nonce, push.repo, push.nonce)) {
    return wrong("it was not made for this push; push again");
  }
  if (options.length !== push.options.length || options.some((option, i) => option !== push.options[i])) {
    return wrong("it has other options than the push");
  }
  const blob = signerOf(signature, signed);
  if (!blob) return wrong("it was not signed with the key that it names");
  const prints = fingerprintsOf(blob);
  const found = prints.map((print) => ({ print, who: push.keys?.resolveFingerprint(print) })).find(({ who }) => who);
  if (found?.who?.id !== push.identity.id) return wrong("the key that signed it is not one of who pushes");
  // Last, so that one that was wrong for another reason may come again.
  if (!push.nonces.isFirst(file)) return wrong("it has come before; push again");
  const facts = { signer: push.identity.id, key: found.print, seconds, file };
  return { certificate: { facts, keep: () => push.keep(file, bytes) } };
}

function wrong(detail: string): { readonly refused: Refusal } {
  return { refused: refusal("signature wrong", detail) };
}

const ED25519 = "\0\0\0\x0bssh-ed25519\0\0\0\x20";

/** As what a configuration knows the key of a blob (RFC 4253 §6.6): a node's, and the hash of the blob. */
function fingerprintsOf(blob: Uint8Array): string[] {
  const hash = `SHA256:${createHash("sha256").update(blob).digest("hex")}`;
  const head = new TextDecoder("latin1").decode(blob.subarray(0, ED25519.length));
  if (head !== ED25519 || blob.byteLength !== ED25519.length + 32) return [hash];
  return [`ed25519:${new Uint8Array(blob.subarray(ED25519.length)).toHex()}`, hash];
}
