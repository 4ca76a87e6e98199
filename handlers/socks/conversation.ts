/**
 * What a SOCKS server hears and says before bytes flow: SOCKS5 (RFC 1928, RFC 1929), and if wanted SOCKS4a and HTTP
 * `CONNECT` (RFC 9110 §9.3.6) on the same port. Bytes in, bytes out; it knows no sockets.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import { httpConnect, parseHttpConnect } from "./http_connect.ts";
import { type SocksAnswer, type SocksDestination, SocksRefusal } from "./request.ts";
import { socks4, socks5 } from "./replies.ts";

/** Options of {@linkcode SocksConversation}. */
export interface SocksOptions {
  /** What a client must know; absent: nothing (RFC 1929). */
  readonly credentials?: { readonly username: string; readonly password: string };
  /**
   * Whether SOCKS4 and 4a are served too. Never with credentials: they have none.
   *
   * @default {false}
   */
  readonly socks4?: boolean;
  /**
   * Whether HTTP `CONNECT` is served too. Never with credentials.
   *
   * @default {false}
   */
  readonly httpConnect?: boolean;
}

/** What is to be done after some bytes. */
export type SocksStep =
  /** Send `reply`, if there is one, and go on. */
  | { readonly kind: "more"; readonly reply?: Uint8Array }
  /** Connect, and answer. `rest` is what the client has sent beyond its request. */
  | {
    readonly kind: "connect";
    readonly destination: SocksDestination;
    readonly answer: SocksAnswer;
    readonly rest: Uint8Array;
  }
  /** Send `reply`, if there is one, and hang up. */
  | { readonly kind: "end"; readonly reply?: Uint8Array; readonly why: string };

/** Bytes of a conversation; the longest of SOCKS5 is 1,056, and a `CONNECT` of a browser is shorter. */
const MAX_BYTES = 8192;
const NO_AUTHENTICATION = 0;
const USERNAME_PASSWORD = 2;
const NOT_ACCEPTABLE = 0xff;
const CONNECT = 1;
const Address = { IPV4: 1, DOMAIN: 3, IPV6: 4 } as const;

type State = "greeting" | "credentials" | "request" | "over";

/** One client's part until it has said where it wants to go. */
export class SocksConversation {
  readonly #options: SocksOptions;
  #bytes: Buffer = Buffer.alloc(0);
  #state: State = "greeting";

  /**
   * A conversation that has not begun.
   *
   * @param options What is asked and served.
   */
  constructor(options: SocksOptions = {}) {
    this.#options = options;
  }

  /** Takes what the client has sent, however it is split. After a step that is not `more` there is nothing to give. */
  receive(bytes: Uint8Array): SocksStep {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    const replies: Uint8Array[] = [];
    for (;;) {
      const step = this.#step();
      if (step === undefined) {
        if (this.#bytes.byteLength > MAX_BYTES) return this.#end("request is too long");
        return replies.length > 0 ? { kind: "more", reply: Buffer.concat(replies) } : { kind: "more" };
      }
      if (step.kind === "more") {
        if (step.reply) replies.push(step.reply);
        continue;
      }
      this.#state = "over";
      // What a client sends without waiting for its answers is answered in order.
      if (step.kind === "end") return { ...step, reply: Buffer.concat([...replies, step.reply ?? Buffer.alloc(0)]) };
      return replies.length === 0 ? step : { ...step, answer: after(Buffer.concat(replies), step.answer) };
    }
  }

  /** One message of the client; nothing as long as it is not whole. */
  #step(): SocksStep | undefined {
    switch (this.#state) {
      case "greeting":
        return this.#greeting();
      case "credentials":
        return this.#credentials();
      case "request":
        return this.#request();
      case "over":
        return { kind: "end", why: "the conversation is over" };
    }
  }

  #greeting(): SocksStep | undefined {
    const bytes = this.#bytes;
    if (bytes.byteLength === 0) return;
    const { credentials, socks4, httpConnect } = this.#options;
    if (bytes[0] === 5) return this.#methods(credentials ? USERNAME_PASSWORD : NO_AUTHENTICATION);
    if (bytes[0] === 4 && socks4 && !credentials) return this.#socks4();
    if (bytes[0] === 0x43 && httpConnect && !credentials) return this.#httpConnect();
    return this.#end(`first byte ${bytes[0]} is no protocol that is served here`);
  }

  /** RFC 1928 §3. */
  #methods(wanted: number): SocksStep | undefined {
    const bytes = this.#bytes;
    if (bytes.byteLength < 2 || bytes.byteLength < 2 + bytes[1]) return;
    const methods = this.#take(2 + bytes[1]).subarray(2);
    if (!methods.includes(wanted)) {
      return this.#end("no authentication method in common", Buffer.of(5, NOT_ACCEPTABLE));
    }
    this.#state = wanted === USERNAME_PASSWORD ? "credentials" : "request";
    return { kind: "more", reply: Buffer.of(5, wanted) };
  }

  /** RFC 1929 §2. */
  #credentials(): SocksStep | undefined {
    const bytes = this.#bytes;
    if (bytes.byteLength < 2) return;
    if (bytes[0] !== 1) return this.#end(`authentication of version ${bytes[0]}`, Buffer.of(1, 1));
    const passwordAt = 2 + bytes[1];
    if (bytes.byteLength <= passwordAt || bytes.byteLength <= passwordAt + bytes[passwordAt]) return;
    const given = this.#take(passwordAt + 1 + bytes[passwordAt]);
    const { username, password } = this.#options.credentials!;
    // Both are compared, whichever is wrong.
    const right = [
      same(given.subarray(2, passwordAt), username),
      same(given.subarray(passwordAt + 1), password),
    ].every(Boolean);
    if (!right) return this.#end("wrong username or password", Buffer.of(1, 1));
    this.#state = "request";
    return { kind: "more", reply: Buffer.of(1, 0) };
  }

  /** RFC 1928 §4. */
  #request(): SocksStep | undefined {
    const bytes = this.#bytes;
    if (bytes.byteLength < 5) return;
    if (bytes[0] !== 5) return this.#end(`request of version ${bytes[0]}`, socks5.refused(SocksRefusal.GENERAL));
    const [, command, , kind] = bytes;
    const sizes: Readonly<Record<number, number>> = {
      [Address.IPV4]: 4,
      [Address.DOMAIN]: 1 + bytes[4],
      [Address.IPV6]: 16,
    };
    const size = sizes[kind];
    if (size === undefined) return this.#end(`address of type ${kind}`, socks5.refused(SocksRefusal.ADDRESS_TYPE));
    if (bytes.byteLength < 4 + size + 2) return;
    const request = this.#take(4 + size + 2);
    // BIND and UDP ASSOCIATE.
    if (command !== CONNECT) return this.#end(`command ${command}`, socks5.refused(SocksRefusal.COMMAND));
    const address = request.subarray(4, 4 + size);
    const hostname = kind === Address.IPV4
      ? ipv4(address)
      : kind === Address.IPV6
      ? ipv6(address)
      : nameOf(address.subarray(1));
    if (hostname === undefined) return this.#end("no host name", socks5.refused(SocksRefusal.GENERAL));
    return this.#connect({ hostname, port: request.readUInt16BE(4 + size) }, socks5);
  }

  /** SOCKS4, and 4a with its name after an address of 0.0.0.x. */
  #socks4(): SocksStep | undefined {
    const bytes = this.#bytes;
    const userEnd = bytes.indexOf(0, 8);
    if (bytes.byteLength < 9 || userEnd < 0) return;
    const address = bytes.subarray(4, 8);
    const named = address[0] === 0 && address[1] === 0 && address[2] === 0 && address[3] !== 0;
    const end = named ? bytes.indexOf(0, userEnd + 1) : userEnd;
    if (end < 0) return;
    const hostname = named ? nameOf(bytes.subarray(userEnd + 1, end)) : ipv4(address);
    const [, command] = bytes;
    const port = bytes.readUInt16BE(2);
    this.#take(end + 1);
    if (command !== CONNECT) return this.#end(`command ${command}`, socks4.refused(SocksRefusal.COMMAND));
    if (hostname === undefined) return this.#end("no host name", socks4.refused(SocksRefusal.GENERAL));
    return this.#connect({ hostname, port }, socks4);
  }

  #httpConnect(): SocksStep | undefined {
    const found = parseHttpConnect(this.#bytes);
    if (found === undefined) return;
    if (typeof found === "string") return this.#end(found, httpConnect.malformed);
    this.#take(found.length);
    return this.#connect(found.destination, httpConnect);
  }

  #connect(destination: SocksDestination, answer: SocksAnswer): SocksStep {
    return { kind: "connect", destination, answer, rest: this.#take(this.#bytes.byteLength) };
  }

  #end(why: string, reply?: Uint8Array): SocksStep {
    return { kind: "end", reply, why };
  }

  #take(length: number): Buffer {
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }
}

function after(replies: Uint8Array, answer: SocksAnswer): SocksAnswer {
  return {
    granted: Buffer.concat([replies, answer.granted]),
    refused: (why) => Buffer.concat([replies, answer.refused(why)]),
  };
}

/** In constant time, whatever the lengths. */
function same(given: Uint8Array, wanted: string): boolean {
  const hash = (value: Uint8Array | string) => createHash("sha256").update(value).digest();
  return timingSafeEqual(hash(given), hash(wanted));
}

function ipv4(bytes: Uint8Array): string {
  return [...bytes].join(".");
}

function ipv6(bytes: Buffer): string {
  return Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(2 * group).toString(16)).join(":");
}

/** A name as it may stand in a request; nothing if it is empty, or holds what no name does. */
function nameOf(bytes: Uint8Array): string | undefined {
  const name = new TextDecoder().decode(bytes);
  // deno-lint-ignore no-control-regex
  return name === "" || /[\x00-\x20\x7f\ufffd/@]/.test(name) ? undefined : name;
}
