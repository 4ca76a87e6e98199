/**
 * Who may come in: counts connections and handshakes and says yes or no before anything is spent on a newcomer.
 *
 * Every operation is O(1) in the number of connections. Addresses are remembered up to a bound whoever asks, and those
 * without a connection forgotten beyond it.
 *
 * @module
 */
import { addressGroup } from "../ip.ts";
import type { Limits } from "./limits.ts";

/** Why a newcomer is refused; stable words for logs and counters. */
export type Refusal =
  | "shutdown"
  | "connections"
  | "connections-per-address"
  | "handshakes"
  | "connection-rate"
  | "authentication-failures"
  | "banned";

/** A place in the gate. Give each phase back once; further calls do nothing. */
export interface Admission {
  /** The newcomer is at the address that it named. */
  prove(): void;
  /** The handshake is over, well or badly. */
  handshakeDone(): void;
  /** The connection is over. */
  release(): void;
}

/** Options of a {@linkcode Gate}. */
export interface GateOptions {
  /** Milliseconds that only go forward. Default `performance.now`. */
  readonly now?: () => number;
  /** Told of each refusal that deserves a log line: the first of an address in a minute. */
  readonly onRefused?: (address: string, reason: string) => void;
}

interface Source {
  connections: number;
  /** Of these, from whom nothing has come yet that only somebody at this address can send. */
  unproven: number;
  /** Connections that may start now; refills with time. */
  tokens: number;
  refilled: number;
  failures: number;
  failuresSince: number;
  refusedUntil: number;
  loggedAt: number;
}

/** Addresses remembered beyond those connected; the oldest forgotten first, so a spray of addresses costs bounded memory. */
const MAX_SOURCES = 65_536;
const MINUTE = 60_000;
/** Places of an address that those may hold who only say that they are there. */
const MAX_UNPROVEN = 4;

/** Admission control of one endpoint or engine. */
export class Gate {
  /** Refusals so far, by reason. */
  readonly refused: Map<string, number> = new Map();
  #limits: Limits;
  readonly #now: () => number;
  readonly #onRefused?: (address: string, reason: string) => void;
  readonly #sources = new Map<string, Source>();
  #connections = 0;
  #handshakes = 0;
  #closed = false;

  /** @param limits The limits to hold. */
  constructor(limits: Limits, options: GateOptions = {}) {
    this.#limits = limits;
    this.#now = options.now ?? (() => performance.now());
    this.#onRefused = options.onRefused;
  }

  /** Connections admitted and not released. */
  get connections(): number {
    return this.#connections;
  }

  /** Handshakes in flight. */
  get handshakes(): number {
    return this.#handshakes;
  }

  /** Whether QUIC clients must prove their address before they cost anything. */
  get mustRetry(): boolean {
    return this.#handshakes >= this.#limits.retryThreshold;
  }

  /**
   * Whether a newcomer must prove that it is at this address before it costs anything: its places for those who do not are
   * taken. Forged packets keep nobody out so.
   */
  mustProve(address: string): boolean {
    const key = addressGroup(address);
    if (!this.#sources.has(key)) return false;
    const source = this.#source(key);
    if (source.unproven >= MAX_UNPROVEN) return true;
    // What is refused for its address is refused to somebody who is there.
    const refusal = this.#refusal(source, true, false);
    return refusal === "connections-per-address" || refusal === "connection-rate";
  }

  /** Holds other limits from now on. Whoever is in stays in. */
  adjust(limits: Limits): void {
    this.#limits = limits;
  }

  /** Refuses everyone from now on. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Asks for a place.
   *
   * @param address IP address of the newcomer.
   * @param options `handshake: false` when the handshake is already over, `proven: false` when the address may be forged.
   * @returns The place, or why there is none.
   */
  admit(address: string, options: { handshake?: boolean; proven?: boolean } = {}): Admission | Refusal {
    const { handshake = true, proven = true } = options;
    const key = addressGroup(address);
    const source = this.#source(key);
    const refusal = this.#refusal(source, handshake, proven);
    if (refusal) return this.#refuse(key, source, refusal);
    source.tokens--;
    source.connections++;
    this.#connections++;
    if (handshake) this.#handshakes++;
    if (!proven) source.unproven++;
    return this.#admission(key, source, handshake, proven);
  }

  /** Counts a failed authentication of an address; returns whether the address is refused from now on. */
  authenticationFailed(address: string): boolean {
    const source = this.#source(addressGroup(address));
    const now = this.#now();
    if (now - source.failuresSince >= MINUTE) {
      source.failures = 0;
      source.failuresSince = now;
    }
    source.failures++;
    if (source.failures > this.#limits.maxAuthFailures) source.refusedUntil = now + MINUTE;
    return source.refusedUntil > now;
  }

  /** Takes back failures of an address: those of somebody who has authenticated since, such as with a later key. */
  forgive(address: string, failures: number): void {
    const source = this.#sources.get(addressGroup(address));
    if (!source) return;
    source.failures = Math.max(0, source.failures - failures);
    if (source.failures <= this.#limits.maxAuthFailures) source.refusedUntil = 0;
  }

  /** Whether an address has failed to authenticate too often; looked at after the handshake. */
  isRefused(address: string): boolean {
    const source = this.#sources.get(addressGroup(address));
    return source !== undefined && source.refusedUntil > this.#now();
  }

  /**
   * Counts a refusal that somebody else decided, such as one after the handshake, and tells of it like of the gate's own:
   * every line about an address that misbehaves goes through here.
   *
   * @param options `counted: true` when it has been counted already.
   */
  note(address: string, reason: string, options: { counted?: boolean } = {}): void {
    const key = addressGroup(address);
    if (!options.counted) this.count(reason);
    this.#tell(key, this.#source(key), reason);
  }

  /** Counts a refusal that was decided and told of elsewhere. */
  count(reason: string, times = 1): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + times);
  }

  #refusal(source: Source, handshake: boolean, proven: boolean): Refusal | undefined {
    const limits = this.#limits;
    if (this.#closed) return "shutdown";
    if (this.#connections >= limits.maxConnections) return "connections";
    // Who is proven to be there is not kept out by those who only say so.
    const held = source.connections - (proven ? source.unproven : 0);
    if (held >= limits.maxConnectionsPerAddress) return "connections-per-address";
    if (handshake && this.#handshakes >= limits.maxHandshakes) return "handshakes";
    if (source.tokens < 1) return "connection-rate";
  }

  #refuse(key: string, source: Source, reason: Refusal): Refusal {
    this.count(reason);
    this.#tell(key, source, reason);
    return reason;
  }

  #tell(key: string, source: Source, reason: string): void {
    const now = this.#now();
    if (now - source.loggedAt < MINUTE) return;
    source.loggedAt = now;
    this.#onRefused?.(key, reason);
  }

  #admission(key: string, source: Source, handshake: boolean, proven: boolean): Admission {
    let shaking = handshake;
    let doubted = !proven;
    let held = true;
    const handshakeDone = () => {
      if (shaking) this.#handshakes--;
      shaking = false;
    };
    const prove = () => {
      if (doubted) source.unproven--;
      doubted = false;
    };
    const release = () => {
      handshakeDone();
      prove();
      if (!held) return;
      held = false;
      this.#connections--;
      source.connections--;
      // Re-inserted, so that the addresses seen last are forgotten last.
      if (this.#sources.delete(key)) this.#sources.set(key, source);
    };
    return { prove, handshakeDone, release };
  }

  #source(key: string): Source {
    const now = this.#now();
    let source = this.#sources.get(key);
    if (!source) {
      if (this.#sources.size >= MAX_SOURCES) this.#forget();
      source = {
        connections: 0,
        unproven: 0,
        tokens: this.#limits.connectionBurst,
        refilled: now,
        failures: 0,
        failuresSince: now,
        refusedUntil: 0,
        loggedAt: -Infinity,
      };
      this.#sources.set(key, source);
    }
    const refill = (now - source.refilled) / 1000 * this.#limits.connectionRate;
    source.tokens = Math.min(this.#limits.connectionBurst, source.tokens + refill);
    source.refilled = now;
    return source;
  }

  /** Drops the oldest address that has no connection; looks at a bounded number. */
  #forget(): void {
    let looked = 0;
    for (const [key, source] of this.#sources) {
      this.#sources.delete(key);
      if (source.connections === 0) return;
      // Out of the way of the next look, or those that stay would hide all that can go.
      this.#sources.set(key, source);
      if (++looked >= 64) return;
    }
  }
}
