/**
 * The receiving half of the Linux UDP socket: `recvmmsg(2)` into buffers made once, trains split by `UDP_GRO`.
 *
 * ```text
 * struct mmsghdr (64 bytes)   name* @0  namelen u32 @8  iov* @16  iovlen @24  control* @32  controllen @40
 *                             flags i32 @48  len u32 @56 (bytes received)
 * struct cmsghdr              len @0  level i32 @8  type i32 @12  data @16; for UDP_GRO the data is an i32: the size
 *                             of each datagram in the train (the last may be shorter); see also packet_info.ts
 * ```
 *
 * @module
 */
import { recvmmsg } from "../../linux/calls.ts";
import { Errno } from "../../linux/call_table.ts";
import { IoVector, Memory, setAddress } from "../../linux/memory.ts";
import { type PacketInfoForm, packetInfoForm } from "./packet_info.ts";
import { NAME_STRIDE, type RemoteTable } from "./socket_name.ts";
import type { DatagramHandler } from "./udp_socket.ts";

/** Level of UDP options (`linux/udp.h`). */
export const SOL_UDP = 17;

/** Option and control message: datagrams of one remote arrive as one train. */
export const UDP_GRO = 104;

// Enough to empty a burst in few calls, little enough to stay in the processor's cache: measured, more gains nothing.
const MESSAGES = 16;
// Any UDP datagram fits, and so does the longest train.
const BUFFER = 0x1_0000;
const HEADER = 64;
const CONTROL = 64;
// Words (u32) of a header.
const NAME_LENGTH = 2;
const CONTROL_LENGTH = 10;
const RECEIVED = 14;

/** Receives batches for one socket. */
export class UdpReceiver {
  readonly #fd: number;
  readonly #remotes: RemoteTable;
  readonly #buffers = new Memory(MESSAGES * BUFFER);
  readonly #headers = new Memory(MESSAGES * HEADER);
  readonly #names = new Memory(MESSAGES * NAME_STRIDE);
  readonly #controls = new Memory(MESSAGES * CONTROL);
  readonly #vector = new IoVector(MESSAGES);
  readonly #headerWords = new Uint32Array(this.#headers.bytes.buffer);
  readonly #nameWords = new Uint32Array(this.#names.bytes.buffer);
  readonly #controlWords = new Uint32Array(this.#controls.bytes.buffer);
  readonly #form: PacketInfoForm;
  #stopped = false;
  /** Of the message in hand: bytes of each datagram of a train, else 0; the word at which its packet info is, else -1. */
  #segment = 0;
  #info = -1;

  /**
   * @param fd The socket.
   * @param remotes Its remotes.
   */
  constructor(fd: number, remotes: RemoteTable) {
    this.#fd = fd;
    this.#remotes = remotes;
    this.#form = packetInfoForm(remotes.family);
    for (let index = 0; index < MESSAGES; index++) {
      const at = index * HEADER;
      setAddress(this.#headers.view, at, this.#names.address + index * NAME_STRIDE);
      setAddress(this.#headers.view, at + 16, this.#vector.memory.address + index * 16);
      this.#headers.view.setUint32(at + 24, 1, true);
      setAddress(this.#headers.view, at + 32, this.#controls.address + index * CONTROL);
      this.#vector.set(index, this.#buffers.address + index * BUFFER, BUFFER);
      this.#rearm(index);
    }
  }

  /** Hands over one batch; 0 when nothing waits. */
  receive(handle: DatagramHandler): number {
    let messages = recvmmsg(this.#fd, this.#headers, MESSAGES);
    // An error other than "nothing there" reports an earlier datagram's fate, is cleared by the report, and hides
    // what waits; so one more look.
    if (messages < 0 && messages !== -Errno.EAGAIN) messages = recvmmsg(this.#fd, this.#headers, MESSAGES);
    let datagrams = 0;
    for (let index = 0; index < messages; index++) {
      // Headers are made ready again at once, so that a handler that throws leaves the next batch intact.
      const length = this.#headerWords[index * 16 + RECEIVED];
      this.#readControl(index);
      const segment = this.#segment;
      this.#rearm(index);
      if (this.#stopped) continue;
      const from = this.#remotes.fromName(this.#nameWords, index * (NAME_STRIDE / 4), this.#controlWords, this.#info);
      const start = index * BUFFER;
      if (segment === 0 || segment >= length) {
        handle(this.#buffers.bytes.subarray(start, start + length), from);
        datagrams++;
        continue;
      }
      for (let at = 0; at < length && !this.#stopped; at += segment) {
        handle(this.#buffers.bytes.subarray(start + at, start + Math.min(at + segment, length)), from);
        datagrams++;
      }
    }
    return datagrams;
  }

  /** Ends the batch in hand: its handler closed the socket. */
  stop(): void {
    this.#stopped = true;
  }

  #readControl(index: number): void {
    this.#segment = 0;
    this.#info = -1;
    const words = this.#controlWords;
    const begin = index * (CONTROL / 4);
    const end = begin + (this.#headerWords[index * 16 + CONTROL_LENGTH] >>> 2);
    for (let at = begin; at + 4 < end;) {
      const length = words[at];
      if (length < 16) return;
      if (words[at + 2] === SOL_UDP && words[at + 3] === UDP_GRO) this.#segment = words[at + 4];
      else if (words[at + 2] === this.#form.level && words[at + 3] === this.#form.type) this.#info = at + 4;
      at += (length + 7 >>> 3) * 2;
    }
  }

  // The kernel overwrites both lengths with what it used.
  #rearm(index: number): void {
    this.#headerWords[index * 16 + NAME_LENGTH] = 28;
    this.#headerWords[index * 16 + CONTROL_LENGTH] = CONTROL;
  }
}
