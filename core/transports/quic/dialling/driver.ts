/**
 * Drives a QUIC socket within this process, between whatever else the event loop does.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { answers } from "../connection/answers.ts";
import { QuicSocket, type QuicSocketOptions } from "../engine/socket.ts";
import type { UdpSocket } from "../engine/udp/udp_socket.ts";

/** Turns in a row before everything else of the event loop has its turn, timers and other sockets. */
const TURNS_PER_BREATH = 4;
/** Longest delay that setTimeout takes, in milliseconds. */
const MAX_DELAY = 2 ** 31 - 1;

/** A QUIC socket and the loop that runs it. */
export class Driver {
  /** Drivers in this process: one that waits in the thread they share would make the others wait too. */
  static #running = 0;
  /** The socket. */
  readonly socket: QuicSocket;
  readonly #udp: UdpSocket;
  readonly #done: Promise<void>;
  #closed = false;
  #scheduled = false;
  /** Whether the loop is at work, and so will come to what is scheduled. */
  #awake = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;

  /**
   * @param options As for the socket; the driver hears of work itself. The UDP socket becomes the driver's.
   * @throws {AlknetError} `TLS_CONFIG`.
   */
  constructor(options: Omit<QuicSocketOptions, "onWork">) {
    this.#udp = options.udp;
    try {
      this.socket = new QuicSocket({ ...options, onWork: () => this.#schedule() });
    } catch (error) {
      options.udp.close();
      throw error;
    }
    Driver.#running++;
    this.#done = this.#run();
  }

  /** Closes every connection with code 0 and releases the socket. Twice is harmless. */
  async close(reason = ""): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.socket.close(0, reason);
      clearTimeout(this.#timer);
      this.#udp.close();
      Driver.#running--;
    }
    await this.#done;
  }

  async #run(): Promise<void> {
    let turns = 0;
    while (!this.#closed) {
      await this.#udp.readable();
      this.#awake = true;
      do {
        const more = this.socket.turn();
        // Whoever was given something answers now, in as few packets as it can; the answer to that is often not far.
        await (++turns % TURNS_PER_BREATH === 0 ? breathe() : answers());
        if (this.#closed) return;
        if (this.socket.work() || more) continue;
        if (Driver.#running > 1 || !this.#udp.soon()) break;
      } while (!this.#closed);
      this.#awake = false;
      this.#arm();
    }
  }

  /** Work that came from outside of a turn is done once the caller, and what waits for it, has finished. */
  #schedule(): void {
    if (this.#scheduled || this.#awake) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#closed || this.#awake) return;
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
