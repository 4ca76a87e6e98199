/**
 * The client side of SOCKS5 (RFC 1928): a TCP connection made by a proxy.
 *
 * ```text
 * > 05 01 00                       version, one method: no authentication      §3
 * < 05 00                          version, method taken
 * > 05 01 00 ATYP ADDR PORT        version, CONNECT, reserved, destination     §4
 * < 05 REP 00 ATYP ADDR PORT       version, reply, reserved, the proxy's end   §6
 * ```
 *
 * Names go to the proxy as they are: looking them up here would tell the local network what is dialled.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { DialError } from "../../errors.ts";
import { parseIp } from "../../ip.ts";

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const CONNECT = 1;
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;
const REPLIES: readonly string[] = [
  "done",
  "general failure",
  "not allowed by its rules",
  "network unreachable",
  "host unreachable",
  "connection refused",
  "TTL expired",
  "command not supported",
  "address type not supported",
];

/** A destination as a person named it. */
export interface Destination {
  /** Host name or IP address. */
  readonly host: string;
  /** Port. */
  readonly port: number;
}

/**
 * Connects to a destination through a proxy. Nothing is ever sent around it.
 *
 * @param signal Ends the attempt; its reason is what this rejects with.
 * @throws {DialError} `PROXY`: the proxy cannot be reached, wants a login, or does not reach the destination.
 */
export async function connectThrough(proxy: Destination, to: Destination, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const socket = connect({ host: proxy.host, port: proxy.port, allowHalfOpen: true });
  const abort = (): void => void socket.destroy();
  signal.addEventListener("abort", abort);
  try {
    await negotiate(socket, to);
    return socket;
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    const where = `the proxy ${proxy.host}:${proxy.port}`;
    throw new DialError("PROXY", `${where} does not connect to ${to.host}:${to.port}: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function negotiate(socket: Socket, to: Destination): Promise<void> {
  const input = new Input(socket);
  await input.connected;
  socket.write(Uint8Array.of(VERSION, 1, NO_AUTHENTICATION));
  const [version, method] = await input.read(2);
  if (version !== VERSION) throw new Error("it does not speak SOCKS5");
  if (method !== NO_AUTHENTICATION) throw new Error("it wants a login");
  socket.write(Buffer.concat([Uint8Array.of(VERSION, CONNECT, 0), destination(to)]));
  const [, reply, , type, first] = await input.read(5);
  if (reply !== 0) throw new Error(REPLIES[reply] ?? `reply ${reply}`);
  const rest = { [IPV4]: 4, [NAME]: first + 1, [IPV6]: 16 }[type];
  if (rest === undefined) throw new Error(`it answered with address type ${type}`);
  // One byte of the address has been read; two of the port follow it.
  await input.read(rest - 1 + 2);
  input.release();
}

/** ATYP, address, port (§5). */
function destination({ host, port }: Destination): Uint8Array {
  const end = Uint8Array.of(port >> 8, port & 0xff);
  const ip = parseIp(host)?.bytes;
  if (ip) return Buffer.concat([Uint8Array.of(ip.byteLength === 4 ? IPV4 : IPV6), ip, end]);
  const name = Buffer.from(host);
  if (name.byteLength > 255) throw new Error("the name is longer than 255 bytes");
  return Buffer.concat([Uint8Array.of(NAME, name.byteLength), name, end]);
}

/** Reads exact numbers of bytes from a socket and gives back what is left. */
class Input {
  readonly connected: Promise<void>;
  readonly #socket: Socket;
  #bytes: Uint8Array = new Uint8Array(0);
  #error?: Error;
  #wake?: () => void;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.connected = new Promise((resolve, reject) => {
      socket.once("connect", () => resolve());
      socket.once("close", () => reject(this.#error));
    });
    socket.on("error", this.#failed);
    socket.on("close", this.#ended);
    socket.on("end", this.#ended);
    socket.on("data", this.#received);
  }

  async read(length: number): Promise<Uint8Array> {
    while (this.#bytes.byteLength < length) {
      if (this.#error) throw this.#error;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const head = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return head;
  }

  release(): void {
    const socket = this.#socket;
    socket.off("data", this.#received);
    socket.pause();
    socket.off("error", this.#failed);
    socket.off("close", this.#ended);
    socket.off("end", this.#ended);
    if (this.#bytes.byteLength > 0) socket.unshift(this.#bytes);
  }

  readonly #received = (chunk: Uint8Array): void => {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    this.#wake?.();
  };

  readonly #failed = (error: NodeJS.ErrnoException): void => {
    this.#error ??= error.code === "ECONNREFUSED" ? new Error("nothing listens there", { cause: error }) : error;
    this.#wake?.();
  };

  readonly #ended = (): void => {
    this.#error ??= new Error("it closed the connection");
    this.#wake?.();
  };
}
