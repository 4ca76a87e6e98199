/**
 * The sending half of the Linux UDP socket: an arena that callers write into, runs of equal datagrams to one remote,
 * and `sendmmsg(2)` with `UDP_SEGMENT` (generic segmentation offload), so that one call moves megabytes.
 *
 * ```text
 * struct mmsghdr   as in udp_receiver.ts
 * struct cmsghdr   len @0 (18)  level i32 @8 (SOL_UDP)  type i32 @12 (UDP_SEGMENT)  data u16 @16: segment size;
 *                  padded to 24; before it, for a remote that is answered from a given address, that of packet_info.ts
 * ```
 *
 * @module
 */
import type { SocketAddress } from "../../../../handler/connection.ts";
import { sendmmsg } from "../../linux/calls.ts";
import { Errno } from "../../linux/call_table.ts";
import { IoVector, Memory, setAddress } from "../../linux/memory.ts";
import { type PacketInfoForm, packetInfoForm, writePacketInfoHeader } from "./packet_info.ts";
import { NAME_STRIDE, type Remote, type RemoteTable } from "./socket_name.ts";
import { SOL_UDP } from "./udp_receiver.ts";
import { MAX_DATAGRAM } from "./udp_socket.ts";

/** Option and control message: the kernel cuts one long message into datagrams of this size. */
export const UDP_SEGMENT = 103;

// The limit of kernels before 6.9 (UDP_MAX_SEGMENTS, linux/udp.h); later ones take 128.
const MAX_SEGMENTS = 64;
// Bytes that wait at most when the kernel takes none: half a second at 64 Mbit/s, more than the kernel's own buffer.
const ARENA = 4 << 20;
const MAX_RUNS = 4096;
// When full, this share stays: so that making room, which moves bytes, happens seldom.
const KEPT = 0.75;
const MESSAGES = 64;
const HEADER = 64;
const CONTROL = 64;
/** Bytes of the message that says the size of segments. */
const SEGMENT_SPACE = 24;
// Words (u32) of a header.
const NAME_LENGTH = 2;
const CONTROL_ADDRESS = 32;
const CONTROL_LENGTH = 10;

/** Sends batches for one socket. */
export class UdpSender {
  readonly #fd: number;
  readonly #remotes: RemoteTable;
  readonly #arena = new Memory(ARENA);
  readonly #headers = new Memory(MESSAGES * HEADER);
  readonly #names = new Memory(MESSAGES * NAME_STRIDE);
  readonly #controls = new Memory(MESSAGES * CONTROL);
  readonly #vector = new IoVector(MESSAGES);
  readonly #headerWords = new Uint32Array(this.#headers.bytes.buffer);
  readonly #controlWords = new Uint32Array(this.#controls.bytes.buffer);
  readonly #form: PacketInfoForm;
  // Whose name each header holds already.
  readonly #named: (Remote | undefined)[] = new Array(MESSAGES).fill(undefined);
  // Run i is #length[i] bytes of the arena from #start[i] on: datagrams of #segment[i] bytes, the last perhaps shorter.
  readonly #start = new Int32Array(MAX_RUNS);
  readonly #length = new Int32Array(MAX_RUNS);
  readonly #segment = new Int32Array(MAX_RUNS);
  readonly #to: Remote[] = [];
  #head = 0;
  #tail = 0;
  #end = 0;
  #slotStart = 0;
  #slotSize = -1;
  #open = false;
  #gso: boolean;
  #lastAddress: SocketAddress | undefined;
  #lastRemote: Remote | undefined;
  /** Datagrams dropped. */
  dropped = 0;
  /** Datagrams that wait. */
  pending = 0;

  /**
   * @param fd The socket.
   * @param remotes Its remotes.
   * @param gso Whether to try segmentation offload.
   */
  constructor(fd: number, remotes: RemoteTable, gso: boolean) {
    this.#fd = fd;
    this.#remotes = remotes;
    this.#gso = gso;
    this.#form = packetInfoForm(remotes.family);
    for (let index = 0; index < MESSAGES; index++) {
      const at = index * HEADER;
      setAddress(this.#headers.view, at, this.#names.address + index * NAME_STRIDE);
      setAddress(this.#headers.view, at + 16, this.#vector.memory.address + index * 16);
      this.#headers.view.setUint32(at + 24, 1, true);
      writePacketInfoHeader(this.#form, new DataView(this.#controls.bytes.buffer, index * CONTROL));
      const control = (index * CONTROL + this.#form.space) / 4;
      this.#controlWords[control] = 18;
      this.#controlWords[control + 2] = SOL_UDP;
      this.#controlWords[control + 3] = UDP_SEGMENT;
    }
  }

  /** See `UdpSocket.slot`. */
  slot(size: number): Uint8Array {
    if (!(size >= 0 && size <= MAX_DATAGRAM)) {
      throw new RangeError(`a datagram has 0 to ${MAX_DATAGRAM} bytes, not ${size}`);
    }
    if (this.#end + size > ARENA || this.#tail === MAX_RUNS) this.#makeRoom();
    this.#slotStart = this.#end;
    this.#slotSize = size;
    return this.#arena.bytes.subarray(this.#end, this.#end + size);
  }

  /** See `UdpSocket.commit`. */
  commit(length: number, to: SocketAddress): void {
    if (!(length >= 0 && length <= this.#slotSize)) {
      throw new RangeError(`cannot commit ${length} bytes of a slot of ${Math.max(0, this.#slotSize)}`);
    }
    const remote = to === this.#lastAddress ? this.#lastRemote! : this.#look(to);
    this.#slotSize = -1;
    this.pending++;
    const start = this.#slotStart;
    this.#end = start + length;
    const last = this.#tail - 1;
    if (
      this.#open && last >= this.#head && this.#to[last] === remote && length > 0 && length <= this.#segment[last] &&
      start === this.#start[last] + this.#length[last] && this.#length[last] + length <= MAX_DATAGRAM &&
      this.#length[last] < this.#segment[last] * MAX_SEGMENTS
    ) {
      this.#length[last] += length;
      this.#open = length === this.#segment[last];
      return;
    }
    const run = this.#tail++;
    this.#start[run] = start;
    this.#length[run] = this.#segment[run] = length;
    this.#to[run] = remote;
    this.#open = this.#gso && length > 0 && length <= remote.gsoLimit;
  }

  /** See `UdpSocket.flush`. */
  flush(): boolean {
    while (this.#head < this.#tail) {
      const count = this.#fill();
      const sent = sendmmsg(this.#fd, this.#headers, count);
      if (sent > 0) {
        for (let run = 0; run < sent; run++) this.#advance(this.#datagrams(this.#head));
      } else if (sent === -Errno.EAGAIN) return false;
      else if (sent !== -Errno.EINTR) this.#refused(-sent);
    }
    this.#head = this.#tail = this.#end = 0;
    return true;
  }

  // A mutable address is looked up each time: it may have changed since.
  #look(to: SocketAddress): Remote {
    const remote = this.#remotes.fromAddress(to);
    this.#lastAddress = Object.isFrozen(to) ? to : undefined;
    this.#lastRemote = remote;
    return remote;
  }

  #datagrams(run: number): number {
    return this.#length[run] <= this.#segment[run] ? 1 : Math.ceil(this.#length[run] / this.#segment[run]);
  }

  #advance(datagrams: number): void {
    this.pending -= datagrams;
    this.#head++;
  }

  // Readies headers for the runs at the head; returns how many.
  #fill(): number {
    const count = Math.min(MESSAGES, this.#tail - this.#head);
    for (let index = 0; index < count; index++) {
      const run = this.#head + index;
      const remote = this.#to[run];
      const header = index * (HEADER / 4);
      if (this.#named[index] !== remote) {
        this.#named[index] = remote;
        this.#names.bytes.set(remote.name, index * NAME_STRIDE);
        this.#headerWords[header + NAME_LENGTH] = remote.name.length;
        this.#addressFrom(index, remote.from);
      }
      this.#vector.set(index, this.#arena.address + this.#start[run], this.#length[run]);
      const segmented = this.#length[run] > this.#segment[run];
      const { space } = this.#form;
      this.#headerWords[header + CONTROL_LENGTH] = (remote.from ? space : 0) + (segmented ? SEGMENT_SPACE : 0);
      if (segmented) this.#controlWords[(index * CONTROL + space) / 4 + 4] = this.#segment[run];
    }
    return count;
  }

  // Control messages begin with the address to send from, or behind the room for it.
  #addressFrom(index: number, from: Uint8Array | undefined): void {
    const control = index * CONTROL;
    if (from) this.#controls.bytes.set(from, control + 16);
    const begin = this.#controls.address + control + (from ? 0 : this.#form.space);
    setAddress(this.#headers.view, index * HEADER + CONTROL_ADDRESS, begin);
  }

  // The kernel refused the run at the head.
  #refused(errno: number): void {
    const run = this.#head;
    const segment = this.#segment[run];
    if (this.#length[run] <= segment) {
      this.dropped++;
      this.#advance(1);
      return;
    }
    // No offload this way: EINVAL when a segment exceeds the path's MTU, EIO when the device computes no checksums.
    // What is remembered differs; the datagrams of this run go out one by one either way.
    if (errno === Errno.EINVAL || errno === Errno.EMSGSIZE) this.#to[run].gsoLimit = segment - 1;
    else if (errno === Errno.EIO) this.#gso = false;
    else {
      const datagrams = this.#datagrams(run);
      this.dropped += datagrams;
      this.#advance(datagrams);
      return;
    }
    this.#open = false;
    this.#split(run);
  }

  // Sends the head's run one datagram a message; where the kernel takes no more, the rest is a shorter run that comes
  // here again.
  #split(run: number): void {
    const segment = this.#segment[run];
    while (this.#length[run] > 0) {
      const length = Math.min(segment, this.#length[run]);
      this.#vector.set(0, this.#arena.address + this.#start[run], length);
      this.#headerWords[CONTROL_LENGTH] = this.#to[run].from ? this.#form.space : 0;
      const sent = sendmmsg(this.#fd, this.#headers, 1);
      if (sent === -Errno.EAGAIN) return;
      if (sent === -Errno.EINTR) continue;
      if (sent < 0) this.dropped++;
      this.pending--;
      this.#start[run] += length;
      this.#length[run] -= length;
    }
    this.#head++;
  }

  #makeRoom(): void {
    if (this.flush()) return;
    while (
      this.#head < this.#tail &&
      (this.#end - this.#start[this.#head] > ARENA * KEPT || this.#tail - this.#head > MAX_RUNS * KEPT)
    ) {
      const datagrams = this.#datagrams(this.#head);
      this.dropped += datagrams;
      this.#advance(datagrams);
    }
    this.#compact();
  }

  #compact(): void {
    const shift = this.#head < this.#tail ? this.#start[this.#head] : this.#end;
    this.#arena.bytes.copyWithin(0, shift, this.#end);
    this.#start.copyWithin(0, this.#head, this.#tail);
    this.#length.copyWithin(0, this.#head, this.#tail);
    this.#segment.copyWithin(0, this.#head, this.#tail);
    this.#to.copyWithin(0, this.#head, this.#tail);
    this.#tail -= this.#head;
    this.#head = 0;
    this.#end -= shift;
    for (let run = 0; run < this.#tail; run++) this.#start[run] -= shift;
  }
}
