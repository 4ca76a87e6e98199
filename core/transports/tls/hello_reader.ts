/**
 * Reads the ClientHello of a TCP connection before there is any TLS state for it.
 *
 * The hello decides which certificate is shown, whether a client certificate is asked for and which protocol runs, and
 * most of what strangers send is no hello at all: it ends here, at the cost of a socket and the bytes received.
 *
 * ```text
 * 1  record type 22, handshake                                                   RFC 8446 §5.1
 * 2  legacy version, major 3
 * 2  length, 1 to 2^14
 * n  a part of the handshake message, or all of it
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type ClientHello, HELLO_HEADER, helloLength, parseClientHello } from "../tls_client_hello.ts";

const HEADER = 5;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const MAX_FRAGMENT = 16_384;

/** What the bytes so far are. */
export type HelloState =
  /** The beginning of one. */
  | { readonly kind: "more" }
  /** Nothing that could become one, or longer than allowed. */
  | { readonly kind: "invalid" }
  /** A whole one; `bytes` is all that was read. */
  | { readonly kind: "hello"; readonly hello: ClientHello; readonly bytes: Uint8Array };

const MORE: HelloState = { kind: "more" };
const INVALID: HelloState = { kind: "invalid" };

/** Gathers bytes until they are a ClientHello. Each byte is looked at once, however they are cut into pieces. */
export class HelloReader {
  readonly #limit: number;
  readonly #chunks: Uint8Array[] = [];
  #total = 0;
  readonly #header = new Uint8Array(HEADER);
  #headerBytes = 0;
  #fragmentLeft = 0;
  #message: Uint8Array = new Uint8Array(512);
  #gathered = 0;

  /** @param limit Bytes after which it gives up. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds bytes as they arrive. */
  read(chunk: Uint8Array): HelloState {
    this.#chunks.push(chunk);
    this.#total += chunk.byteLength;
    for (let at = 0; at < chunk.byteLength;) {
      if (this.#fragmentLeft > 0) {
        const part = chunk.subarray(at, at + this.#fragmentLeft);
        this.#gather(part);
        this.#fragmentLeft -= part.byteLength;
        at += part.byteLength;
        const state = this.#state();
        if (state.kind !== "more") return state;
      } else {
        this.#header[this.#headerBytes++] = chunk[at++];
        if (!this.#headerIsPossible()) return INVALID;
      }
    }
    return this.#total >= this.#limit ? INVALID : MORE;
  }

  /** Whether the header so far can belong to a handshake record; when it is whole, its fragment follows. */
  #headerIsPossible(): boolean {
    const [type, major, , high, low] = this.#header;
    if (type !== HANDSHAKE || this.#headerBytes > 1 && major !== 3) return false;
    if (this.#headerBytes < HEADER) return true;
    this.#headerBytes = 0;
    this.#fragmentLeft = high << 8 | low;
    return this.#fragmentLeft >= 1 && this.#fragmentLeft <= MAX_FRAGMENT;
  }

  #gather(part: Uint8Array): void {
    const needed = this.#gathered + part.byteLength;
    if (needed > this.#message.byteLength) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#message.byteLength));
      larger.set(this.#message.subarray(0, this.#gathered));
      this.#message = larger;
    }
    this.#message.set(part, this.#gathered);
    this.#gathered = needed;
  }

  #state(): HelloState {
    if (this.#message[0] !== CLIENT_HELLO) return INVALID;
    if (this.#gathered < HELLO_HEADER) return MORE;
    const wanted = helloLength(this.#message);
    if (wanted > this.#limit) return INVALID;
    if (this.#gathered < wanted) return MORE;
    const hello = parseClientHello(this.#message.subarray(0, wanted));
    return hello ? { kind: "hello", hello, bytes: Buffer.concat(this.#chunks, this.#total) } : INVALID;
  }
}
