/**
 * The UDP socket on Linux: system calls through the C library, whole batches at a time.
 *
 * @module
 */
import type { SocketAddress } from "../../../../handler/connection.ts";
import { BusyWait } from "./busy_wait.ts";
import {
  bind,
  close,
  eventfd,
  getOption,
  getsockname,
  pollAsync,
  read,
  setOption,
  socket,
  write,
} from "../../linux/calls.ts";
import { assertLibc, checked, Poll } from "../../linux/call_table.ts";
import { Memory, PollSet } from "../../linux/memory.ts";
import { askForPacketInfo, isWildcard } from "./packet_info.ts";
import { AF_INET6, decodeName, encodeName, familyOf, NAME_STRIDE, RemoteTable } from "./socket_name.ts";
import { SOL_UDP, UDP_GRO, UdpReceiver } from "./udp_receiver.ts";
import { UDP_SEGMENT, UdpSender } from "./udp_sender.ts";
import { type DatagramHandler, RECEIVE_BUFFER, SEND_BUFFER, type UdpOptions, type UdpSocket } from "./udp_socket.ts";

const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0x800;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_REUSEPORT = 15;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const IPPROTO_IP = 0;
const IP_MTU_DISCOVER = 10;
const IPPROTO_IPV6 = 41;
const IPV6_MTU_DISCOVER = 23;
const IPV6_V6ONLY = 26;
const PMTUDISC_DONT = 0;

/** Options that only this implementation has; benchmarks and tests turn the offloads off. */
export interface LinuxUdpOptions extends UdpOptions {
  /**
   * Segmentation offload for sending, where the kernel has it.
   *
   * @default {true}
   */
  readonly gso?: boolean;
  /**
   * Receive offload: trains of datagrams in one message.
   *
   * @default {true}
   */
  readonly gro?: boolean;
}

/**
 * Binds a UDP socket with system calls.
 *
 * @param address An IP address and a port; `::` is bound for IPv4 too.
 * @param options Sharing of the port, buffer sizes, offloads.
 * @throws {AlknetError} `EADDRINUSE` and the like, or `LIBC_UNAVAILABLE`.
 * @throws {TypeError} No IP address.
 */
export function bindLinuxUdp(address: SocketAddress, options: LinuxUdpOptions = {}): LinuxUdpSocket {
  assertLibc();
  const family = familyOf(address.hostname);
  const name = new Memory(NAME_STRIDE);
  const length = encodeName(family, address, name.bytes);
  const fd = checked("socket", socket(family, SOCK_DGRAM | SOCK_NONBLOCK));
  try {
    if (options.reusePort) checked("setsockopt", setOption(fd, SOL_SOCKET, SO_REUSEPORT, 1));
    if (family === AF_INET6) checked("setsockopt", setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0));
    setBuffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, options.receiveBuffer ?? RECEIVE_BUFFER);
    setBuffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, options.sendBuffer ?? SEND_BUFFER);
    allowFragments(fd, family);
    checked("bind", bind(fd, name, length));
    checked("getsockname", getsockname(fd, name));
    const gso = options.gso !== false && getOption(fd, SOL_UDP, UDP_SEGMENT) >= 0;
    if (isWildcard(address.hostname)) askForPacketInfo(fd, family);
    if (options.gro !== false) setOption(fd, SOL_UDP, UDP_GRO, 1);
    return new LinuxUdpSocket(fd, checked("eventfd", eventfd()), family, decodeName(name.bytes), gso);
  } catch (cause) {
    close(fd);
    throw cause;
  }
}

// The forcing options pass the system's limit but need CAP_NET_ADMIN. The plain ones cut down to the limit silently.
function setBuffer(fd: number, forced: number, plain: number, bytes: number): void {
  if (setOption(fd, SOL_SOCKET, forced, bytes) < 0) setOption(fd, SOL_SOCKET, plain, bytes);
}

// A datagram beyond the path's MTU is cut by IP rather than lost; best effort, since not every kernel has both.
function allowFragments(fd: number, family: number): void {
  setOption(fd, IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_DONT);
  if (family === AF_INET6) setOption(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_DONT);
}

/** A UDP socket whose descriptor is at hand, for a loop of the caller's own. */
export class LinuxUdpSocket implements UdpSocket {
  /** The non-blocking socket's descriptor. Never close it other than by `close`. */
  readonly fd: number;
  readonly address: SocketAddress;
  readonly batched: boolean;
  readonly receiveBuffer: number;
  readonly #event: number;
  readonly #receiver: UdpReceiver;
  readonly #sender: UdpSender;
  // Entry 0 is the socket, entry 1 the eventfd that ends a wait early.
  readonly #poll = new PollSet(2);
  readonly #brief = new PollSet(1);
  readonly #busy = new BusyWait();
  /** When the wait began that `soon` gave up. */
  #waitsSince: number | undefined;
  readonly #counter = new Memory(8);
  #waiting: Promise<void> | undefined;
  #waitsForRoom = false;
  #woken = false;
  #blocked = false;
  #closed = false;

  /**
   * @param fd A bound, non-blocking UDP socket, which becomes this object's.
   * @param event An eventfd, which becomes this object's.
   * @param family Its address family.
   * @param address Where it is bound.
   * @param gso Whether the kernel segments.
   */
  constructor(fd: number, event: number, family: number, address: SocketAddress, gso: boolean) {
    this.fd = fd;
    this.#event = event;
    this.address = address;
    this.batched = gso;
    // The kernel doubles what it was asked for, to allow for its own bookkeeping (socket(7)).
    this.receiveBuffer = getOption(fd, SOL_SOCKET, SO_RCVBUF) / 2;
    const remotes = new RemoteTable(family);
    this.#receiver = new UdpReceiver(fd, remotes);
    this.#sender = new UdpSender(fd, remotes, gso);
    this.#counter.view.setUint32(0, 1, true);
    this.#brief.set(0, fd, Poll.IN);
  }

  get pending(): number {
    return this.#sender.pending;
  }

  get dropped(): number {
    return this.#sender.dropped;
  }

  receive(handle: DatagramHandler): number {
    return this.#closed ? 0 : this.#receiver.receive(handle);
  }

  slot(size: number): Uint8Array {
    return this.#sender.slot(size);
  }

  commit(length: number, to: SocketAddress): void {
    this.#sender.commit(length, to);
  }

  flush(): boolean {
    if (this.#closed) return true;
    this.#blocked = !this.#sender.flush();
    // The wait under way knows nothing of this: end it, so that the next one also waits for room.
    if (this.#blocked && this.#waiting && !this.#waitsForRoom) this.#signal();
    return !this.#blocked;
  }

  readable(): Promise<void> {
    if (this.#waiting) return this.#waiting;
    if (this.#closed || this.#woken) {
      this.#woken = false;
      return Promise.resolve();
    }
    return this.#waiting = this.#wait();
  }

  soon(): boolean {
    if (this.#closed) return false;
    const begun = performance.now();
    const ready = this.#busy.poll(this.#brief, Infinity) > 0;
    this.#waitsSince = ready ? undefined : begun;
    return ready;
  }

  wake(): void {
    if (this.#closed) return;
    if (this.#waiting) this.#signal();
    else this.#woken = true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#receiver.stop();
    // A descriptor closed under the waiting thread could be another file's by the time that thread looks.
    if (this.#waiting) this.#signal();
    else this.#release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #wait(): Promise<void> {
    this.#waitsForRoom = this.#blocked;
    this.#poll.set(0, this.fd, this.#blocked ? Poll.IN | Poll.OUT : Poll.IN);
    this.#poll.set(1, this.#event, Poll.IN);
    const begun = this.#waitsSince ?? performance.now();
    this.#waitsSince = undefined;
    await pollAsync(this.#poll, -1);
    this.#busy.waited(performance.now() - begun);
    if (this.#poll.ready(1) !== 0) {
      read(this.#event, this.#counter.bytes, 0, 8);
      this.#counter.view.setUint32(0, 1, true);
    }
    this.#waiting = undefined;
    if (this.#closed) this.#release();
  }

  #signal(): void {
    write(this.#event, this.#counter.bytes, 0, 8);
  }

  #release(): void {
    close(this.#event);
    close(this.fd);
  }
}
