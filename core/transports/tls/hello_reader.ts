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
import { type ClientHello, HELLO_HEADER, helloLength, parseClientHello } from "../quic/engine/tls_client_hello.ts";

const HEADER = 5;
const HANDSHAKE = 22;
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

/** Gathers bytes until they are a ClientHello. */
export class HelloReader {
  readonly #limit: number;
  #bytes: Uint8Array = new Uint8Array(0);

  /** @param limit Bytes after which it gives up. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds bytes as they arrive. */
  read(chunk: Uint8Array): HelloState {
    this.#bytes = this.#bytes.byteLength === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    const state = this.#state();
    return state.kind === "more" && this.#bytes.byteLength >= this.#limit ? INVALID : state;
  }

  #state(): HelloState {
    const fragments: Uint8Array[] = [];
    let gathered = 0;
    for (let at = 0; at < this.#bytes.byteLength;) {
      const record = this.#bytes.subarray(at);
      if (record[0] !== HANDSHAKE || record.byteLength > 1 && record[1] !== 3) return INVALID;
      if (record.byteLength < HEADER) return MORE;
      const length = record[3] << 8 | record[4];
      if (length < 1 || length > MAX_FRAGMENT) return INVALID;
      const fragment = record.subarray(HEADER, HEADER + length);
      fragments.push(fragment);
      gathered += fragment.byteLength;
      const message = fragments.length === 1 ? fragment : Buffer.concat(fragments, gathered);
      if (gathered >= 1 && message[0] !== 1) return INVALID;
      if (gathered >= HELLO_HEADER) {
        const wanted = helloLength(message);
        if (wanted < 0 || wanted > this.#limit) return INVALID;
        if (gathered >= wanted) return this.#parsed(message.subarray(0, wanted));
      }
      at += HEADER + length;
    }
    return MORE;
  }

  #parsed(message: Uint8Array): HelloState {
    const hello = parseClientHello(message);
    return hello ? { kind: "hello", hello, bytes: this.#bytes } : INVALID;
  }
}
