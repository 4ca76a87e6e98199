/**
 * The engine's private socket to its node, and the one place where the engine waits.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { Frame, FrameReader, FrameWriter } from "../link/frames.ts";
import { BusyWait } from "./udp/busy_wait.ts";
import { close, connectUnix, pollBlocking, read, write } from "../linux/calls.ts";
import { Errno, Poll } from "../linux/call_table.ts";
import { PollSet } from "../linux/memory.ts";
import { LinuxUdpSocket } from "./udp/udp_linux.ts";
import type { UdpSocket } from "./udp/udp_socket.ts";

/** A byte stream to the node. */
export interface Pipe {
  /**
   * Waits for the node, or for the UDP socket if one is given.
   *
   * @param ms Longest wait, in milliseconds.
   * @returns Whether the UDP socket may have something.
   */
  wait(udp: UdpSocket | undefined, ms: number): Promise<boolean>;
  /** Hands over the frames that have come. Returns false once the node has ended. */
  read(reader: FrameReader, handle: (frame: Frame) => void): boolean;
  /** Sends what can be sent without waiting. */
  write(out: FrameWriter): void;
  /** Closes. */
  close(): void;
}

/** How an engine waits: in `poll`, on Linux with a UDP socket that has a descriptor, or on the event loop. */
export type WaitMode = "poll" | "events";

/** Connects to the node. */
export async function connectPipe(path: string, mode: WaitMode): Promise<Pipe> {
  if (mode === "poll") return new BlockingPipe(connectUnix(path));
  return new AsyncPipe(await Deno.connect({ transport: "unix", path }));
}

/** Waits in a row before the event loop runs once: finalizers of native objects wait for it. */
const WAITS_PER_BREATH = 256;

/** Waits in `poll`, in the thread that does everything else; awake first, where waits are short. */
class BlockingPipe implements Pipe {
  readonly #fd: number;
  readonly #set = new PollSet(2);
  readonly #busy = new BusyWait();
  #waits = 0;
  #backlog = false;
  #readable = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async wait(udp: UdpSocket | undefined, ms: number): Promise<boolean> {
    if (++this.#waits % WAITS_PER_BREATH === 0 || ms > 0 && this.#waits % 8 === 0) await breathe();
    this.#set.set(0, this.#fd, Poll.IN | (this.#backlog ? Poll.OUT : 0));
    const fd = udp instanceof LinuxUdpSocket ? udp.fd : -1;
    this.#set.set(1, fd, Poll.IN | (udp && udp.pending > 0 ? Poll.OUT : 0));
    this.#poll(ms);
    this.#readable = this.#set.ready(0) !== 0;
    return this.#set.ready(1) !== 0;
  }

  #poll(ms: number): void {
    if (ms === 0) return void pollBlocking(this.#set, 0);
    const begun = performance.now();
    if (this.#busy.poll(this.#set, ms) === 0) pollBlocking(this.#set, ms);
    this.#busy.waited(performance.now() - begun);
  }

  read(reader: FrameReader, handle: (frame: Frame) => void): boolean {
    while (this.#readable) {
      const { bytes, start, length } = reader.room();
      const count = read(this.#fd, bytes, start, length);
      if (count === -Errno.EAGAIN || count === -Errno.EINTR) return true;
      if (count <= 0) return false;
      reader.advance(count, handle);
      if (count < length) return true;
    }
    return true;
  }

  write(out: FrameWriter): void {
    while (out.length > 0) {
      const { bytes, start, length } = out.pending();
      const count = write(this.#fd, bytes, start, length);
      this.#backlog = count < length;
      if (count === -Errno.EAGAIN) return;
      // A node that has gone is noticed by the next read.
      if (count < 0) return;
      out.sent(count);
    }
  }

  close(): void {
    close(this.#fd);
  }
}

/** Waits on the event loop, for platforms and UDP implementations without descriptors to poll. */
class AsyncPipe implements Pipe {
  readonly #connection: Deno.Conn;
  readonly #chunks: Uint8Array[] = [];
  #ended = false;
  #writing = false;
  #wake = () => {};

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
    this.#readAll();
  }

  async wait(udp: UdpSocket | undefined, ms: number): Promise<boolean> {
    if (this.#chunks.length > 0 || this.#ended) {
      await breathe();
      return true;
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
    const data = new Promise<void>((resolve) => this.#wake = resolve);
    await Promise.race([late, data, ...(udp ? [udp.readable()] : [])]);
    clearTimeout(timer);
    return true;
  }

  read(reader: FrameReader, handle: (frame: Frame) => void): boolean {
    for (let chunk = this.#chunks.shift(); chunk; chunk = this.#chunks.shift()) {
      for (let at = 0; at < chunk.byteLength;) {
        const { bytes, start, length } = reader.room();
        const part = chunk.subarray(at, at + length);
        bytes.set(part, start);
        at += part.byteLength;
        reader.advance(part.byteLength, handle);
      }
    }
    return !this.#ended;
  }

  write(out: FrameWriter): void {
    if (!this.#writing && out.length > 0) this.#writeAll(out);
  }

  close(): void {
    this.#connection.close();
  }

  async #readAll(): Promise<void> {
    try {
      for await (const chunk of this.#connection.readable) {
        this.#chunks.push(chunk);
        this.#wake();
      }
    } catch { /* the node has gone */ }
    this.#ended = true;
    this.#wake();
  }

  async #writeAll(out: FrameWriter): Promise<void> {
    this.#writing = true;
    try {
      while (out.length > 0) {
        const bytes = out.take();
        for (let at = 0; at < bytes.byteLength;) at += await this.#connection.write(bytes.subarray(at));
        out.giveBack(bytes);
      }
    } catch { /* noticed by the reader */ }
    this.#writing = false;
    this.#wake();
  }
}

function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
