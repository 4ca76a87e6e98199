/**
 * Says the handshake again when a path loses it, and keeps a server from saying too much to an address that may be forged.
 *
 * quiche 0.18 probes once after a second, then at doubling intervals, and half of its probes say nothing of the handshake:
 * it counts itself done when it has sent its last flight, and probes with packets that the peer has no keys for yet
 * (RFC 9002 §6.2.1 forbids that until the handshake is confirmed). Where one packet in five is lost, one handshake in
 * fifty ran out of time. So the datagrams of the handshake are kept, and sent again as they are; to the peer they are what
 * a network may do to any datagram: copies.
 *
 * @module
 */

/** Wait for the first copies, in milliseconds; it doubles. Above the round trip of most paths, below quiche's first probe. */
const FIRST_WAIT = 400;
/** Datagrams kept: a long certificate chain fits, and quiche's own probes add little. */
const MAX_KEPT = 4;
/** A shorter one holds acknowledgements alone. */
const MIN_LENGTH = 100;
/** What a server may send for each byte of an address that is not proven (RFC 9000 §8.1). */
const AMPLIFICATION = 3;
/** The bits of the first byte that say Initial, and which they are: header protection leaves them alone (RFC 9001 §5.4.1). */
const INITIAL = 0xc0;
const TYPE_BITS = 0xf0;
/** Set in the first byte of Initial and Handshake packets (RFC 9000 §17.2). */
export const LONG_HEADER = 0x80;

/** RFC 9000 §14.1: a shorter datagram would not carry a server's Initial, so less is as good as nothing. */
const MIN_DATAGRAM = 1200;

/** What one side says in its handshake. */
export class HandshakeFlight {
  /** When copies are to be sent, in the milliseconds of the caller's clock. */
  due = Infinity;
  /** Bytes received during the handshake. */
  received = 0;
  /** Whether the peer needs nothing more of it. */
  confirmed = false;
  readonly #dialled: boolean;
  #proven: boolean;
  #kept: Uint8Array[] = [];
  #wait = FIRST_WAIT;
  #sent = 0;
  #complete = false;

  /**
   * @param dialled Whether this is the client's side.
   * @param proven Whether the other side's address has been proven, as by a Retry.
   */
  constructor(dialled: boolean, proven = dialled) {
    this.#dialled = dialled;
    this.#proven = proven;
  }

  /** Bytes that may be sent now, in one datagram; 0 until more has come or the address is proven (RFC 9000 §8.1). */
  get allowance(): number {
    if (this.#proven) return Infinity;
    const bytes = AMPLIFICATION * this.received - this.#sent;
    return bytes < MIN_DATAGRAM ? 0 : bytes;
  }

  /** Notes that the other side has what was sent to its address. */
  prove(): void {
    this.#proven = true;
  }

  /** Whether a datagram begins with an Initial for which a server has no keys any more (RFC 9001 §4.9.1): not worth a look. */
  isLate(datagram: Uint8Array): boolean {
    return this.confirmed && !this.#dialled && (datagram[0] & TYPE_BITS) === INITIAL;
  }

  /** Notes a datagram that came in, before it is decrypted. */
  arrived(datagram: Uint8Array): void {
    if (!this.#complete) this.received += datagram.byteLength;
    // The server has keys for these once it knows the client's last flight (RFC 9001 §5.7).
    else if (!this.confirmed && !(datagram[0] & LONG_HEADER)) this.#confirm();
  }

  /** Notes a datagram that left, and keeps a copy if it is the handshake's. */
  left(datagram: Uint8Array, now: number): void {
    this.#sent += datagram.byteLength;
    if (!(datagram[0] & LONG_HEADER) || datagram.byteLength < MIN_LENGTH) return;
    if (this.#kept.length === MAX_KEPT) this.#kept.shift();
    this.#kept.push(datagram.slice());
    if (this.due === Infinity) this.due = now + this.#wait;
  }

  /** The handshake is complete on this side (RFC 9001 §4.1.1): for a server it is confirmed, a client has a flight to go. */
  complete(): void {
    this.#complete = this.#proven = true;
    if (!this.#dialled) return this.#confirm();
    this.#kept = [];
    this.#wait = FIRST_WAIT;
    this.due = Infinity;
  }

  /** The copies to send now, if any. */
  copies(now: number): readonly Uint8Array[] {
    if (now < this.due) return [];
    this.#wait *= 2;
    this.due = now + this.#wait;
    const bytes = this.#kept.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (!this.#proven && this.#sent + bytes > AMPLIFICATION * this.received) return [];
    this.#sent += bytes;
    return this.#kept;
  }

  /** Forgets what was kept. */
  #confirm(): void {
    this.confirmed = true;
    this.#kept = [];
    this.due = Infinity;
  }
}
