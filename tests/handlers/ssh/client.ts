/**
 * The client of ssh2, for what OpenSSH's does not do: odd requests, odd packets, and doing nothing.
 *
 * @module
 */
import type { Connection } from "@alknet/core/handler";
import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { connect } from "../../../core/endpoint/dial.ts";
import { ssh2, type Ssh2Client } from "../../../handlers/ssh/protocol/ssh2.ts";
import { StreamSocket } from "../../../handlers/ssh/protocol/stream_socket.ts";

/** A channel, as far as tests look into it. */
export interface ClientChannel extends Duplex {
  readonly incoming: { readonly id: number };
  readonly outgoing: { readonly id: number; window: number; packetSize: number };
  readonly stderr: Duplex;
  close(): void;
}

/** What ssh2's client has inside, as far as tests use it. */
export interface ClientProtocol {
  /** Encrypts a packet whose payload begins at its sixth byte. */
  readonly _cipher: { encrypt(packet: Buffer): void; allocPacket(length: number): Buffer };
  channelWindowAdjust(id: number, bytes: number): void;
  channelClose(id: number): void;
}

/** A client that has logged in, or tries to. */
export interface TestClient extends AsyncDisposable {
  readonly client: Ssh2Client;
  readonly socket: StreamSocket;
  readonly connection: Connection;
  readonly protocol: ClientProtocol;
  /** Resolves when it has logged in; rejects if it does not. */
  readonly ready: Promise<void>;
  /** Resolves when it is over. */
  readonly closed: Promise<void>;
  /** Runs a command. */
  exec(command: string, options?: object): Promise<ClientChannel>;
  /** Opens a connection at the far side. */
  forward(host: string, port: number): Promise<ClientChannel>;
}

/** Where it logs in, and with what. */
export interface ClientOptions {
  readonly address: string;
  /** A file. */
  readonly key: string;
  readonly transport?: "quic" | "tls";
  /** Told of the client before it says a word. */
  readonly before?: (protocol: ClientProtocol, socket: StreamSocket) => void;
}

/** Starts one. */
export async function sshClient({ address, transport = "tls", ...rest }: ClientOptions): Promise<TestClient> {
  return await clientOn(await connect(address, "alknet/ssh", { transport }), rest);
}

/** Starts one on a connection. */
export async function clientOn(
  connection: Connection,
  { key, before }: Pick<ClientOptions, "key" | "before">,
): Promise<TestClient> {
  const socket = new StreamSocket(await connection.open());
  const client = new ssh2.Client();
  const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
  const ready = new Promise<void>((resolve, reject) => {
    client.once("ready", resolve);
    client.on("error", reject);
    closed.then(() => reject(new Error("closed")));
  });
  ready.catch(() => {});
  client.connect({
    sock: socket,
    username: "anyone",
    authHandler: [{ type: "publickey", username: "anyone", key: await Deno.readTextFile(key) }],
    hostVerifier: () => true,
    algorithms: { cipher: ["chacha20-poly1305@openssh.com"] },
    readyTimeout: 30_000,
    keepaliveInterval: 0,
    keepaliveCountMax: 3,
  });
  const inside = client as unknown as Inside;
  before?.(inside._protocol, socket);
  const asked = <T>(ask: (done: (error: Error | null | undefined, value: T) => void) => unknown): Promise<T> => {
    return new Promise((resolve, reject) => ask((error, value) => error ? reject(error) : resolve(value)));
  };
  return {
    client,
    socket,
    connection,
    get protocol() {
      return inside._protocol;
    },
    ready,
    closed,
    exec: (command, options = {}) => asked((done) => inside.exec(command, options, done)),
    forward: (host, port) => asked<Duplex>((done) => client.forwardOut("127.0.0.1", 1, host, port, done)) as never,
    async [Symbol.asyncDispose]() {
      client.end();
      connection.close();
      socket.destroy();
      await closed;
    },
  };
}

interface Inside {
  readonly _protocol: ClientProtocol;
  exec(command: string, options: object, done: (error: Error | null | undefined, channel: ClientChannel) => void): void;
}
