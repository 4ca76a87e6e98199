/**
 * An upstream: its connections, and whether it is worth asking.
 *
 * @module
 */
import { AlknetError, type Connection, type Logger } from "@alknet/core/handler";
import type { Clock } from "@alknet/core/operations";
import type { Message } from "../../codec/types.ts";
import { dohLink } from "./doh_link.ts";
import { doqLink } from "./doq_link.ts";
import { framedLink } from "./framed_link.ts";
import { Latency } from "./latency.ts";
import { type Link, orAborted } from "./link.ts";

/** How an upstream is reached. */
export type UpstreamVia = "dot" | "doq" | "doh" | "alknet";

/** An upstream, as somebody describes it. */
export interface UpstreamOptions {
  /** What is spoken. */
  readonly via: UpstreamVia;
  /** What it is called in logs and counters: its address. */
  readonly label: string;
  /**
   * Connects, with whatever proves who it is: by `dot` (which it need not agree on), `doq`, `h2` or `alknet/dns`.
   *
   * @param signal Ends the attempt.
   */
  dial(signal: AbortSignal): Promise<Connection>;
  /** Where DNS is answered over HTTPS; for `doh`. */
  readonly url?: URL;
  /** Whether it is believed where it says that it validated. Default false. */
  readonly trustAd?: boolean;
}

/** Connections to one upstream. */
const MAX_LINKS = 2;
/** Questions on one of them; over QUIC no more than a node of our own takes at once. */
const MAX_RUNNING: Readonly<Record<UpstreamVia, number>> = { dot: 100, doq: 64, doh: 100, alknet: 100 };
/** How long a connection is kept on which nobody asks, in milliseconds. */
const IDLE = 30_000;
/** How long an upstream is left alone that could not be reached, in milliseconds; it doubles. */
const BACK_OFF = 500;
const MAX_BACK_OFF = 30_000;
/** Connections in a row that end without an answer, until it is left alone for a while. */
const MAX_HANG_UPS = 8;
/** What one such counts as, in milliseconds. */
const HUNG_UP = 4000;
/** The reason with which a question ends that took too long. */
export const LATE = new AlknetError("TIMEOUT", "no upstream answered in time");

/** Silence on a connection for so long while somebody waits, in milliseconds: it is not used again. */
const SILENT = 2000;

/** A connection that is there. */
interface Held {
  readonly link: Link;
  /** Questions that are on it, or about to be. */
  running: number;
  /** When an answer came. */
  heardAt: number;
  /** Takes back that it will be closed for want of questions. */
  stopIdle?: () => void;
}

/** One upstream. */
export class Upstream implements Disposable {
  /** As it was described. */
  readonly options: UpstreamOptions;
  /** How quick it is. */
  readonly latency: Latency = new Latency();
  readonly #clock: Clock;
  readonly #log: Logger | undefined;
  readonly #links = new Set<Held>();
  readonly #over = new AbortController();
  /** Those that wait for room on a connection, first come first. */
  readonly #waiting = new Set<() => void>();
  #dialling: Promise<void> | undefined;
  #failures = 0;
  #hangUps = 0;
  #downUntil = -Infinity;
  #asked = 0;
  #failed = 0;

  /**
   * Makes one; nothing is dialled yet.
   *
   * @param options How it is reached.
   * @param clock Times.
   * @param log Told when it cannot be reached, and when it can again.
   */
  constructor(options: UpstreamOptions, clock: Clock, log?: Logger) {
    this.options = options;
    this.#clock = clock;
    this.#log = log;
  }

  /** Whether it is left alone for a while. */
  get isDown(): boolean {
    return this.#clock.now() < this.#downUntil;
  }

  /** Whether there is a connection. */
  get isConnected(): boolean {
    return this.#links.size > 0;
  }

  /** Counters: questions sent, and those without a usable end. */
  get counts(): { readonly asked: number; readonly failed: number } {
    return { asked: this.#asked, failed: this.#failed };
  }

  /**
   * Asks.
   *
   * @param signal Ends the wait; with {@linkcode LATE} a connection on which nothing comes is not used again.
   * @throws {AlknetError} It cannot be reached, or what it answers cannot be read.
   */
  async ask(query: Message, signal: AbortSignal): Promise<Message> {
    this.#asked++;
    const began = this.#clock.now();
    try {
      const answer = await this.#askOnce(query, signal).catch((error) => {
        // A connection that its other end had just closed says nothing of the upstream: once more, on a new one.
        if ((error as AlknetError).code !== "DNS_LINK" || signal.aborted) throw error;
        return this.#askOnce(query, signal);
      });
      this.latency.note(this.#clock.now() - began);
      return answer;
    } catch (error) {
      this.#failed++;
      if (signal.aborted) this.latency.note(this.#clock.now() - began);
      throw error;
    }
  }

  async #askOnce(query: Message, signal: AbortSignal): Promise<Message> {
    const held = await this.#room(signal);
    const began = this.#clock.now();
    try {
      const answer = await held.link.ask(query, signal);
      held.heardAt = this.#clock.now();
      this.#reached();
      return answer;
    } catch (error) {
      if ((error as AlknetError).code === "DNS_LINK") this.#lost(held, error as Error);
      // Whether nobody is there any more is seen by dialling. What else runs there is asked again on the new connection.
      const isSilent = held.heardAt < began && this.#clock.now() - began >= SILENT;
      if (error === LATE && isSilent) this.#drop(held);
      throw error;
    } finally {
      held.running--;
      this.#wake();
      if (held.running === 0 && this.#links.has(held)) {
        held.stopIdle = this.#clock.after(IDLE, () => this.#drop(held));
      }
    }
  }

  /** A place on a connection, which is made where there is none. */
  async #room(signal: AbortSignal): Promise<Held> {
    for (;;) {
      signal.throwIfAborted();
      let best: Held | undefined;
      for (const held of this.#links) if (!best || held.running < best.running) best = held;
      if (best && best.running < MAX_RUNNING[this.options.via]) {
        best.running++;
        best.stopIdle?.();
        best.stopIdle = undefined;
        return best;
      }
      if (this.#dialling || this.#links.size < MAX_LINKS) await orAborted(this.#dialling ??= this.#dial(), signal);
      else await this.#wait(signal);
    }
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    try {
      await orAborted(promise, signal);
    } catch (error) {
      // Whoever was woken and left wakes the next.
      this.#wake();
      throw error;
    } finally {
      this.#waiting.delete(resolve);
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting) {
      this.#waiting.delete(resolve);
      return resolve();
    }
  }

  #dial(): Promise<void> {
    const dialling = this.#connect().finally(() => this.#dialling = undefined);
    // Whoever waited may have left.
    dialling.catch(() => {});
    return dialling;
  }

  async #connect(): Promise<void> {
    try {
      this.#over.signal.throwIfAborted();
      const connection = await this.options.dial(this.#over.signal);
      const link = await linkOver(connection, this.options);
      const held: Held = { link, running: 0, heardAt: -Infinity };
      this.#links.add(held);
      link.ended.then(() => this.#forget(held));
      if (this.#over.signal.aborted) this.#drop(held);
    } catch (error) {
      if (!this.#over.signal.aborted) this.#unreachable(error as Error);
      throw error;
    }
  }

  #reached(): void {
    if (this.#failures > 0) this.#log?.info("upstream {upstream} answers again", { upstream: this.options.label });
    this.#failures = this.#hangUps = 0;
    this.#downUntil = -Infinity;
  }

  #unreachable({ message }: Error): void {
    const { label } = this.options;
    if (this.#failures === 0) this.#log?.warn("upstream {upstream} fails: {message}", { upstream: label, message });
    this.#downUntil = this.#clock.now() + Math.min(MAX_BACK_OFF, BACK_OFF * 2 ** this.#failures);
    this.#failures++;
  }

  /** A connection ended under a question. Where none ever gives an answer, others are asked first. */
  #lost(held: Held, error: Error): void {
    if (this.#links.has(held) && held.heardAt === -Infinity) {
      this.latency.note(HUNG_UP);
      if (++this.#hangUps >= MAX_HANG_UPS) this.#unreachable(error);
    }
    this.#forget(held);
  }

  #drop(held: Held): void {
    this.#forget(held);
    held.link.close();
  }

  #forget(held: Held): void {
    this.#links.delete(held);
    held.stopIdle?.();
    this.#wake();
  }

  /** Closes all connections; nothing is dialled any more. */
  [Symbol.dispose](): void {
    this.#over.abort(new AlknetError("DNS_LINK", "the node ends"));
    for (const held of [...this.#links]) this.#drop(held);
  }
}

async function linkOver(connection: Connection, { via, url }: UpstreamOptions): Promise<Link> {
  try {
    if (via === "doq") return doqLink(connection);
    return via === "doh" ? await dohLink(connection, url!) : await framedLink(connection);
  } catch (error) {
    connection.close(0, "");
    throw error;
  }
}
