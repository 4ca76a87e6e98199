/**
 * Decides about newcomers: which first packets become sessions, with which certificate, and at what cost.
 *
 * In order, cheapest first: a packet of another version is answered with the versions we speak; an address that must be
 * proven gets a Retry; the gate says whether there is room; only then are the client's protocols read and a session made.
 *
 * @module
 */
import type { SocketAddress } from "../../../../handler/connection.ts";
import { addressGroup } from "../../../../ip.ts";
import type { Admission, Gate } from "../../../../limits/gate.ts";
import type { Limits } from "../../../../limits/limits.ts";
import { profileByAlpn, type ProfileName, type TlsProfiles } from "../../../tls_profile.ts";
import { ClientHelloReader } from "./client_hello.ts";
import { CID_LENGTH, newConnectionId } from "./connection_ids.ts";
import { type LongHeader, MIN_INITIAL_DATAGRAM } from "./packet_header.ts";
import { encodeRefusal } from "./refusal.ts";
import { encodeRetry, encodeVersionNegotiation, RetryTokens } from "./retry.ts";

/** A newcomer for whom a session is to be made. */
export interface Newcomer {
  /** Where it is. */
  readonly remote: SocketAddress;
  /** The certificate to show it. */
  readonly profile: ProfileName;
  /** Our connection id: a new one, or the one that the Retry gave. */
  readonly scid: Uint8Array;
  /** The client's first destination connection id, when it came back with a token. */
  readonly odcid: Uint8Array | null;
  /** Its place. */
  readonly admission: Admission;
  /** Its packets so far. */
  readonly datagrams: readonly Uint8Array[];
}

/** Options of an {@linkcode Acceptor}. */
export interface AcceptorOptions {
  readonly gate: Gate;
  readonly limits: Limits;
  readonly profiles: TlsProfiles;
  readonly now: () => number;
  /** Sends a stateless answer. */
  readonly answer: (datagram: Uint8Array, to: SocketAddress) => void;
}

interface Pending {
  readonly key: string;
  readonly remote: SocketAddress;
  readonly reader: ClientHelloReader;
  readonly datagrams: Uint8Array[];
  bytes: number;
  readonly admission: Admission;
  readonly scid: Uint8Array;
  readonly odcid: Uint8Array | null;
  readonly since: number;
}

/**
 * Version negotiations and refusals in a second, so that a spray of packets makes no flood of answers. A Retry is not
 * counted: it is far shorter than what asks for it, and during a flood it is the one way in for an honest newcomer.
 */
const ANSWERS_PER_SECOND = 1000;
/** Of these, to one address: a refused client asks again within the second, and a burst of them is told by and by. */
const ANSWERS_PER_ADDRESS = 8;

/** Admission of newcomers to one socket. */
export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #tokens: RetryTokens;
  readonly #pending = new Map<string, Pending>();
  #answers = 0;
  readonly #answersTo = new Map<string, number>();
  #answersSince = 0;

  /** @param options Gate, limits, certificates, clock. */
  constructor(options: AcceptorOptions) {
    this.#options = options;
    this.#tokens = new RetryTokens(options.now);
  }

  /**
   * Looks at a packet that belongs to no session. Returns a newcomer when there is one; most packets end here.
   *
   * @param key Names the client's first destination connection id at its address.
   */
  consider(datagram: Uint8Array, header: LongHeader, remote: SocketAddress, key: string): Newcomer | undefined {
    if (header.type === "unknown") {
      this.#answer(remote, () => encodeVersionNegotiation(datagram, header));
      return;
    }
    if (header.type !== "initial" || datagram.byteLength < MIN_INITIAL_DATAGRAM) return;
    const pending = this.#pending.get(key) ?? this.#admit(header, remote, key);
    return pending && this.#read(pending, datagram);
  }

  /** Newcomers whose hello is not whole yet. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Drops hellos that never became whole. Called once a second; the table is as small as the gate's handshakes. */
  sweep(): void {
    const latest = this.#options.now() - this.#options.limits.handshakeTimeout;
    for (const pending of this.#pending.values()) {
      if (pending.since > latest) return;
      this.#drop(pending);
    }
  }

  #admit(header: LongHeader, remote: SocketAddress, key: string): Pending | undefined {
    const { gate, now } = this.#options;
    const proof = header.token.byteLength > 0 ? this.#tokens.open(header.token, remote, header.dcid) : undefined;
    if (!proof && (gate.mustRetry || gate.mustProve(remote.hostname))) return this.#retry(header, remote);
    if (proof && header.dcid.byteLength !== CID_LENGTH) return;
    const admission = gate.admit(remote.hostname, { proven: proof !== undefined });
    if (typeof admission === "string") {
      this.#answer(remote, () => encodeRefusal(header));
      return;
    }
    const pending: Pending = {
      key,
      remote,
      reader: new ClientHelloReader(),
      datagrams: [],
      bytes: 0,
      admission,
      scid: proof ? header.dcid.slice() : newConnectionId(),
      odcid: proof ? proof.odcid.slice() : null,
      since: now(),
    };
    this.#pending.set(key, pending);
    return pending;
  }

  #retry(header: LongHeader, remote: SocketAddress): undefined {
    const scid = newConnectionId();
    const token = this.#tokens.mint({ address: remote, odcid: header.dcid, scid });
    this.#options.answer(encodeRetry({ dcid: header.scid, scid, odcid: header.dcid, token }), remote);
  }

  #read(pending: Pending, datagram: Uint8Array): Newcomer | undefined {
    const hello = pending.reader.feed(datagram);
    pending.bytes += datagram.byteLength;
    if (hello === "invalid" || pending.bytes > this.#options.limits.maxHandshakeBytes) return this.#drop(pending);
    // Copied: the socket reuses its buffers.
    pending.datagrams.push(datagram.slice());
    if (hello === "more") return;
    this.#pending.delete(pending.key);
    const { remote, scid, odcid, admission, datagrams } = pending;
    const profile = profileByAlpn(hello.alpns, this.#options.profiles);
    return { remote, profile, scid, odcid, admission, datagrams };
  }

  #drop(pending: Pending): undefined {
    this.#pending.delete(pending.key);
    pending.admission.release();
  }

  /**
   * Makes an answer and sends it, if those of this second are not used up, nor the address's of them: sealing one costs more
   * than all that came before.
   */
  #answer(remote: SocketAddress, make: () => Uint8Array | undefined): void {
    const now = this.#options.now();
    if (now - this.#answersSince >= 1000) {
      this.#answersSince = now;
      this.#answers = 0;
      this.#answersTo.clear();
    }
    if (this.#answers >= ANSWERS_PER_SECOND) return;
    const unit = addressGroup(remote.hostname);
    const had = this.#answersTo.get(unit) ?? 0;
    if (had >= ANSWERS_PER_ADDRESS) return;
    const datagram = make();
    if (!datagram) return;
    this.#answers++;
    this.#answersTo.set(unit, had + 1);
    this.#options.answer(datagram, remote);
  }
}
