/**
 * Drives a QUIC socket within this process, between whatever else the event loop does.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { QuicSocket, type QuicSocketOptions } from "./engine/socket.ts";
import type { UdpSocket } from "./engine/udp_socket.ts";

/** Longest delay that setTimeout takes, in milliseconds. */
const MAX_DELAY = 2 ** 31 - 1;

/** A QUIC socket and the loop that runs it. */
export class Driver {
  /** The socket. */
  readonly socket: QuicSocket;
  readonly #udp: UdpSocket;
  readonly #done: Promise<void>;
  #closed = false;
  #scheduled = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;

  /** @param options As for the socket; the driver hears of work itself. */
  constructor(options: Omit<QuicSocketOptions, "onWork">) {
    this.#udp = options.udp;
    this.socket = new QuicSocket({ ...options, onWork: () => this.#schedule() });
    this.#done = this.#run();
  }

  /** Closes every connection with code 0 and releases the socket. Twice is harmless. */
  async close(reason = ""): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.socket.close(0, reason);
      clearTimeout(this.#timer);
      this.#udp.close();
    }
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      await this.#udp.readable();
      while (!this.#closed && this.socket.turn()) await breathe();
      this.#arm();
    }
  }

  /** Work that came from outside of a turn is done once the caller has finished what it is at. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (this.#closed) return;
      if (this.socket.work()) this.#udp.wake();
      this.#arm();
    });
  }

  #arm(): void {
    const at = this.socket.nextDeadline;
    if (this.#closed || at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    const delay = Math.max(0, Math.ceil(at - this.socket.now()));
    this.#timer = setTimeout(() => {
      this.#timerAt = Infinity;
      this.#udp.wake();
    }, Math.min(delay, MAX_DELAY));
  }
}

/** Lets other tasks of the event loop run; `setTimeout` would wait a whole millisecond. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
