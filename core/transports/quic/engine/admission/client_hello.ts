/**
 * The part of a TLS ClientHello that decides which certificate a server shows: protocols and server name, read out of
 * a client's first Initial packets before the engine's native half sees them.
 *
 * A hello may span datagrams, its CRYPTO frames may come in any order, overlap and repeat (RFC 9000 §19.6; Chromium
 * shuffles them on purpose). What is read here the native half reads again and judges for itself; the reader only has
 * to agree with it on what the hello says, to stay within its bounds, and never to throw.
 *
 * @module
 */
import { MIN_INITIAL_DATAGRAM, parseLongHeader, readVarint, varintLength } from "./packet_header.ts";
import { clientInitialKeys, type InitialKeys, openInitial } from "./packet_protection.ts";
import { type ClientHello, HELLO_HEADER, helloLength, parseClientHello } from "../../../tls_client_hello.ts";

export type { ClientHello };

/** Bytes of CRYPTO data. A hello with two post-quantum key shares is below 4 KiB; BoringSSL's own bound is 16 KiB. */
export const MAX_HELLO_LENGTH = 16_384;
/** Datagrams. Chromium's hello takes two; the rest is for lost and repeated ones. */
export const MAX_HELLO_DATAGRAMS = 10;
/** Initial packets in one datagram. A client sends one; each costs a decryption, and thousands of small ones would fit. */
export const MAX_INITIALS_PER_DATAGRAM = 4;
/** A client's first destination connection ID has at least as many bytes (RFC 9000 §7.2). */
const MIN_FIRST_DCID = 8;
const USUAL_HELLO_LENGTH = 2048;

const PADDING = 0x00;
const PING = 0x01;
const ACK = 0x02;
const ACK_ECN = 0x03;
const CRYPTO = 0x06;

/**
 * Reads one client's hello, datagram by datagram.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * assert.equal(new ClientHelloReader().feed(new Uint8Array(1200)), "invalid");
 * ```
 */
export class ClientHelloReader {
  #keys: InitialKeys | undefined;
  #dcid: Uint8Array | undefined;
  #datagrams = 0;
  #outcome: "invalid" | ClientHello | undefined;
  #data = new Uint8Array(0);
  /** Marks bytes of `#data` that came out of order; made when the first do. */
  #arrived: Uint8Array | undefined;
  /** Bytes of `#data` that are there without a gap. */
  #prefix = 0;

  /**
   * Takes the next datagram of the client and says where things stand: `more` needed; `invalid`, drop the client; or the
   * hello. The last two are final. A datagram that does not authenticate changes nothing, unless it is the first: then
   * there is nothing to keep. The datagram is neither changed nor kept.
   */
  feed(datagram: Uint8Array): "more" | "invalid" | ClientHello {
    if (this.#outcome) return this.#outcome;
    if (++this.#datagrams > MAX_HELLO_DATAGRAMS) return this.#outcome = "invalid";
    const opened = datagram.length >= MIN_INITIAL_DATAGRAM && this.#readPackets(datagram);
    if (!opened && this.#datagrams === 1) this.#outcome = "invalid";
    this.#finish();
    return this.#outcome ?? "more";
  }

  /** Whether an Initial packet of the datagram was authentic. Others in it are passed over (RFC 9000 §12.2). */
  #readPackets(datagram: Uint8Array): boolean {
    let opened = false;
    let initials = 0;
    for (let at = 0; at < datagram.length && !this.#outcome;) {
      const header = parseLongHeader(datagram, at);
      if (!header || header.type === "unknown" || header.type === "negotiation") break;
      if (header.type === "initial" && this.#isOurs(header.dcid)) {
        if (++initials > MAX_INITIALS_PER_DATAGRAM) {
          this.#outcome = "invalid";
          break;
        }
        this.#keys ??= clientInitialKeys(header.dcid);
        const packet = openInitial(this.#keys, datagram, at, header);
        if (packet) {
          opened = true;
          // RFC 9000 §17.2: the reserved bits are zero once the protection is off.
          if ((packet.first & 0x0c) !== 0 || !this.#readFrames(packet.payload)) this.#outcome = "invalid";
        }
      }
      at = header.end;
    }
    return opened;
  }

  #isOurs(dcid: Uint8Array): boolean {
    if (!this.#dcid) {
      if (dcid.length < MIN_FIRST_DCID) return false;
      this.#dcid = new Uint8Array(dcid);
      return true;
    }
    return sameBytes(dcid, this.#dcid);
  }

  /** False if a frame is malformed or not allowed in an Initial packet (RFC 9000 §12.4), or ends the connection. */
  #readFrames(payload: Uint8Array): boolean {
    const end = payload.length;
    if (end === 0) return false;
    for (let at = 0; at < end;) {
      const type = payload[at++];
      if (type === PADDING || type === PING) continue;
      if (type === CRYPTO) {
        const offset = readVarint(payload, at, end);
        if (offset < 0) return false;
        at += varintLength(payload, at);
        const length = readVarint(payload, at, end);
        if (length < 0) return false;
        at += varintLength(payload, at);
        if (length > end - at || !this.#place(offset, payload, at, length)) return false;
        at += length;
      } else if (type === ACK || type === ACK_ECN) {
        at = skipAck(payload, at, type === ACK_ECN);
        if (at < 0) return false;
      } else return false;
    }
    return true;
  }

  /** False past the bound, and where a byte comes again with another value (RFC 9000 §2.2). */
  #place(offset: number, source: Uint8Array, from: number, length: number): boolean {
    const end = offset + length;
    if (end > MAX_HELLO_LENGTH) return false;
    if (end > this.#data.length) this.#grow(end);
    const data = this.#data;
    const prefix = this.#prefix;
    if (offset === prefix && !this.#arrived) {
      data.set(source.subarray(from, from + length), offset);
      this.#prefix = end;
      return true;
    }
    const arrived = this.#arrived ??= new Uint8Array(data.length);
    for (let i = offset; i < end; i++) {
      const byte = source[from + i - offset];
      if (i >= prefix && arrived[i] === 0) {
        data[i] = byte;
        arrived[i] = 1;
      } else if (data[i] !== byte) return false;
    }
    let whole = prefix;
    while (arrived[whole] === 1) whole++;
    this.#prefix = whole;
    return true;
  }

  #grow(needed: number): void {
    const size = needed <= USUAL_HELLO_LENGTH ? USUAL_HELLO_LENGTH : MAX_HELLO_LENGTH;
    const data = new Uint8Array(size);
    data.set(this.#data);
    this.#data = data;
    if (!this.#arrived) return;
    const arrived = new Uint8Array(size);
    arrived.set(this.#arrived);
    this.#arrived = arrived;
  }

  #finish(): void {
    if (this.#outcome || this.#prefix < HELLO_HEADER) return;
    const length = helloLength(this.#data);
    if (length < 0 || length > MAX_HELLO_LENGTH) this.#outcome = "invalid";
    else if (length <= this.#prefix) this.#outcome = parseClientHello(this.#data.subarray(0, length)) ?? "invalid";
    if (!this.#outcome) return;
    this.#data = new Uint8Array(0);
    this.#arrived = undefined;
    this.#keys = undefined;
  }
}

/** Offset behind an ACK frame whose fields begin at `at` (RFC 9000 §19.3); -1 if it is cut. */
function skipAck(payload: Uint8Array, at: number, ecn: boolean): number {
  const end = payload.length;
  let fields = 4;
  for (let i = 0; i < fields; i++) {
    const value = readVarint(payload, at, end);
    if (value < 0) return -1;
    // The third field counts the further ranges, two fields each.
    if (i === 2) fields += 2 * value + (ecn ? 3 : 0);
    at += varintLength(payload, at);
  }
  return at;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
