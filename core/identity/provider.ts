/**
 * The identity provider that reads the dynamic configuration.
 *
 * Each snapshot of the configuration is indexed once, when it is first asked; a lookup is a few map accesses.
 *
 * @module
 */
import { foreign, logger } from "../log.ts";
import { equalTextInConstantTime, parseFingerprint } from "./fingerprint.ts";
import type { Identity, IdentityProvider } from "./identity.ts";
import { hashToken, MAX_TOKEN_LENGTH, parseTokenHash, TOKEN_PREFIX_LENGTH, TOKEN_START, tokenPrefix } from "./token.ts";

/** A peer in the configuration (core.md §7.1). */
export interface PeerEntry {
  /** Stable name; the identity's id. */
  readonly peer_id: string;
  /** Any of them is this peer. */
  readonly fingerprints: readonly string[];
  /** Hash of a token that is this peer too. */
  readonly auth_token_hash?: string;
  /** What it may do. */
  readonly scopes: readonly string[];
  /** Resource type to actions. Default: none. */
  readonly resources?: Readonly<Record<string, readonly string[]>>;
  /** `false`: resolves to nothing. Default `true`. */
  readonly enabled?: boolean;
}

/** An API key in the configuration (core.md §7.2). */
export interface ApiKeyEntry {
  /** First characters of the token; the identity's id. */
  readonly prefix: string;
  /** Hash of the token. */
  readonly hash: string;
  /** What it may do. */
  readonly scopes: readonly string[];
  /** Unix seconds from which on it is invalid. */
  readonly expires_at?: number;
}

/** The part of a configuration snapshot that identities come from. */
export interface AuthSnapshot {
  /** Peers and keys. */
  readonly auth: { readonly peers: readonly PeerEntry[]; readonly api_keys: readonly ApiKeyEntry[] };
}

/** Options of {@linkcode configProvider}. */
export interface ConfigProviderOptions {
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

interface Secret<T> {
  readonly hash: string;
  readonly value: T;
}

interface Index {
  readonly fingerprints: ReadonlyMap<string, Identity>;
  /** By {@linkcode bucket} of the hash. */
  readonly peerTokens: ReadonlyMap<string, readonly Secret<Identity>[]>;
  /** By prefix. */
  readonly apiKeys: ReadonlyMap<string, readonly Secret<{ identity: Identity; expiresAt: number }>[]>;
}

const log = logger("identity");

/**
 * An identity provider over the current snapshot of a configuration.
 *
 * @param snapshot Gives the current snapshot: an immutable object, another one after each change.
 */
export function configProvider(snapshot: () => AuthSnapshot, options: ConfigProviderOptions = {}): IdentityProvider {
  const { now = Date.now } = options;
  let indexed: AuthSnapshot | undefined;
  let index: Index;
  const current = (): Index => {
    const latest = snapshot();
    if (latest !== indexed) {
      index = indexOf(latest);
      indexed = latest;
    }
    return index;
  };
  return {
    resolveFingerprint: (fingerprint) => current().fingerprints.get(fingerprint),
    resolveToken: (token) => resolveToken(current(), token, now),
  };
}

function resolveToken(index: Index, token: string | Uint8Array, now: () => number): Identity | undefined {
  const text = wellFormed(token);
  if (text === undefined) return refused("malformed");
  const hash = hashToken(text);
  const peer = index.peerTokens.get(bucket(hash))?.find((entry) => equalTextInConstantTime(entry.hash, hash));
  if (peer) return peer.value;
  if (!text.startsWith(TOKEN_START) || text.length < TOKEN_PREFIX_LENGTH) return refused("unknown");
  let expired = false;
  for (let length = 0; length <= TOKEN_PREFIX_LENGTH; length++) {
    for (const entry of index.apiKeys.get(text.slice(0, length)) ?? []) {
      if (!equalTextInConstantTime(entry.hash, hash)) continue;
      if (Math.floor(now() / 1000) < entry.value.expiresAt) return entry.value.identity;
      expired = true;
    }
  }
  return refused(expired ? "expired" : "unknown", text);
}

/** A token worth hashing, as text. */
function wellFormed(token: string | Uint8Array): string | undefined {
  if (token.length === 0 || token.length > MAX_TOKEN_LENGTH) return;
  if (typeof token === "string") {
    const fits = token.isWellFormed() && new TextEncoder().encode(token).byteLength <= MAX_TOKEN_LENGTH;
    return fits ? token : undefined;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(token);
  } catch {
    return undefined;
  }
}

/** The caller is not told why; the operator is, by what is public of the token. */
function refused(why: "malformed" | "unknown" | "expired", token?: string): undefined {
  log.debug("token refused: {reason}", {
    reason: why,
    prefix: token === undefined ? "-" : foreign(tokenPrefix(token)),
  });
}

function indexOf({ auth }: AuthSnapshot): Index {
  const fingerprints = new Map<string, Identity>();
  const peerTokens = new Map<string, Secret<Identity>[]>();
  const apiKeys = new Map<string, Secret<{ identity: Identity; expiresAt: number }>[]>();
  for (const peer of auth.peers) {
    if (peer.enabled === false) continue;
    const identity = identityOf(peer.peer_id, peer.scopes, peer.resources);
    for (const fingerprint of peer.fingerprints) fingerprints.set(parseFingerprint(fingerprint), identity);
    if (peer.auth_token_hash === undefined) continue;
    const hash = parseTokenHash(peer.auth_token_hash);
    append(peerTokens, bucket(hash), { hash, value: identity });
  }
  for (const { prefix, hash, scopes, expires_at } of auth.api_keys) {
    const value = { identity: identityOf(prefix, scopes), expiresAt: expires_at ?? Infinity };
    append(apiKeys, prefix, { hash: parseTokenHash(hash), value });
  }
  return { fingerprints, peerTokens, apiKeys };
}

function identityOf(id: string, scopes: readonly string[], resources: PeerEntry["resources"] = {}): Identity {
  const frozen = Object.entries(resources).map(([type, actions]) => [type, Object.freeze([...actions])] as const);
  return Object.freeze({
    id,
    scopes: Object.freeze([...scopes]),
    // Without a prototype: a type named "constructor" is absent unless configured.
    resources: Object.freeze(Object.assign(Object.create(null), Object.fromEntries(frozen))),
  });
}

/** Which entries a hash is compared with. Says little about it, so that the map's timing does too. */
function bucket(hash: string): string {
  return hash.slice("sha256:".length, "sha256:".length + 4);
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
