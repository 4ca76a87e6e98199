/**
 * A node's key of one epoch (msg.md §5.2), in memory: its secret, and the tags of the packets that came for it.
 *
 * @module
 */
import { redact, REDACTED, wipe, x25519, x25519Public } from "@alknet/core/crypto";
import { MOST_TAGS } from "../limits.ts";
import type { LiveKeys, MixKey } from "../packet/unwrap.ts";
import { TagTable } from "./replay.ts";

/** Measures of {@linkcode MemoryMixKey}. */
export interface MemoryMixKeyOptions {
  /** Tags that it remembers; what comes after is refused as if it were a replay. Default 2^21, 64 MiB. */
  readonly tags?: number;
}

/** A key whose tags are forgotten with the process, and which is therefore never to be used by a second one. */
export class MemoryMixKey implements MixKey, LiveKeys, Disposable {
  /** The epoch. */
  readonly epoch: number;
  /** 32 bytes, for senders. */
  readonly publicKey: Uint8Array;
  readonly #secret: Uint8Array;
  readonly #tags: TagTable;
  #gone = false;

  static {
    redact(this.prototype, ({ epoch }) => `MemoryMixKey ${epoch} ${REDACTED}`);
  }

  /**
   * Takes a secret for an epoch.
   *
   * @param secret 32 random bytes, which are copied.
   * @throws {RangeError} Another length, or a number of tags that is none.
   */
  constructor(epoch: number, secret: Uint8Array, { tags = MOST_TAGS }: MemoryMixKeyOptions = {}) {
    this.epoch = epoch;
    this.publicKey = x25519Public(secret);
    this.#secret = secret.slice();
    this.#tags = new TagTable(tags);
  }

  /** Itself, where the epoch is its own modulo 256. */
  live(low: number): MixKey | undefined {
    return !this.#gone && this.epoch % 256 === low ? this : undefined;
  }

  /**
   * The secret that it shares with a packet's alpha.
   *
   * @throws {AlknetError} `LOW_ORDER`.
   */
  agree(alpha: Uint8Array): Uint8Array {
    return x25519(this.#secret, alpha);
  }

  /** Remembers a tag; false where it was known, or there is no room. */
  fresh(tag: Uint8Array): Promise<boolean> {
    return Promise.resolve(!this.#gone && this.#tags.add(tag) === "new");
  }

  /** Wipes the secret; no packet is taken any more. */
  [Symbol.dispose](): void {
    this.#gone = true;
    wipe(this.#secret);
  }
}
