/**
 * Notices a TCP listener that takes nobody any more.
 *
 * When a process has no descriptor left, the runtime's `accept` fails once, and from then on the listener is deaf, without
 * an event, long after descriptors are free again. So it is called up now and then, when nobody else has called.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import type { SocketAddress } from "../../handler/connection.ts";
import { REACHABLE } from "./native_reads.ts";

/** Times of the watch, in milliseconds. */
export interface WatchTimes {
  /** Since somebody was taken, until it is called up. */
  readonly quiet: number;
  /** Between calls while nobody comes. */
  readonly idle: number;
  /** For a call to be taken. */
  readonly answer: number;
}

const TIMES: WatchTimes = { quiet: 5000, idle: 30_000, answer: 2000 };

/** Between looks whether a call was taken, in milliseconds. */
const STEP = 50;

/** Calls a listener up. */
export class ListenerWatch {
  readonly #address: SocketAddress;
  readonly #deaf: () => void;
  readonly #times: WatchTimes;
  #taken = 0;
  /** While it calls: the port from which, once that is known. */
  #calling: Promise<number | undefined> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  /**
   * @param address Where it listens.
   * @param deaf Told when it took nobody.
   * @param times When and how long.
   */
  constructor(address: SocketAddress, deaf: () => void, times: WatchTimes = TIMES) {
    this.#address = { ...address, hostname: REACHABLE[address.hostname] ?? address.hostname };
    this.#deaf = deaf;
    this.#times = times;
    this.#after(times.quiet);
  }

  /**
   * Somebody was taken: goes on with them, unless it is the watch itself.
   *
   * @param socket The newcomer; nothing is read of it yet.
   * @param welcome What becomes of a stranger.
   */
  took(socket: Socket, welcome: () => void): void {
    this.#taken++;
    if (!this.#calling) return welcome();
    this.#calling.then((port) => port !== undefined && socket.remotePort === port ? socket.destroy() : welcome());
  }

  /** It is watched no more. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  #after(ms: number): void {
    const before = this.#taken;
    this.#timer = setTimeout(() => {
      if (this.#taken !== before) this.#after(this.#times.quiet);
      else this.#call();
    }, ms);
    // A program that has nothing else to do may end.
    this.#timer.unref();
  }

  async #call(): Promise<void> {
    const before = this.#taken;
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    this.#calling = promise;
    const socket = connect({ host: this.#address.hostname, port: this.#address.port });
    socket.once("connect", () => resolve(socket.localPort));
    // No descriptor for the call itself, most likely: the next one may tell.
    socket.once("error", () => resolve(undefined));
    const connected = await promise !== undefined;
    for (let waited = 0; connected && this.#taken === before && waited < this.#times.answer; waited += STEP) {
      await new Promise((resolve) => setTimeout(resolve, STEP));
    }
    socket.destroy();
    this.#calling = undefined;
    if (this.#ended) return;
    const taken = this.#taken !== before;
    if (connected && !taken) this.#deaf();
    this.#after(taken ? this.#times.idle : this.#times.quiet);
  }
}
