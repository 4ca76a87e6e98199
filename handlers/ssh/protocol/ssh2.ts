/**
 * The package `ssh2`, loaded with ciphers that leave nothing behind. Nothing else may load it.
 *
 * Its types are written out as far as they are used: those that are published drag in the types of an old Node.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { EventEmitter } from "node:events";
import type { Duplex, Writable } from "node:stream";
import { endCiphersByThemselves, restoreCiphers } from "./one_shot_ciphers.ts";

/** A way to prove who one is. */
export type AuthMethod =
  | { readonly type: "none"; readonly username: string }
  | { readonly type: "publickey"; readonly username: string; readonly key: string; readonly passphrase?: string }
  | { readonly type: "agent"; readonly username: string; readonly agent: string };

/** Options of {@linkcode Ssh2Client.connect}. */
export interface Ssh2ConnectOptions {
  readonly sock: Duplex;
  readonly username: string;
  readonly authHandler: readonly AuthMethod[];
  readonly hostVerifier: (key: Buffer) => boolean;
  readonly algorithms: { readonly cipher: readonly string[] };
  readonly readyTimeout: number;
  readonly keepaliveInterval: number;
  readonly keepaliveCountMax: number;
}

/** The client of ssh2. */
export interface Ssh2Client extends EventEmitter {
  connect(options: Ssh2ConnectOptions): this;
  end(): this;
  destroy(): this;
  forwardOut(fromHost: string, fromPort: number, toHost: string, toPort: number, done: Done<Duplex>): this;
  forwardIn(bindAddress: string, port: number, done: Done<number>): this;
  openssh_forwardOutStreamLocal(path: string, done: Done<Duplex>): this;
  openssh_forwardInStreamLocal(path: string, done: Done<void>): this;
}

/** Options of {@linkcode Ssh2Server}. */
export interface Ssh2ServerOptions {
  readonly hostKeys: readonly string[];
  readonly algorithms: Readonly<Record<"kex" | "cipher" | "hmac" | "compress", readonly string[]>>;
  readonly ident: string;
}

/** The server of ssh2: `connection` with a {@linkcode Ssh2Peer} and what the socket says of itself. */
export interface Ssh2Server extends EventEmitter {
  injectSocket(socket: Duplex): void;
}

/** A client, as the server sees it. */
export interface Ssh2Peer extends EventEmitter {
  end(): this;
  rekey(): void;
  forwardOut(boundHost: string, boundPort: number, fromHost: string, fromPort: number, done: Done<Duplex>): this;
  openssh_forwardOutStreamLocal(path: string, done: Done<Duplex>): this;
  /** Inside of ssh2: its `reject` knows one reason alone, and it misreads a request (`../session/terminal_modes.ts`). */
  readonly _protocol: {
    channelClose(recipient: number): void;
    channelOpenFail(recipient: number, reason: number, description: string): void;
    _onPayload(payload: Buffer): unknown;
  };
  /** Its channels, by our number. */
  readonly _chanMgr: { remove(id: number): void };
}

/** A session channel: its requests are events. */
export interface Ssh2Session extends EventEmitter {
  /** What runs in it. */
  readonly _channel?: Ssh2Channel;
  readonly _chanInfo: { readonly incoming: { readonly id: number }; readonly outgoing: { readonly id: number } };
}

/** An attempt to log in. */
export interface Ssh2Authentication {
  readonly username: string;
  readonly method: string;
  readonly key?: { readonly algo: string; readonly data: Buffer };
  readonly blob?: Buffer;
  readonly signature?: Buffer;
  readonly hashAlgo?: string;
  accept(): void;
  reject(methodsLeft?: readonly string[]): void;
}

/** A channel of a session. */
export interface Ssh2Channel extends Duplex {
  readonly stderr: Writable;
  /** `eof` from the client's end of its direction until it closes the channel. */
  readonly incoming: { readonly state: string };
  exit(code: number): void;
  exit(signal: string, coreDumped: boolean, message: string): void;
}

/** A key that ssh2 has read. */
export interface Ssh2Key {
  readonly type: string;
  getPublicPEM(): string;
  verify(data: Uint8Array, signature: Uint8Array, algorithm?: string): boolean | Error;
}

/** How ssh2 answers. */
export type Done<T> = (error: Error | null | undefined, value: T) => void;

/** What is used of ssh2. */
export interface Ssh2 {
  readonly Client: new () => Ssh2Client;
  readonly Server: new (options: Ssh2ServerOptions) => Ssh2Server;
  readonly utils: { parseKey(key: Uint8Array | string): Ssh2Key | Error };
}

endCiphersByThemselves();
const loaded: { readonly default: unknown } = await import("ssh2");
restoreCiphers();

/** The package. */
export const ssh2: Ssh2 = loaded.default as Ssh2;
