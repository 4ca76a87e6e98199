/**
 * A bad path in this process: a UDP relay that loses, doubles, reorders and delays datagrams, and goes dark when told.
 *
 * It needs no privileges and works everywhere; its choices follow a seed. Where the system allows it, the same faults are
 * made by the kernel instead (`tests/faults/netem_test.ts`).
 *
 * @module
 */
import type { SocketAddress } from "../../core/handler/connection.ts";
import { bindUdp, type UdpSocket } from "../../core/transports/quic/engine/udp/udp.ts";
import { Random } from "./random.ts";

/** What the path does to each datagram, either way. */
export interface LinkFaults {
  /** Share lost, 0 to 1. */
  readonly loss?: number;
  /** Share that arrives twice, 0 to 1. */
  readonly duplicate?: number;
  /** Share held back so that later ones overtake it, 0 to 1. */
  readonly reorder?: number;
  /** One way, in milliseconds. */
  readonly delay?: number;
  /** Up to this much more, in milliseconds, each datagram on its own: which reorders too. */
  readonly jitter?: number;
  /** Longest UDP payload that passes; a longer one vanishes. */
  readonly mtu?: number;
}

/** Which way a datagram goes. */
export type Direction = "to-server" | "to-client";

/** Options of {@linkcode openLossyLink}. */
export interface LossyLinkOptions {
  /** What goes wrong. Default: nothing. */
  readonly faults?: LinkFaults;
  /** Repeats the choices. Default 1. */
  readonly seed?: number;
  /**
   * Sees each datagram that enters the link. The bytes are valid during the call only. What it injects goes the same way
   * from the same address, ahead of the datagram and past all faults: an attacker who sees the path and forges addresses.
   */
  readonly tap?: (datagram: Uint8Array, direction: Direction, inject: (forged: Uint8Array) => void) => void;
}

/** What became of the datagrams. */
export interface LinkCounts {
  /** Entered. */
  entered: number;
  /** Lost by chance, by size or in the dark. */
  lost: number;
  /** Sent twice. */
  doubled: number;
  /** Delayed or held back. */
  held: number;
}

interface Flow {
  readonly client: SocketAddress;
  readonly socket: UdpSocket;
}

/** A held datagram waits this long at most for others to overtake it, in milliseconds. */
const HELD_BACK = 5;

/** Opens a link to a server. */
export async function openLossyLink(target: SocketAddress, options: LossyLinkOptions = {}): Promise<LossyLink> {
  const front = await bindUdp({ hostname: target.hostname, port: 0 });
  return new LossyLink(front, target, options);
}

/** A path with faults. Clients dial {@linkcode LossyLink.address}. */
export class LossyLink implements AsyncDisposable {
  /** What goes wrong from now on. */
  faults: LinkFaults;
  /** Whether nothing passes at all. */
  dark = false;
  /** What became of the datagrams so far. */
  readonly counts: LinkCounts = { entered: 0, lost: 0, doubled: 0, held: 0 };
  readonly #front: UdpSocket;
  readonly #target: SocketAddress;
  readonly #random: Random;
  readonly #tap: LossyLinkOptions["tap"];
  readonly #flows = new Map<string, Promise<Flow>>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #pumps: Promise<void>[] = [];
  #closed = false;

  /** See {@linkcode openLossyLink}. */
  constructor(front: UdpSocket, target: SocketAddress, { faults = {}, seed = 1, tap }: LossyLinkOptions) {
    this.#front = front;
    this.#target = Object.freeze({ ...target });
    this.faults = faults;
    this.#random = new Random(seed);
    this.#tap = tap;
    this.#pumps.push(this.#pump(front, (datagram, from) => this.#fromClient(datagram, from)));
  }

  /** Where clients dial. */
  get address(): SocketAddress {
    return this.#front.address;
  }

  /** Closes both sides; datagrams under way are lost. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#front.close();
    for (const flow of this.#flows.values()) (await flow).socket.close();
    await Promise.all(this.#pumps);
  }

  async #pump(socket: UdpSocket, handle: (datagram: Uint8Array, from: SocketAddress) => void): Promise<void> {
    while (!this.#closed) {
      await socket.readable();
      while (!this.#closed && socket.receive(handle) > 0);
      socket.flush();
    }
  }

  async #fromClient(datagram: Uint8Array, from: SocketAddress): Promise<void> {
    const forged: Uint8Array[] = [];
    this.#tap?.(datagram, "to-server", (other) => forged.push(other));
    const copy = datagram.slice();
    const { socket } = await this.#flow(from);
    for (const other of forged) this.#send(other, socket, this.#target);
    this.#carry(copy, socket, this.#target);
  }

  /** A socket of its own for each client, so that the server tells them apart. */
  #flow(client: SocketAddress): Promise<Flow> {
    const key = `${client.hostname} ${client.port}`;
    let flow = this.#flows.get(key);
    if (!flow) this.#flows.set(key, flow = this.#open({ ...client }));
    return flow;
  }

  async #open(client: SocketAddress): Promise<Flow> {
    const socket = await bindUdp({ hostname: this.#target.hostname, port: 0 });
    this.#pumps.push(this.#pump(socket, (datagram) => {
      this.#tap?.(datagram, "to-client", (forged) => this.#send(forged, this.#front, client));
      this.#carry(datagram.slice(), this.#front, client);
    }));
    return { client, socket };
  }

  #carry(datagram: Uint8Array, socket: UdpSocket, to: SocketAddress): void {
    const { loss = 0, duplicate = 0, mtu = Infinity } = this.faults;
    this.counts.entered++;
    if (this.dark || datagram.byteLength > mtu || this.#random.chance(loss)) {
      this.counts.lost++;
      return;
    }
    this.#later(datagram, socket, to);
    if (!this.#random.chance(duplicate)) return;
    this.counts.doubled++;
    this.#later(datagram, socket, to);
  }

  #later(datagram: Uint8Array, socket: UdpSocket, to: SocketAddress): void {
    const { delay = 0, jitter = 0, reorder = 0 } = this.faults;
    const held = this.#random.chance(reorder) ? 1 + this.#random.below(HELD_BACK) : 0;
    const wait = delay + held + (jitter > 0 ? this.#random.below(jitter + 1) : 0);
    if (wait === 0) return this.#send(datagram, socket, to);
    this.counts.held++;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#send(datagram, socket, to);
    }, wait);
    this.#timers.add(timer);
  }

  #send(datagram: Uint8Array, socket: UdpSocket, to: SocketAddress): void {
    if (this.#closed) return;
    socket.slot(datagram.byteLength).set(datagram);
    socket.commit(datagram.byteLength, to);
    socket.flush();
  }
}
