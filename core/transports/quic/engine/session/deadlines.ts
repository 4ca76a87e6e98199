/**
 * The states of a session, and what may be due in each.
 *
 * ```text
 * handshaking ──▶ open ──▶ finishing ──▶ closing ──▶ gone
 *      │            └───────────────────────▲
 *      └────────────────────────────────────┘
 * ```
 *
 * @module
 */

/**
 * Where a session stands.
 *
 * - `handshaking`: the node does not know of it yet.
 * - `open`: streams, both ways.
 * - `finishing`: the node is done with it; what was written goes out and waits to be acknowledged.
 * - `closing`: over for the node; quiche says goodbye, or waits for late packets (RFC 9000 §10.2).
 * - `gone`: quiche is done with it too.
 */
export type Phase = "handshaking" | "open" | "finishing" | "closing" | "gone";

/** What may be due: each name says what passes when its time comes. */
export type Deadline =
  /** The time for a handshake. */
  | "handshake"
  /** The time without a packet after which a dialled connection sends one. */
  | "keepAlive"
  /** The time for the peer to acknowledge what a finishing connection wrote. */
  | "linger"
  /** The time for a handshake to be confirmed, for whose end a goodbye waits. */
  | "goodbye"
  /** The wait of an acknowledgement for the answer that it may travel with. */
  | "acknowledgement"
  /** The wait before the handshake is said again. */
  | "copies"
  /** Whatever quiche waits for: loss, idleness, the end of draining. */
  | "quiche";

/** Between looks whether the peer has acknowledged what a finishing connection wrote, in milliseconds. */
const LINGER = 5000;

/** What is waited for in each state. */
const WAITED_FOR: Readonly<Record<Phase, readonly Deadline[]>> = {
  handshaking: ["quiche", "handshake", "copies"],
  open: ["quiche", "acknowledgement", "keepAlive", "copies"],
  finishing: ["quiche", "acknowledgement", "keepAlive", "copies", "linger"],
  closing: ["quiche", "goodbye"],
  gone: [],
};

/** When each is due, in the milliseconds of the session's clock; Infinity for never. */
export class Deadlines implements Record<Deadline, number> {
  handshake = Infinity;
  keepAlive = Infinity;
  linger = Infinity;
  goodbye = Infinity;
  acknowledgement = Infinity;
  copies = Infinity;
  quiche = Infinity;

  /** Packets of the peer before the last look. */
  #heard = 0;

  /** The connection finishes now; so many packets have come. */
  beginLinger(now: number, packets: number): void {
    this.#heard = packets;
    this.linger = now + LINGER;
  }

  /**
   * Waits on, if there is something to wait for: a peer that reads slowly, or a network that is away, as nothing comes over
   * it. Returns whether there is. A peer that is gone is given up when the connection has been idle for long enough.
   *
   * @param blocked Whether something waits for the peer to read.
   * @param packets How many packets have come.
   */
  lingerOn(now: number, blocked: boolean, packets: number): boolean {
    const waits = blocked || packets === this.#heard;
    this.#heard = packets;
    if (waits) this.linger = now + LINGER;
    return waits;
  }

  /** The first of those that a session in this state waits for. */
  next(phase: Phase): number {
    let next = Infinity;
    for (const deadline of WAITED_FOR[phase]) if (this[deadline] < next) next = this[deadline];
    return next;
  }

  /** Those that a session in this state waits for whose time has come. */
  passed(phase: Phase, now: number): Deadline[] {
    return WAITED_FOR[phase].filter((deadline) => now >= this[deadline]);
  }
}
