/**
 * Answers that cost a server no state: Retry, with the tokens that prove a client's address (RFC 9000 §8.1.2), and
 * version negotiation (RFC 9000 §6).
 *
 * A token holds what the server would otherwise have to remember, and is good for one address, one port, one connection
 * ID and a short while:
 *
 * ```text
 * 0   6   when it was made, ms of the server's clock
 * 6   1   length of the client's original destination connection ID, at most 20
 * 7   n   that ID
 * ..  16  HMAC-SHA256 under a key of this process, cut: over the bytes above, the length and bytes of the connection ID
 *         that the Retry gave, the port (2 bytes) and the IP address (text)
 * ```
 *
 * @module
 */
import { createCipheriv, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { SocketAddress } from "../../../../handler/connection.ts";
import { type LongHeader, MAX_CID_LENGTH, MIN_INITIAL_DATAGRAM, QUIC_V1 } from "./packet_header.ts";

/** How long a token is good, ms: a client answers a Retry at once, so this is a slow path's round trip with losses. */
export const TOKEN_LIFETIME = 15_000;
/** How long a token key mints, ms. It is accepted for as long again. */
export const TOKEN_KEY_PERIOD = 60_000;

/** What a token is made from. */
export interface TokenBinding {
  /** Where the client's packet came from. The host is compared as text: give it as the socket gives it, always. */
  readonly address: SocketAddress;
  /** Destination connection ID of the client's first Initial. */
  readonly odcid: Uint8Array;
  /** The connection ID that the Retry gives as its source, and the client must use from then on. */
  readonly scid: Uint8Array;
}

/** Durations of {@linkcode RetryTokens}. */
export interface RetryTokenOptions {
  /** Milliseconds that a token is good. Default {@linkcode TOKEN_LIFETIME}. */
  readonly lifetime?: number;
  /** Milliseconds after which a new key takes over. Default {@linkcode TOKEN_KEY_PERIOD}. */
  readonly keyPeriod?: number;
}

/** A Retry packet to be. */
export interface RetryPacket {
  /** Source connection ID of the client's Initial. */
  readonly dcid: Uint8Array;
  /** A new connection ID of ours; never the client's `odcid` (RFC 9000 §17.2.5.1). */
  readonly scid: Uint8Array;
  /** Destination connection ID of the client's Initial. */
  readonly odcid: Uint8Array;
  /** The token, not empty. */
  readonly token: Uint8Array;
}

const TIME_LENGTH = 6;
const BEFORE_ODCID = TIME_LENGTH + 1;
const MAC_LENGTH = 16;
const KEY_LENGTH = 32;

/** RFC 9001 §5.8. */
const RETRY_KEY = Uint8Array.from([
  ...[0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66, 0x57, 0x5a, 0x1d, 0x76, 0x6b, 0x54, 0xe3, 0x68, 0xc8, 0x4e],
]);
const RETRY_NONCE = Uint8Array.from([0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63, 0x2b, 0xf2, 0x23, 0x98, 0x25, 0xbb]);
const RETRY_TAG_LENGTH = 16;

/**
 * Mints and opens the tokens of Retry packets. Keys live in this object alone: another process, or this one after a
 * restart, knows none of its tokens.
 */
export class RetryTokens {
  readonly #now: () => number;
  readonly #random: (length: number) => Uint8Array;
  readonly #lifetime: number;
  readonly #keyPeriod: number;
  #key: Uint8Array;
  #previous: Uint8Array | undefined;
  #keySince: number;

  /**
   * @param now Clock, ms, not negative, not going back; a monotonic one serves best.
   * @param random Secret random bytes.
   */
  constructor(
    now: () => number,
    random: (length: number) => Uint8Array = randomBytes,
    options: RetryTokenOptions = {},
  ) {
    const { lifetime = TOKEN_LIFETIME, keyPeriod = TOKEN_KEY_PERIOD } = options;
    this.#now = now;
    this.#random = random;
    this.#lifetime = lifetime;
    this.#keyPeriod = keyPeriod;
    this.#key = random(KEY_LENGTH);
    this.#keySince = Math.floor(now());
  }

  /** A token for the Retry that answers a client. */
  mint(binding: TokenBinding): Uint8Array {
    const { address, odcid, scid } = binding;
    if (odcid.length > MAX_CID_LENGTH) {
      throw new RangeError(`odcid of ${odcid.length} bytes: at most ${MAX_CID_LENGTH}`);
    }
    const now = Math.floor(this.#now());
    this.#rotate(now);
    const body = BEFORE_ODCID + odcid.length;
    const token = new Uint8Array(body + MAC_LENGTH);
    for (let i = TIME_LENGTH - 1, rest = now; i >= 0; i--, rest = Math.floor(rest / 256)) token[i] = rest % 256;
    token[TIME_LENGTH] = odcid.length;
    token.set(odcid, BEFORE_ODCID);
    token.set(mac(this.#key, token.subarray(0, body), scid, address), body);
    return token;
  }

  /**
   * What a token says, if it is one of ours, made for this address a short while ago, and the packet that carries it is
   * sent to the connection ID that the Retry gave. Anything else gives nothing; no bytes make it throw.
   *
   * @param dcid Destination connection ID of the packet that carries the token.
   */
  open(token: Uint8Array, address: SocketAddress, dcid: Uint8Array): { odcid: Uint8Array } | undefined {
    const body = token.length - MAC_LENGTH;
    if (body < BEFORE_ODCID || body !== BEFORE_ODCID + token[TIME_LENGTH] || dcid.length > MAX_CID_LENGTH) {
      return undefined;
    }
    const now = Math.floor(this.#now());
    let minted = 0;
    for (let i = 0; i < TIME_LENGTH; i++) minted = minted * 256 + token[i];
    // Before the MAC: what is too old costs nothing more.
    if (minted > now || now - minted > this.#lifetime) return undefined;
    this.#rotate(now);
    const said = token.subarray(body);
    const content = token.subarray(0, body);
    if (
      timingSafeEqual(said, mac(this.#key, content, dcid, address)) ||
      (this.#previous && timingSafeEqual(said, mac(this.#previous, content, dcid, address)))
    ) return { odcid: new Uint8Array(token.subarray(BEFORE_ODCID, body)) };
    return undefined;
  }

  #rotate(now: number): void {
    const age = now - this.#keySince;
    if (age < this.#keyPeriod) return;
    // After a quiet time both keys are past their end.
    this.#previous = age < 2 * this.#keyPeriod ? this.#key : undefined;
    this.#key = this.#random(KEY_LENGTH);
    this.#keySince = now;
  }
}

/**
 * A Retry packet of version 1 with its integrity tag (RFC 9000 §17.2.5, RFC 9001 §5.8). Smaller than any datagram that
 * calls for one.
 */
export function encodeRetry(packet: RetryPacket): Uint8Array {
  const { dcid, scid, odcid, token } = packet;
  const head = 1 + odcid.length;
  const length = 7 + dcid.length + scid.length + token.length;
  // The tag authenticates the packet as if the original destination connection ID stood in front of it.
  const bytes = new Uint8Array(head + length + RETRY_TAG_LENGTH);
  bytes[0] = odcid.length;
  bytes.set(odcid, 1);
  // Type 3; the four unused bits are arbitrary, and set as in RFC 9001 A.4.
  bytes[head] = 0xff;
  bytes[head + 4] = QUIC_V1;
  const tokenAt = putConnectionIds(bytes, head + 5, dcid, scid);
  bytes.set(token, tokenAt);
  const cipher = createCipheriv("aes-128-gcm", RETRY_KEY, RETRY_NONCE);
  cipher.setAAD(bytes.subarray(0, head + length));
  cipher.final();
  bytes.set(cipher.getAuthTag(), head + length);
  return bytes.subarray(head);
}

/**
 * The version negotiation packet (RFC 9000 §17.2.1) that a datagram calls for; nothing where none is due: its version is
 * ours, it is itself a version negotiation, or it is below 1200 bytes, so that no answer is larger than its question
 * (RFC 9000 §5.2.2, §6.1).
 *
 * @param header The long header at the datagram's begin.
 */
export function encodeVersionNegotiation(datagram: Uint8Array, header: LongHeader): Uint8Array | undefined {
  if (header.type !== "unknown" || datagram.length < MIN_INITIAL_DATAGRAM) return undefined;
  const { dcid, scid } = header;
  const bytes = new Uint8Array(7 + dcid.length + scid.length + 4);
  // The seven bits behind the form are unused; the one where other versions have the fixed bit is best set.
  bytes[0] = 0xc0;
  const end = putConnectionIds(bytes, 5, scid, dcid);
  bytes[end + 3] = QUIC_V1;
  return bytes;
}

function putConnectionIds(bytes: Uint8Array, at: number, dcid: Uint8Array, scid: Uint8Array): number {
  bytes[at] = dcid.length;
  bytes.set(dcid, at + 1);
  const next = at + 1 + dcid.length;
  bytes[next] = scid.length;
  bytes.set(scid, next + 1);
  return next + 1 + scid.length;
}

function mac(key: Uint8Array, content: Uint8Array, scid: Uint8Array, address: SocketAddress): Uint8Array {
  const binding = Uint8Array.from([scid.length, ...scid, address.port >> 8, address.port & 0xff]);
  return createHmac("sha256", key).update(content).update(binding).update(address.hostname).digest()
    .subarray(0, MAC_LENGTH);
}
