/**
 * Gives what comes in to quiche, and counts the frames of those packets that were genuine.
 *
 * quiche does not say of a packet whether it was. Its counters do, and reading them costs about as much as decrypting a
 * packet; so they are read once for many.
 *
 * @module
 */
import type { HostPort, QuicheConnection } from "../binding.ts";
import { longPacketsEnd } from "../admission/packet_header.ts";
import type { FrameBudget } from "./frame_budget.ts";

/** Packets whose frames are counted at once, at most: what a peer may hide among them, once, is to be little. */
const MAX_UNJUDGED = 32;

/** The way in of one session. */
export class Intake {
  readonly #quiche: QuicheConnection;
  readonly #info: { readonly from: HostPort; readonly to: HostPort };
  readonly #frames: FrameBudget;
  readonly #unjudged: Uint8Array[] = [];
  /** Packets that quiche took, up to the last time that it was asked, */
  #taken = 0;
  /** after which it was given long packets. */
  #behind = false;
  /** Whether something came that was not genuine. */
  #doubts = false;

  /**
   * @param quiche The connection.
   * @param info Where its packets come from and go to.
   * @param frames Counts the frames.
   */
  constructor(quiche: QuicheConnection, info: { readonly from: HostPort; readonly to: HostPort }, frames: FrameBudget) {
    this.#quiche = quiche;
    this.#info = info;
    this.#frames = frames;
  }

  /** Packets that quiche took. */
  get taken(): number {
    return this.#taken = this.#quiche.stats().recv;
  }

  /**
   * Takes one datagram; quiche overwrites it while decrypting.
   *
   * @param confirmed Whether the handshake is, after which a server sends no long packets.
   * @returns Whether {@linkcode Intake.judge} is to be called before the datagram's buffer is used again.
   */
  receive(datagram: Uint8Array, confirmed: boolean): boolean {
    const end = longPacketsEnd(datagram);
    if (end === 0 && confirmed && !this.#doubts) {
      this.#catchUp();
      this.#give(datagram);
      if (this.#unjudged.push(datagram) === MAX_UNJUDGED) this.judge();
      return this.#unjudged.length === 1;
    }
    this.judge();
    if (end > 0) {
      this.#give(datagram.subarray(0, end));
      this.#behind = true;
    }
    const short = datagram.subarray(end);
    if (short[0] < 0x80) {
      // One after the other: of a datagram as a whole it would not be known which of its packets were genuine.
      this.#catchUp();
      this.#give(short);
      if (this.#news() > 0) this.#frames.count(short);
    }
    return false;
  }

  /**
   * Counts the frames of the packets since the last time, if all of them were genuine. Where one was not, nobody knows which,
   * and from then on each is asked about.
   */
  judge(): void {
    const packets = this.#unjudged.length;
    if (packets === 0) return;
    if (this.#news() === packets) { for (const packet of this.#unjudged) this.#frames.count(packet); }
    else this.#doubts = true;
    this.#unjudged.length = 0;
  }

  #give(packets: Uint8Array): void {
    try {
      this.#quiche.recv(packets, this.#info);
    } catch { /* quiche has noted what was wrong and closes the connection itself where RFC 9000 asks for it */ }
  }

  #catchUp(): void {
    if (this.#behind) this.#news();
  }

  /** Packets that quiche took since the last time. */
  #news(): number {
    const before = this.#taken;
    this.#behind = false;
    return this.taken - before;
  }
}
