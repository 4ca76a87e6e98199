/**
 * One UDP socket and the sessions on it: routes datagrams, runs timers, and gives sessions their turns.
 *
 * Everything happens in {@linkcode QuicSocket.turn}: receive a batch, expire timers, let each session that has work send
 * within its budget, hand the packets to the system. Who calls it, and how it waits in between, is the caller's: the
 * engine process blocks in `poll`, a library user's process awaits it.
 *
 * @module
 */
import type { CloseInfo } from "../../../errors.ts";
import { Holdings } from "../../../handler/holdings.ts";
import type { SocketAddress } from "../../../handler/connection.ts";
import { addressGroups } from "../../../ip.ts";
import type { Admission, Gate } from "../../../limits/gate.ts";
import type { Limits } from "../../../limits/limits.ts";
import type { CertificateKeyPair } from "../../../identity/key_pair.ts";
import { isOwnAlpn, type ProfileName, type TlsProfiles } from "../../tls_profile.ts";
import type { SessionEvents, SessionFacts } from "../link/link.ts";
import { Acceptor, type Newcomer } from "./admission/acceptor.ts";
import { type HostPort, hostPort, type Quiche, type QuicheConfig, type QuicheError } from "./binding.ts";
import { CID_LENGTH, connectionIdKey, newConnectionId } from "./admission/connection_ids.ts";
import { datagramSizeFor, PATH_DATAGRAM } from "./udp/datagram_size.ts";
import type { Abuse } from "./session/defence.ts";
import type { FlightRecorder } from "../link/flight_recorder.ts";
import { parseLongHeader } from "./admission/packet_header.ts";
import { Session } from "./session/session.ts";
import type { SessionHost } from "./session/session_host.ts";
import { Timers } from "./session/timers.ts";
import { DialConfigs, tlsConfig, type TlsConfigOptions } from "./tls_config.ts";
import { sameAddress, type UdpSocket } from "./udp/udp_socket.ts";

/** What a listening socket needs beyond a dialling one. */
export interface ServerOptions {
  readonly limits: Limits;
  /** Longest UDP payload to send; absent: chosen by the remote's address. */
  readonly datagramSize?: number;
  readonly alpns: readonly string[];
  readonly profiles: TlsProfiles;
  readonly gate: Gate;
  /** Gives the node's side of a new connection. */
  readonly accept: (session: Session, facts: SessionFacts) => SessionEvents;
  /** Told when a session is closed for abuse. */
  readonly onAbuse: (remote: SocketAddress, abuse: Abuse) => void;
}

/** Options of a {@linkcode QuicSocket}. */
export interface QuicSocketOptions {
  readonly quiche: Quiche;
  readonly udp: UdpSocket;
  /** Present on a socket that accepts. */
  readonly server?: ServerOptions;
  readonly recorder?: FlightRecorder;
  /** Told when a session has work outside of a turn. */
  readonly onWork: () => void;
  /** Sees each datagram first and may keep it, for tests that break the engine. */
  readonly tap?: (datagram: Uint8Array, from: SocketAddress) => void;
}

/** What a dial needs. */
export interface DialOptions {
  readonly remote: SocketAddress;
  readonly limits: Limits;
  /** Longest UDP payload to send; absent: chosen by the remote's address. */
  readonly datagramSize?: number;
  readonly serverName?: string;
  readonly tls: Omit<TlsConfigOptions, "datagramSize" | "limits">;
  readonly established: (session: Session, facts: SessionFacts) => SessionEvents | undefined;
  readonly failed: (info: CloseInfo, error: QuicheError | undefined) => void;
}

interface Held {
  readonly session: Session;
  readonly cid: number;
  readonly initialKey?: string;
  readonly admission?: Admission;
  readonly dial?: DialOptions;
  /** Whether the remote has sent what only somebody at its address can send. */
  proven: boolean;
}

/** Batches received in one turn, so that sending has its turn too. */
const BATCHES_PER_TURN = 4;
/** A batch of fewer datagrams emptied the system's buffer. */
const FULL_BATCH = 16;
/** Room for reading a stream; large, so that bulk takes few calls. */
const SCRATCH_BYTES = 256 * 1024;
/** Bytes of a ticket key as BoringSSL takes it: name, HMAC key, AES key. */
const TICKET_KEY_LENGTH = 48;
/** Time between looks at the counters, in milliseconds. */
const INSPECTION_INTERVAL = 1000;

/** A UDP socket with QUIC on it. */
export class QuicSocket implements SessionHost<Session> {
  readonly scratch: Uint8Array = new Uint8Array(SCRATCH_BYTES);
  readonly unread: Holdings = new Holdings();
  readonly #options: QuicSocketOptions;
  readonly #udp: UdpSocket;
  readonly #local: HostPort;
  readonly #acceptor: Acceptor | undefined;
  #profiles: TlsProfiles;
  readonly #configs = new Map<string, QuicheConfig>();
  readonly #dialConfigs = new DialConfigs();
  readonly #byCid = new Map<number, Held>();
  readonly #byInitial = new Map<string, Held>();
  readonly #held = new Map<Session, Held>();
  readonly #timers = new Timers<Session>();
  readonly #banned = new Map<string, number>();
  readonly #active = new Set<Session>();
  /** Those that received something in the batch in hand. */
  readonly #unjudged: Session[] = [];
  #queue: Session[] = [];
  #inTurn = false;
  #inspectAt = 0;

  /**
   * @param options The binding, the socket, the limits, and what accepts.
   * @throws {AlknetError} `TLS_CONFIG`.
   */
  constructor(options: QuicSocketOptions) {
    this.#options = options;
    this.#udp = options.udp;
    this.#local = hostPort(options.udp.address);
    const { server } = options;
    this.#profiles = server?.profiles ?? {};
    if (server) {
      const answer = (datagram: Uint8Array, to: SocketAddress) => this.#answer(datagram, to);
      this.#acceptor = new Acceptor({ ...server, now: () => this.now(), answer });
      // What is wrong with a certificate is to be known before the first client comes.
      const { datagramSize = PATH_DATAGRAM } = server;
      for (const profile of ["identity", "public"] as const) {
        if (this.#profiles[profile]) this.#serverConfig(profile, datagramSize);
      }
    }
  }

  /** Sessions that are not over. */
  get sessions(): number {
    return this.#held.size;
  }

  /** When the next timer is due, by {@linkcode now}. */
  get nextDeadline(): number {
    const inspect = this.#active.size > 0 || (this.#acceptor?.pending ?? 0) > 0;
    return inspect ? Math.min(this.#timers.next, this.#inspectAt) : this.#timers.next;
  }

  now(): number {
    return performance.now();
  }

  /** Refuses packets of an address for a while. */
  ban(unit: string, ms: number): void {
    this.#banned.set(unit, this.now() + ms);
  }

  /** Shows newcomers this certificate of the public profile; sessions that run keep theirs. */
  adjustCertificate(certificate: CertificateKeyPair): void {
    this.#profiles = { ...this.#profiles, public: certificate };
    for (const key of this.#configs.keys()) if (key.startsWith("public ")) this.#configs.delete(key);
  }

  /** Dials. The session's fate reaches `established` or `failed`. */
  dial(dial: DialOptions): Session {
    const { quiche } = this.#options;
    const { limits, datagramSize = datagramSizeFor(dial.remote) } = dial;
    // Frozen, it is known to the UDP socket by itself; else each packet's would be read anew.
    const remote = Object.freeze({ ...dial.remote });
    const config = this.#dialConfigs.get(quiche, { ...dial.tls, datagramSize, limits });
    const scid = newConnectionId();
    const connection = quiche.Connection.connect(dial.serverName ?? null, scid, this.#local, hostPort(remote), config);
    const session = new Session({
      quiche: connection,
      remote,
      local: this.#local,
      dialled: true,
      datagramSize,
      limits,
      host: this,
    });
    this.#hold({ session, cid: connectionIdKey(scid, 0), dial, proven: true });
    this.wake(session);
    return session;
  }

  /**
   * Does what there is to do. Returns whether there is more already.
   *
   * @param receive Whether something may wait to be received.
   */
  turn(receive = true): boolean {
    this.#inTurn = true;
    let batches = 0;
    while (receive && batches < BATCHES_PER_TURN) {
      const received = this.#udp.receive(this.#receive);
      for (const session of this.#unjudged) session.judge();
      this.#unjudged.length = 0;
      if (received > 0) batches++;
      if (received < FULL_BATCH) break;
    }
    this.#expire();
    this.#inTurn = false;
    const more = this.work();
    return more || batches === BATCHES_PER_TURN;
  }

  /** Gives each waiting session one turn, and their packets to the system. Returns whether some have more. */
  work(): boolean {
    this.#inTurn = true;
    const queue = this.#queue;
    this.#queue = [];
    for (const session of queue) {
      session.queued = false;
      this.#options.recorder?.enter(session.remote);
      const more = session.turn(this.#udp);
      this.#timers.update(session);
      if (more) this.wake(session);
    }
    this.#options.recorder?.leave();
    this.#inTurn = false;
    const flushed = this.#udp.flush();
    return flushed && this.#queue.length > 0;
  }

  /** Closes every session and sends what says so. The caller closes the UDP socket. */
  close(code: number, reason: string): void {
    for (const session of [...this.#held.keys()]) session.shutDown(code, reason);
    this.work();
  }

  wake(session: Session): void {
    if (session.queued) return;
    session.queued = true;
    this.#queue.push(session);
    if (!this.#inTurn) this.#options.onWork();
  }

  established(session: Session, facts: SessionFacts): SessionEvents | undefined {
    const held = this.#held.get(session)!;
    held.admission?.handshakeDone();
    if (held.initialKey) this.#byInitial.delete(held.initialKey);
    if (held.dial) return held.dial.established(session, facts);
    return this.#options.server!.accept(session, facts);
  }

  failed(session: Session, info: CloseInfo, error: QuicheError | undefined): void {
    this.#held.get(session)?.dial?.failed(info, error);
    this.#held.get(session)?.admission?.handshakeDone();
  }

  abused(session: Session, abuse: Abuse): void {
    this.#options.server?.onAbuse(session.remote, abuse);
  }

  gone(session: Session): void {
    const held = this.#held.get(session);
    if (!held) return;
    this.#held.delete(session);
    this.#byCid.delete(held.cid);
    if (held.initialKey) this.#byInitial.delete(held.initialKey);
    this.#timers.delete(session);
    this.#active.delete(session);
    held.admission?.release();
  }

  readonly #receive = (datagram: Uint8Array, from: SocketAddress): void => {
    this.#options.recorder?.enter(from);
    this.#options.tap?.(datagram, from);
    if (datagram.byteLength < 1 + CID_LENGTH || this.#isBanned(from)) return;
    const short = (datagram[0] & 0x80) === 0;
    const held = short ? this.#named(datagram, 1, from) : this.#route(datagram, from);
    // Migration is not served: a packet from elsewhere is somebody else's, whatever id it carries.
    if (held && sameAddress(held.session.remote, from)) this.#deliver(held, datagram);
  };

  #deliver({ session }: Held, datagram: Uint8Array): void {
    if (session.receive(datagram)) this.#unjudged.push(session);
    this.#active.add(session);
    this.wake(session);
  }

  /** The session that an id of ours names: whoever sends it has got what was sent to its address. */
  #named(bytes: Uint8Array, at: number, from: SocketAddress): Held | undefined {
    const held = this.#byCid.get(connectionIdKey(bytes, at));
    if (held && !held.proven && sameAddress(held.session.remote, from)) {
      held.proven = true;
      held.session.proveAddress();
      held.admission?.prove();
    }
    return held;
  }

  /** The session of a packet with a long header, made if need be. */
  #route(datagram: Uint8Array, from: SocketAddress): Held | undefined {
    const header = parseLongHeader(datagram);
    if (!header) return;
    if (header.dcid.byteLength === CID_LENGTH) {
      const held = this.#named(header.dcid, 0, from);
      if (held) return held;
    }
    if (!this.#acceptor) return;
    const key = `${from.hostname} ${from.port} ${String.fromCharCode(...header.dcid)}`;
    const held = this.#byInitial.get(key);
    if (held) return held;
    const newcomer = this.#acceptor.consider(datagram, header, from, key);
    if (newcomer) this.#welcome(newcomer, key);
  }

  #welcome(newcomer: Newcomer, initialKey: string): void {
    const { remote, profile, scid, odcid, admission, datagrams } = newcomer;
    const cid = connectionIdKey(scid, 0);
    if (this.#byCid.has(cid)) return admission.release();
    const { quiche, server } = this.#options;
    const { limits, datagramSize = datagramSizeFor(remote) } = server!;
    const config = this.#serverConfig(profile, datagramSize);
    // A ticket of the identity profile would be an identity without its key: no key that sealed one is kept.
    const mustProve = profile === "identity";
    if (mustProve) config.setTicketKey(crypto.getRandomValues(new Uint8Array(TICKET_KEY_LENGTH)));
    const connection = quiche.Connection.accept(scid, odcid, this.#local, hostPort(remote), config);
    const session = new Session({
      quiche: connection,
      remote,
      local: this.#local,
      dialled: false,
      mustProve,
      proven: odcid !== null,
      datagramSize,
      limits,
      host: this,
    });
    const held: Held = { session, cid, initialKey, admission, proven: odcid !== null };
    this.#hold(held);
    this.#byInitial.set(initialKey, held);
    for (const datagram of datagrams) this.#deliver(held, datagram);
  }

  #hold(held: Held): void {
    this.#held.set(held.session, held);
    this.#byCid.set(held.cid, held);
  }

  #serverConfig(profile: ProfileName, datagramSize: number): QuicheConfig {
    const key = `${profile} ${datagramSize}`;
    let config = this.#configs.get(key);
    if (!config) {
      const profiles = this.#profiles;
      // A client that shows us one hello and quiche another is not to reach our own protocols without its certificate.
      const own = profile === "identity" || !profiles.identity;
      const alpns = this.#options.server!.alpns.filter((alpn) => own || !isOwnAlpn(alpn));
      const peer = profile === "identity" ? "require" : "none";
      const options = {
        alpns,
        certificate: profiles[profile],
        peer,
        datagramSize,
        limits: this.#options.server!.limits,
      } as const;
      this.#configs.set(key, config = tlsConfig(this.#options.quiche, options));
    }
    return config;
  }

  #expire(): void {
    const now = this.now();
    this.#timers.expire(now, (session) => {
      this.#options.recorder?.enter(session.remote);
      session.expire();
    });
    if (now < this.#inspectAt) return;
    this.#inspectAt = now + INSPECTION_INTERVAL;
    // Only those that received something since the last look: idle connections cost nothing.
    const active = [...this.#active];
    this.#active.clear();
    for (const session of active) session.inspect();
    this.#acceptor?.sweep();
    for (const [address, until] of this.#banned) if (until <= now) this.#banned.delete(address);
  }

  #isBanned(from: SocketAddress): boolean {
    if (this.#banned.size === 0) return false;
    const now = this.now();
    return addressGroups(from.hostname).some((unit) => (this.#banned.get(unit) ?? 0) > now);
  }

  #answer(datagram: Uint8Array, to: SocketAddress): void {
    this.#udp.slot(datagram.byteLength).set(datagram);
    this.#udp.commit(datagram.byteLength, to);
  }
}
