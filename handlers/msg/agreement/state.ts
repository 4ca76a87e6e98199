/**
 * The state of a session, and how it is kept (msg.md §3). Nothing changes one in place: each step makes another.
 *
 * ```text
 * 0 version 1 | 1 flags: 1 CKs, 2 CKr, 4 HKs, 8 HKr, 16 DHr | 2 Ns | 6 Nr | 10 PN | 14 DHs | 46 DHr | 78 RK
 * 110 CKs | 142 CKr | 174 HKs | 206 HKr | 238 NHKs | 270 NHKr | 302 AD | 334 u16 n | 336 bytes 0 to Q while unanswered
 * ```
 *
 * @module
 */
import { AlknetError, joined, redact, REDACTED, wipe } from "@alknet/core/crypto";
import { readU16, readU32, u16, u32, ZEROS } from "./labels.ts";

/** Signal's names (double ratchet, rev. 1, §4.2). Secret but for the numbers. */
export interface State {
  /** Messages sent in the sending chain. */
  readonly Ns: number;
  /** Messages received in the receiving chain. */
  readonly Nr: number;
  /** Messages sent in the chain before. */
  readonly PN: number;
  /** Own ratchet key, private. */
  readonly DHs: Uint8Array;
  /** Its public key, once that was needed; not kept with the rest. */
  readonly DHp?: Uint8Array;
  /** The other's ratchet key. */
  readonly DHr?: Uint8Array;
  /** Root key. */
  readonly RK: Uint8Array;
  /** Chain keys. */
  readonly CKs?: Uint8Array;
  readonly CKr?: Uint8Array;
  /** Header keys, and the next ones. */
  readonly HKs?: Uint8Array;
  readonly HKr?: Uint8Array;
  readonly NHKs: Uint8Array;
  readonly NHKr: Uint8Array;
  /** What every message is bound to: T1. */
  readonly AD: Uint8Array;
  /** Bytes 0 to Q of the first message, until an answer opened; else empty. */
  readonly prefix: Uint8Array;
}

const VERSION = 1;
const FIXED = 336;
/** The keys that may be absent, in order of their flags. */
const FLAGGED = ["CKs", "CKr", "HKs", "HKr", "DHr"] as const;
/** All keys, in the order in which they are kept. */
const KEYS = ["DHs", "DHr", "RK", "CKs", "CKr", "HKs", "HKr", "NHKs", "NHKr", "AD"] as const;

/** The state behind a session, for the ratchet alone. */
export let stateOf: (session: Session) => State;

/** A session with one contact. Prints without its secrets; disposing of it wipes them. */
export class Session implements Disposable {
  /** Hex of 16 bytes. */
  readonly id: string;
  /** Ed25519 of the contact. */
  readonly peer: Uint8Array;
  readonly #state: State;

  static {
    redact(this.prototype, ({ id }) => `Session ${id} ${REDACTED}`);
    stateOf = (session) => session.#state;
  }

  /** @param state Its own from now on. */
  constructor(id: string, peer: Uint8Array, state: State) {
    this.id = id;
    this.peer = peer;
    this.#state = state;
  }

  /** Whether the contact has not answered yet, so that each envelope begins as the first did. */
  get isUnanswered(): boolean {
    return this.#state.prefix.byteLength > 0;
  }

  /** Whether it can send: one that answers first has to have opened something. */
  get canSend(): boolean {
    return this.#state.CKs !== undefined;
  }

  /** The state, as it is kept. Secret. */
  toBytes(): Uint8Array {
    const state = this.#state;
    const flags = FLAGGED.reduce((sum, name, i) => state[name] ? sum | 1 << i : sum, 0);
    return joined(
      Uint8Array.of(VERSION, flags),
      ...[state.Ns, state.Nr, state.PN].map(u32),
      ...KEYS.map((name) => state[name] ?? ZEROS),
      u16(state.prefix.byteLength),
      state.prefix,
    );
  }

  /**
   * The session of a kept state.
   *
   * @throws {AlknetError} `INVALID_SESSION`.
   */
  static fromBytes(id: string, peer: Uint8Array, bytes: Uint8Array): Session {
    if (bytes.byteLength < FIXED || bytes[0] !== VERSION || bytes[1] >= 1 << FLAGGED.length) throw invalid(id);
    if (bytes.byteLength !== FIXED + readU16(bytes, FIXED - 2)) throw invalid(id);
    const keys = Object.fromEntries(KEYS.map((name, i) => [name, bytes.slice(14 + 32 * i, 46 + 32 * i)]));
    for (const [i, name] of FLAGGED.entries()) if ((bytes[1] & 1 << i) === 0) delete keys[name];
    const [Ns, Nr, PN] = [2, 6, 10].map((at) => readU32(bytes, at));
    return new Session(id, peer, { Ns, Nr, PN, ...keys, prefix: bytes.slice(FIXED) } as unknown as State);
  }

  /** Wipes the keys. */
  [Symbol.dispose](): void {
    wipe(...KEYS.map((name) => this.#state[name]));
  }
}

function invalid(id: string): AlknetError {
  return new AlknetError("INVALID_SESSION", `session ${id} was kept in a form that this program does not know`);
}
