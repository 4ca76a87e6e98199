/**
 * The UDP socket on every other platform: `node:dgram`, a datagram at a time.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIP } from "node:net";
import { AlknetError } from "../../../../errors.ts";
import type { SocketAddress } from "../../../../handler/connection.ts";
import { canonicalIp } from "../../../../ip.ts";
import { type DatagramHandler, MAX_DATAGRAM, type UdpOptions, type UdpSocket } from "./udp_socket.ts";

// Beyond these, arriving datagrams are dropped, as the kernel does when its own buffer is full.
const RECEIVE_QUEUE = 4096;
const RECEIVE_BYTES = 8 << 20;
// As much of one turn as a batch of the Linux socket.
const BATCH = 256;
// Beyond these, the oldest outgoing datagrams are dropped.
const SEND_QUEUE = 4096;
const SEND_BYTES = 4 << 20;
// Sends that the platform may have in hand at a time. Deno completes sends that overlap in any order, mostly backwards,
// and QUIC takes a packet that three later ones overtake for lost (RFC 9002 §6.1.1).
const IN_FLIGHT = 1;
const REMOTES = 8192;

interface Datagram {
  readonly data: Uint8Array;
  readonly address: SocketAddress;
}

/**
 * Binds a UDP socket with `node:dgram`.
 *
 * @param address An IP address and a port; `::` is bound for IPv4 too.
 * @param options `reusePort` is refused; the buffers keep the size that the system gives.
 * @throws {Error} With the `code` of the system: `EADDRINUSE` and the like.
 * @throws {AlknetError} `REUSE_PORT_UNAVAILABLE`.
 * @throws {TypeError} No IP address.
 */
export async function bindNodeUdp(address: SocketAddress, options: UdpOptions = {}): Promise<UdpSocket> {
  const version = isIP(address.hostname);
  if (version === 0) throw new TypeError(`not an IP address: "${address.hostname}"; resolve names first`);
  // Deno's dgram ignores `reusePort`, and `reuseAddr` would give all datagrams to the socket that was bound last.
  if (options.reusePort) throw new AlknetError("REUSE_PORT_UNAVAILABLE", "node:dgram cannot share a port; use linux");
  const socket = createSocket(version === 4 ? "udp4" : "udp6");
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(address.port, address.hostname, resolve);
    });
  } catch (cause) {
    try {
      socket.close();
    } catch {
      // It never opened.
    }
    throw cause;
  }
  socket.removeAllListeners("error");
  // No setRecvBufferSize: Deno 2.9 leaves the system's buffer as it is and instead allocates that many bytes for each
  // datagram it receives (8 MB: 1 ms a datagram). setSendBufferSize has no effect there.
  return new NodeUdpSocket(socket, version === 6);
}

/** A UDP socket over `node:dgram`. */
class NodeUdpSocket implements UdpSocket {
  readonly batched = false;
  readonly receiveBuffer = undefined;
  readonly address: SocketAddress;
  readonly #socket: Socket;
  readonly #v6: boolean;
  readonly #received = new Queue();
  readonly #outgoing = new Queue();
  readonly #room = new Uint8Array(MAX_DATAGRAM);
  #remotes = new Map<string, SocketAddress>();
  #oldRemotes = new Map<string, SocketAddress>();
  #slotSize = -1;
  #inFlight = 0;
  #dropped = 0;
  #signalled = false;
  #waiting: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  #closed = false;

  constructor(socket: Socket, v6: boolean) {
    this.#socket = socket;
    this.#v6 = v6;
    const bound = socket.address();
    this.address = Object.freeze({ hostname: bound.address, port: bound.port });
    socket.on("message", (data, remote) => this.#arrived(data, remote));
    // An ICMP error of an earlier datagram: QUIC finds out by itself whether anyone answers.
    socket.on("error", () => {});
  }

  get pending(): number {
    return this.#outgoing.length;
  }

  get dropped(): number {
    return this.#dropped;
  }

  receive(handle: DatagramHandler): number {
    let handled = 0;
    while (handled < BATCH && !this.#closed) {
      const datagram = this.#received.take();
      if (!datagram) break;
      handled++;
      handle(datagram.data, datagram.address);
    }
    return handled;
  }

  slot(size: number): Uint8Array {
    if (!(size >= 0 && size <= MAX_DATAGRAM)) {
      throw new RangeError(`a datagram has 0 to ${MAX_DATAGRAM} bytes, not ${size}`);
    }
    this.#slotSize = size;
    return this.#room.subarray(0, size);
  }

  commit(length: number, to: SocketAddress): void {
    if (!(length >= 0 && length <= this.#slotSize)) {
      throw new RangeError(`cannot commit ${length} bytes of a slot of ${Math.max(0, this.#slotSize)}`);
    }
    const version = isIP(to.hostname);
    if (version === 0) throw new TypeError(`not an IP address: "${to.hostname}"; resolve names first`);
    if (version === 6 && !this.#v6) {
      throw new TypeError(`an IPv4 socket cannot send to "${to.hostname}": bind to :: for both families`);
    }
    this.#slotSize = -1;
    while (this.#outgoing.length >= SEND_QUEUE || this.#outgoing.bytes + length > SEND_BYTES) {
      this.#outgoing.take();
      this.#dropped++;
    }
    this.#outgoing.put({ data: this.#room.slice(0, length), address: to });
  }

  flush(): boolean {
    while (!this.#closed && this.#inFlight < IN_FLIGHT) {
      const datagram = this.#outgoing.take();
      if (!datagram) return true;
      this.#send(datagram);
    }
    return this.#closed || this.#outgoing.length === 0;
  }

  readable(): Promise<void> {
    if (this.#waiting) return this.#waiting.promise;
    if (this.#closed || this.#signalled || this.#received.length > 0 || this.#hasRoom()) {
      this.#signalled = false;
      return Promise.resolve();
    }
    this.#waiting = Promise.withResolvers<void>();
    return this.#waiting.promise;
  }

  soon(): boolean {
    return false;
  }

  wake(): void {
    if (this.#closed) return;
    if (this.#waiting) this.#notify();
    else this.#signalled = true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#received.clear();
    this.#waiting ??= Promise.withResolvers<void>();
    this.#drain();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** After `close`: what is queued still leaves, because the last of it is CONNECTION_CLOSE; then the socket goes. */
  #drain(): void {
    if (this.#inFlight > 0) return;
    const datagram = this.#outgoing.take();
    if (datagram) this.#send(datagram);
    else this.#socket.close(() => this.#notify());
  }

  #notify(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  #hasRoom(): boolean {
    return this.#outgoing.length > 0 && this.#inFlight < IN_FLIGHT;
  }

  #arrived(data: Uint8Array, { address, port }: RemoteInfo): void {
    if (this.#received.length >= RECEIVE_QUEUE || this.#received.bytes + data.length > RECEIVE_BYTES) return;
    // A plain array, as the interface says: a Buffer's slice() is a view.
    const plain = new Uint8Array(data.buffer, data.byteOffset, data.length);
    this.#received.put({ data: plain, address: this.#intern(address, port) });
    this.#notify();
  }

  #send({ data, address }: Datagram): void {
    const hostname = this.#v6 && isIP(address.hostname) === 4 ? `::ffff:${address.hostname}` : address.hostname;
    this.#inFlight++;
    const sent = (error: Error | null): void => {
      this.#inFlight--;
      if (error) this.#dropped++;
      if (this.#closed) this.#drain();
      else if (this.#hasRoom()) this.#notify();
    };
    try {
      this.#socket.send(Buffer.from(data.buffer, data.byteOffset, data.length), address.port, hostname, sent);
    } catch (error) {
      sent(error as Error);
    }
  }

  #intern(address: string, port: number): SocketAddress {
    const key = `${address} ${port}`;
    const young = this.#remotes.get(key);
    if (young) return young;
    const remote = this.#oldRemotes.get(key) ?? Object.freeze({ hostname: canonicalIp(address), port });
    if (this.#remotes.size >= REMOTES) {
      this.#oldRemotes = this.#remotes;
      this.#remotes = new Map();
    }
    this.#remotes.set(key, remote);
    return remote;
  }
}

/** Datagrams in order. An array with a moving head: `shift` of a long array moves all of it. */
class Queue {
  #items: (Datagram | undefined)[] = [];
  #head = 0;
  bytes = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  put(datagram: Datagram): void {
    this.#items.push(datagram);
    this.bytes += datagram.data.length;
  }

  take(): Datagram | undefined {
    if (this.length === 0) return undefined;
    const datagram = this.#items[this.#head]!;
    this.#items[this.#head++] = undefined;
    this.bytes -= datagram.data.length;
    if (this.#head >= 1024 || this.#head === this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return datagram;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.bytes = 0;
  }
}
