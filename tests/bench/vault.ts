/**
 * The vault beside its peers: derivation beside packages of npm, sealing beside WebCrypto as it comes.
 *
 * @module
 */
import { HDKey as Bip32Key } from "@scure/bip32";
import { HDKey as Slip10Key } from "micro-key-producer/slip10.js";
import { seedOf, Vault } from "@alknet/vault";
import { compare, type Contestant, type Effort, type Figure, type Group } from "./harness.ts";

const NODE_PATHS = ["m/74'/0'/0'/0'", "m/74'/0'/0'/1'"];
const ETHEREUM_PATHS = ["m/44'/60'/0'/0/0", "m/44'/60'/0'/0/1"];
const MIB = 1024 * 1024;
/** What is asked of cached derivation, a second. */
const CACHED_AIM = 1_000_000;
/** Calls between two looks at the clock, which costs as much as the shortest of them. */
const CALLS = 20;

/** One key, cold and cached. */
export const vaultDerivation: Group = {
  name: "vault-derivation",
  async run(effort) {
    const phrase = "legal winner thank year wave sausage worth useful legal winner thank yellow";
    const seed = seedOf(phrase);
    using vault = unlocked(phrase);
    // Of two paths that take turns, a cache of one entry never holds the next: each derivation begins at the seed.
    using cold = unlocked(phrase, 1);
    const slip10 = (path: string) => Slip10Key.fromMasterSeed(seed).derive(path);
    const [node, nodePeer] = await rates(effort, [
      inTurns(NODE_PATHS, (path) => taken(cold.derive(path))),
      inTurns(NODE_PATHS, (path) => slip10(path).privateKey),
    ]);
    const [pair, pairPeer] = await rates(effort, [
      inTurns(NODE_PATHS, (path) => taken(cold.derive(path), "publicKey")),
      inTurns(NODE_PATHS, (path) => slip10(path).publicKeyRaw),
    ]);
    const [ethereum, ethereumPeer] = await rates(effort, [
      inTurns(ETHEREUM_PATHS, (path) => taken(cold.derive(path, "secp256k1"), "publicKey")),
      inTurns(ETHEREUM_PATHS, (path) => Bip32Key.fromMasterSeed(seed).derive(path).publicKey),
    ]);
    const [cached, cachedRead] = await rates(effort, [
      () => vault.derive(NODE_PATHS[0]).dispose(),
      () => taken(vault.derive(NODE_PATHS[0])),
    ]);
    return [
      beside(`SLIP-0010 ${NODE_PATHS[0]}, cold, private key`, node, nodePeer, "micro-key-producer", 1),
      beside(`SLIP-0010 ${NODE_PATHS[0]}, cold, both keys`, pair, pairPeer, "micro-key-producer", 1),
      beside(`BIP-32 ${ETHEREUM_PATHS[0]}, cold, both keys`, ethereum, ethereumPeer, "@scure/bip32", 1),
      beside("a cached key, derived and disposed of", cached, CACHED_AIM, "asked for", 1),
      { name: "vault: a cached key, derived, read and disposed of", unit: "/s", ours: cachedRead },
    ];
  },
};

/** Credentials, which are small, and bulk. */
export const vaultSealing: Group = {
  name: "vault-sealing",
  async run(effort) {
    using vault = unlocked("legal winner thank year wave sausage worth useful legal winner thank yellow");
    const raw = await rawKey();
    const small = randomBytes(1024);
    const smallSealed = vault.sealBytes(small);
    const smallRaw = await raw.seal(small);
    const [seals, rawSeals] = await rates(effort, [() => vault.sealBytes(small), () => raw.seal(small)]);
    const [opens, rawOpens] = await rates(effort, [() => vault.openBytes(smallSealed), () => raw.open(smallRaw)]);

    // One round only says that it works.
    const size = effort.rounds > 1 ? 64 : 1;
    const bulk = randomBytes(size * MIB);
    const bulkSealed = await vault.sealBulk(bulk);
    const bulkRaw = await raw.seal(bulk);
    const megabytes = bulk.length / 1e6;
    const [sealBulk, sealStream, rawSealBulk] = await rates(effort, [
      () => vault.sealBulk(bulk),
      () => drain(inPieces(bulk).pipeThrough(vault.sealStream())),
      () => raw.seal(bulk),
    ], 1);
    const [openBulk, openStream, rawOpenBulk] = await rates(effort, [
      () => vault.openBulk(bulkSealed),
      () => drain(inPieces(bulkSealed).pipeThrough(vault.openStream())),
      () => raw.open(bulkRaw),
    ], 1);
    const inBulk = (what: string, ours: number, peer: number, wanted?: number): Figure => ({
      ...beside(`${what}, ${size} MB`, ours * megabytes, peer * megabytes, "WebCrypto, in one call", wanted),
      unit: "MB/s",
    });
    return [
      beside("seal 1 KB, to JSON form", seals, rawSeals, "WebCrypto"),
      beside("open 1 KB, from JSON form", opens, rawOpens, "WebCrypto"),
      inBulk("seal in memory", sealBulk, rawSealBulk, 0.8),
      inBulk("open in memory", openBulk, rawOpenBulk, 0.8),
      inBulk("seal a stream", sealStream, rawSealBulk, 0.8),
      inBulk("open a stream", openStream, rawOpenBulk, 0.8),
    ];
  },
};

function beside(name: string, ours: number, peer: number, peerName: string, wanted?: number): Figure {
  return { name: `vault: ${name}`, unit: "/s", ours, peer, peerName, wanted };
}

/** Calls a second of each, which take turns in this process. */
function rates(effort: Effort, works: readonly (() => unknown)[], calls = CALLS): Promise<number[]> {
  return compare(works.map((work) => inProcess(work, calls)), { task: "call" }, effort);
}

function inProcess(work: () => unknown, calls: number): Contestant {
  return {
    async measure(_task, seconds) {
      const start = performance.now();
      let done = 0;
      let elapsed: number;
      do {
        for (let i = 0; i < calls; i++) {
          const result = work();
          // Awaiting what is no promise would cost more than a cached key.
          if (result instanceof Promise) await result;
        }
        done += calls;
        elapsed = performance.now() - start;
      } while (elapsed < seconds * 1000);
      return done / elapsed * 1000;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function inTurns(paths: readonly string[], work: (path: string) => unknown): () => unknown {
  let turn = 0;
  return () => work(paths[turn++ % paths.length]);
}

/** A key is read, as whoever derives it does, and disposed of. */
function taken(key: ReturnType<Vault["derive"]>, part: "privateKey" | "publicKey" = "privateKey"): number {
  const byte = key[part][0];
  key.dispose();
  return byte;
}

function unlocked(phrase: string, cacheEntries?: number): Vault {
  const vault = new Vault({ cacheEntries });
  vault.unlock(phrase);
  return vault;
}

/** A key of WebCrypto, and what one must do at least: a fresh iv for each seal. */
async function rawKey() {
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  type Sealed = { iv: Uint8Array<ArrayBuffer>; data: ArrayBuffer };
  return {
    async seal(bytes: Uint8Array<ArrayBuffer>): Promise<Sealed> {
      const iv = crypto.getRandomValues(new Uint8Array(12));
      return { iv, data: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, bytes) };
    },
    open: ({ iv, data }: Sealed): Promise<ArrayBuffer> => crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, data),
  };
}

function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  const most = 65536;
  for (let at = 0; at < length; at += most) crypto.getRandomValues(bytes.subarray(at, at + most));
  return bytes;
}

/** As a file is read. */
function inPieces(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.subarray(at, at += 65536));
    },
  });
}

async function drain(stream: ReadableStream<Uint8Array>): Promise<void> {
  for await (const _ of stream);
}
