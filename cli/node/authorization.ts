/**
 * Who may do what: the changes that `alknet token` and `alknet authorize` make to a configuration file.
 *
 * @module
 */
import {
  type ApiKeyDocument,
  type ConfigDocument,
  type DynamicConfig,
  editConfig,
  loadConfig,
  type PeerDocument,
} from "@alknet/core/config";
import { AlknetError } from "@alknet/core/handler";
import { fingerprintsOf, publicKeyBlob } from "@alknet/handlers/ssh-key";
import { createToken, fingerprintOfNodeId, hashToken, parseFingerprint, tokenPrefix } from "@alknet/core/identity";
import { exists, locateHome } from "../home/home.ts";
import { makeConfig } from "./node.ts";
import { nodeIdOfFingerprint } from "./node_key.ts";
import { UsageError } from "../terminal/output.ts";

/** A line of `authorized_keys`, or of a `.pub` file. */
const SSH_KEY = /^(?:ssh|ecdsa)-[a-z0-9-]+\s/;

/** Which configuration is meant. */
export interface ConfigChoice {
  /** Home folder. */
  readonly home?: string;
  /** Configuration file, instead of that of the home folder. */
  readonly config?: string;
}

/** What a new token is to be. */
export interface TokenRequest {
  /** What its bearer may do. */
  readonly scopes: readonly string[];
  /** For people. */
  readonly description: string;
  /** Unix seconds from which on it is invalid. */
  readonly expiresAt?: number;
}

/** What is to become of a peer's key. */
export interface PeerRequest {
  /** Name of the peer. Default: that of the entry which has the key, else its node id or fingerprint. */
  readonly name?: string;
  /** What it may do; empty: as before. */
  readonly scopes: readonly string[];
}

/** The dynamic part of the configuration that is meant. */
export async function readAuthorization(choice: ConfigChoice): Promise<DynamicConfig["auth"]> {
  return (await loadConfig(configFile(choice))).dynamic.auth;
}

/** Makes an API key and returns its token, which is stored nowhere. */
export async function addApiKey(
  choice: ConfigChoice,
  request: TokenRequest,
): Promise<{ token: string; entry: ApiKeyDocument }> {
  return await edit(choice, (document) => {
    const keys = authOf(document).api_keys;
    let token = createToken();
    // Lists and logs name a key by its prefix, so no two share one.
    while (keys.some(({ prefix }) => prefix === tokenPrefix(token))) token = createToken();
    const entry: ApiKeyDocument = { prefix: tokenPrefix(token), hash: hashToken(token), scopes: [...request.scopes] };
    if (request.description !== "") entry.description = request.description;
    if (request.expiresAt !== undefined) entry.expires_at = request.expiresAt;
    keys.push(entry);
    return { token, entry };
  });
}

/**
 * Takes the API keys of a prefix back.
 *
 * @throws {AlknetError} `NO_SUCH_TOKEN`.
 */
export async function removeApiKey(choice: ConfigChoice, prefix: string): Promise<void> {
  await edit(choice, (document) => {
    const auth = authOf(document);
    const left = auth.api_keys.filter((key) => key.prefix !== prefix);
    if (left.length === auth.api_keys.length) {
      // What was given is not repeated: it may be a whole token.
      throw new AlknetError("NO_SUCH_TOKEN", "no token has that prefix; alknet token list shows those there are");
    }
    auth.api_keys = left;
  });
}

/** Makes a key count as a peer with these scopes, and enables the peer. */
export async function addPeer(choice: ConfigChoice, key: string, request: PeerRequest): Promise<PeerDocument> {
  const fingerprint = peerFingerprint(key);
  return await edit(choice, (document) => {
    const { peers } = authOf(document);
    const holder = peers.find((peer) => holds(peer, fingerprint));
    if (holder && request.name !== undefined && holder.peer_id !== request.name) {
      throw new AlknetError(
        "PEER_EXISTS",
        `the key belongs to peer "${holder.peer_id}" already; remove it there first: alknet authorize ${key} --remove`,
      );
    }
    const name = request.name ?? nodeIdOfFingerprint(fingerprint) ?? fingerprint;
    const peer = holder ?? peers.find(({ peer_id }) => peer_id === name) ?? added(peers, name);
    if (!holder) peer.fingerprints = [...peer.fingerprints ?? [], fingerprint];
    if (request.scopes.length > 0) peer.scopes = [...request.scopes];
    delete peer.enabled;
    return structuredClone(peer);
  });
}

/**
 * Forgets a key; the peer goes with its last key, unless it has a token.
 *
 * @throws {AlknetError} `NO_SUCH_PEER`.
 */
export async function removePeerKey(choice: ConfigChoice, key: string): Promise<PeerDocument> {
  const fingerprint = peerFingerprint(key);
  return await edit(choice, (document) => {
    const auth = authOf(document);
    const peer = holderOf(auth.peers, fingerprint, key);
    peer.fingerprints = peer.fingerprints?.filter((one) => parseFingerprint(one) !== fingerprint);
    const empty = peer.fingerprints?.length === 0 && peer.auth_token_hash === undefined;
    if (empty) auth.peers = auth.peers.filter((one) => one !== peer);
    return structuredClone(peer);
  });
}

/**
 * Lets the peer that has a key count for nothing, until it is authorized again.
 *
 * @throws {AlknetError} `NO_SUCH_PEER`.
 */
export async function disablePeer(choice: ConfigChoice, key: string): Promise<PeerDocument> {
  const fingerprint = peerFingerprint(key);
  return await edit(choice, (document) => {
    const peer = holderOf(authOf(document).peers, fingerprint, key);
    peer.enabled = false;
    return structuredClone(peer);
  });
}

async function edit<T>(choice: ConfigChoice, change: (document: ConfigDocument) => T): Promise<T> {
  const file = configFile(choice);
  // A node that was made by its first `serve` or `id` may have no configuration yet; a named file has to be there.
  const home = locateHome(choice.home);
  if (choice.config === undefined && !await exists(file) && await exists(home.keyFile)) await makeConfig(home);
  return await editConfig(file, change);
}

function configFile(choice: ConfigChoice): string {
  return choice.config ?? locateHome(choice.home).configFile;
}

/** The fingerprint that a node id, a fingerprint or a public SSH key means. */
function peerFingerprint(key: string): string {
  try {
    if (SSH_KEY.test(key)) return fingerprintsOf(publicKeyBlob(key))[0];
    return key.includes(":") ? parseFingerprint(key) : fingerprintOfNodeId(key);
  } catch (error) {
    if (error instanceof AlknetError || error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

function authOf(document: ConfigDocument): { peers: PeerDocument[]; api_keys: ApiKeyDocument[] } {
  const auth = document.auth ??= {};
  auth.peers ??= [];
  auth.api_keys ??= [];
  return auth as { peers: PeerDocument[]; api_keys: ApiKeyDocument[] };
}

function holds({ fingerprints = [] }: PeerDocument, fingerprint: string): boolean {
  return fingerprints.some((one) => parseFingerprint(one) === fingerprint);
}

function holderOf(peers: readonly PeerDocument[], fingerprint: string, key: string): PeerDocument {
  const peer = peers.find((one) => holds(one, fingerprint));
  if (peer) return peer;
  throw new AlknetError("NO_SUCH_PEER", `no peer has the key ${key}; alknet authorize lists those there are`);
}

function added(peers: PeerDocument[], name: string): PeerDocument {
  const peer: PeerDocument = { peer_id: name, fingerprints: [], scopes: [] };
  peers.push(peer);
  return peer;
}
