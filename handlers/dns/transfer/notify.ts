/**
 * Telling secondaries that a zone has changed (RFC 1996), by UDP: they ask for its SOA, and then for the zone.
 *
 * @module
 */
import type { Logger, SocketAddress } from "@alknet/core/handler";
import { randomInt } from "node:crypto";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { decodeMessage } from "../codec/decode.ts";
import { encodeMessage } from "../codec/encode.ts";
import { DnsMalformedError } from "../codec/errors.ts";
import { CLASS_IN, type Message, Type } from "../codec/types.ts";
import type { Zone, ZoneStore } from "../zones/store.ts";

/** Options of {@linkcode notifySecondaries}. */
export interface NotifyOptions {
  /** The zones. */
  readonly zones: ZoneStore;
  /** Who is told, by the key of a zone's name. */
  readonly secondaries: ReadonlyMap<string, readonly SocketAddress[]>;
  /** Told of those who do not answer, by their addresses. */
  readonly log: Logger;
  /** Milliseconds after which one is told, then told again. Default 0, 2000, 8000. */
  readonly times?: readonly number[];
}

/** NOTIFY. */
const OPCODE = 4;
const TIMES = [0, 2000, 8000];

/** Tells secondaries at once, and then of every change, until it is disposed of. */
export function notifySecondaries(options: NotifyOptions): Disposable {
  const notifier = new Notifier(options);
  for (const zone of options.zones.list()) notifier.tell(zone);
  const watching = options.zones.watch((zone) => notifier.tell(zone));
  return {
    [Symbol.dispose]() {
      watching[Symbol.dispose]();
      notifier[Symbol.dispose]();
    },
  };
}

interface Telling {
  readonly id: number;
  readonly to: SocketAddress;
  readonly timers: ReturnType<typeof setTimeout>[];
}

class Notifier implements Disposable {
  readonly #options: NotifyOptions;
  readonly #sockets = new Map<"udp4" | "udp6", Socket>();
  /** What is not answered, by zone and secondary. */
  readonly #tellings = new Map<string, Telling>();

  constructor(options: NotifyOptions) {
    this.#options = options;
  }

  /** Tells all secondaries of a zone; what was under way is over. */
  tell(zone: Zone): void {
    for (const to of this.#options.secondaries.get(zone.name.key) ?? []) this.#tellOne(zone, to);
  }

  #tellOne(zone: Zone, to: SocketAddress): void {
    const key = `${zone.name.key} ${to.hostname} ${to.port}`;
    this.#end(key);
    const id = randomInt(0x1_0000);
    const bytes = encodeMessage(notification(id, zone));
    const { times = TIMES, log } = this.#options;
    const timers = times.map((ms) => setTimeout(() => this.#send(to, bytes), ms));
    timers.push(setTimeout(() => {
      this.#end(key);
      log.warn("no answer to NOTIFY from {to}", { to: `${to.hostname}:${to.port}` });
    }, 2 * times[times.length - 1] + 1000));
    for (const timer of timers) Deno.unrefTimer(timer as unknown as number);
    this.#tellings.set(key, { id, to, timers });
  }

  #send({ hostname, port }: SocketAddress, bytes: Uint8Array): void {
    // What cannot be sent is sent again, and told at last.
    this.#socket(isIPv6(hostname) ? "udp6" : "udp4").send(bytes, port, hostname, () => {});
  }

  #socket(family: "udp4" | "udp6"): Socket {
    let socket = this.#sockets.get(family);
    if (!socket) {
      socket = createSocket(family).unref();
      socket.on("message", (bytes, from) => this.#answered(bytes, from));
      socket.on("error", ({ message }) => this.#options.log.warn("NOTIFY failed: {message}", { message }));
      this.#sockets.set(family, socket);
    }
    return socket;
  }

  #answered(bytes: Uint8Array, { address, port }: RemoteInfo): void {
    let message: Message;
    try {
      message = decodeMessage(bytes);
    } catch (error) {
      if (error instanceof DnsMalformedError) return;
      throw error;
    }
    if (!message.response || message.opcode !== OPCODE) return;
    for (const [key, { id, to }] of this.#tellings) {
      if (id === message.id && to.port === port && to.hostname === address) return this.#end(key);
    }
  }

  #end(key: string): void {
    for (const timer of this.#tellings.get(key)?.timers ?? []) clearTimeout(timer);
    this.#tellings.delete(key);
  }

  [Symbol.dispose](): void {
    for (const key of [...this.#tellings.keys()]) this.#end(key);
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }
}

function notification(id: number, { name }: Zone): Message {
  return {
    id,
    response: false,
    opcode: OPCODE,
    rcode: 0,
    flags: { aa: true, tc: false, rd: false, ra: false, ad: false, cd: false },
    question: { name, type: Type.SOA, class: CLASS_IN },
    answer: [],
    authority: [],
    additional: [],
  };
}
