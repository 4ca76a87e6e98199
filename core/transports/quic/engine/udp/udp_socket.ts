/**
 * What the QUIC driver asks of a UDP socket: batches in, batches out, no allocation that a datagram could spare.
 *
 * Two implementations stand behind it, `udp_linux.ts` (system calls) and `udp_node.ts` (everywhere); `udp.ts` picks.
 *
 * @module
 */
import type { UdpImplementation } from "../../link/engine_config.ts";
import type { SocketAddress } from "../../../../handler/connection.ts";

/** Longest UDP payload over IPv4, in bytes: 65,535 less the IP (20) and UDP (8) headers (RFC 768, RFC 791 §3.1). */
export const MAX_DATAGRAM = 65_507;

/** Takes one datagram. `data` is a view that is valid, and may be written to, only until the function returns. */
export type DatagramHandler = (data: Uint8Array, from: SocketAddress) => void;

/** A bound UDP socket. Use it from one thread, and call `receive` only outside of its own handler. */
export interface UdpSocket extends Disposable {
  /** Where it is bound, with the port that the system chose for port 0. */
  readonly address: SocketAddress;
  /** Whether one system call moves many datagrams (`sendmmsg` with UDP GSO, `recvmmsg`). */
  readonly batched: boolean;
  /** Bytes of receive buffer that the system gave, where it tells. */
  readonly receiveBuffer: number | undefined;
  /** Committed datagrams that the system has not taken yet. */
  readonly pending: number;
  /** Datagrams that this side dropped: the send queue overflowed, or the system refused them. */
  readonly dropped: number;
  /**
   * Hands over one batch of waiting datagrams, without blocking.
   *
   * `from` is frozen and the same object for the same remote while the socket remembers it; the memory is bounded, so
   * on `!==` ask {@linkcode sameAddress} before taking two remotes for different.
   *
   * @param handle Called for each datagram, in order of arrival. What it throws ends the batch and is passed on.
   * @returns Datagrams handed over; 0 when nothing waits or the socket is closed.
   */
  receive(handle: DatagramHandler): number;
  /**
   * Room for the next datagram to send, until `commit` or the next `slot`.
   *
   * @param size Bytes wanted, at most {@linkcode MAX_DATAGRAM}.
   * @returns A view of exactly `size` bytes with undefined content.
   * @throws {RangeError} `size` is negative or too large.
   */
  slot(size: number): Uint8Array;
  /**
   * Queues the first `length` bytes of the last slot as a datagram. Consecutive datagrams of one size to one address
   * leave together (the last of them may be shorter). When the queue is full and the system takes no more, the oldest
   * datagrams are dropped.
   *
   * @param length Bytes of the last slot that count.
   * @param to The remote: best an object that `receive` gave or the same object each time.
   * @throws {RangeError} More than the slot holds, or there is no slot.
   * @throws {TypeError} `to` is no IP address, or one of a family that the socket does not speak.
   */
  commit(length: number, to: SocketAddress): void;
  /**
   * Gives what is queued to the system. Errors of the network drop the datagram concerned and are not thrown.
   *
   * @returns Whether all is gone; otherwise the rest waits, in order, and `readable` also resolves when there is room.
   */
  flush(): boolean;
  /**
   * Waits until there may be something to do: something to receive, room for what `flush` left, `wake`, or `close`.
   * It may resolve without a cause. Calls that overlap share one promise.
   */
  readable(): Promise<void>;
  /**
   * Waits a moment, in this thread, for something to receive; a wait in another thread takes longer than a neighbour takes
   * to answer. Returns at once where the system has no such wait.
   *
   * @returns Whether there is something to receive.
   */
  soon(): boolean;
  /** Ends the present `readable`, or the next one when none waits. */
  wake(): void;
  /**
   * Closes, once what `flush` has begun to send has left. Twice is harmless, and so are the other methods afterwards. The
   * port is free when `readable`, pending or called now, has resolved.
   */
  close(): void;
}

/** How to bind. */
export interface UdpOptions {
  /**
   * How UDP is reached.
   *
   * @default {"auto"}
   */
  readonly implementation?: UdpImplementation;
  /**
   * Lets several sockets share the port; the system spreads remotes over them (`SO_REUSEPORT`). Linux sockets only.
   *
   * @default {false}
   */
  readonly reusePort?: boolean;
  /**
   * Bytes of receive buffer to ask the system for; it gives what it allows. Linux sockets only.
   *
   * @default {8388608}
   */
  readonly receiveBuffer?: number;
  /**
   * Bytes of send buffer to ask the system for; it gives what it allows. Linux sockets only.
   *
   * @default {4194304}
   */
  readonly sendBuffer?: number;
}

/** Bytes of receive buffer asked for by default: some hundred milliseconds of a fast peer's bursts. */
export const RECEIVE_BUFFER = 8 << 20;

/** Bytes of send buffer asked for by default. */
export const SEND_BUFFER = 4 << 20;

/** Whether two addresses name the same remote; cheap when they are one object. */
export function sameAddress(a: SocketAddress, b: SocketAddress): boolean {
  return a === b || (a.port === b.port && a.hostname === b.hostname);
}
