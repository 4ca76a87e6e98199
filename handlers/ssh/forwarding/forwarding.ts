/**
 * Forwarding (RFC 4254 §7, OpenSSH's PROTOCOL §2.4): connections from the node for a client, and listeners at the node.
 *
 * @module
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { boundOutput } from "../protocol/channel_output.ts";
import { Destinations } from "./destinations.ts";
import { join } from "./join.ts";
import type { SshPolicy } from "../login/policy.ts";
import type { Ssh2Peer } from "../protocol/ssh2.ts";

/** RFC 4254 §5.1. */
const PROHIBITED = 1;
/** Time to connect, in milliseconds. */
const CONNECT_TIMEOUT = 10_000;
/** Connections that one connection may have at once, those to come among them. */
const MAX_CONNECTIONS = 512;
/** Listeners that one connection may have. */
const MAX_LISTENERS = 32;

/** Options of {@linkcode Forwarding}. */
export interface ForwardingOptions {
  /** What the client may do. */
  readonly policy: SshPolicy;
  /** Told of a refusal; where to is nobody's business. */
  readonly refused: (what: string) => void;
}

type Accept = () => Duplex;
type Reject = () => void;

interface DirectTcp {
  readonly destIP: string;
  readonly destPort: number;
}

/** What one client forwards. */
export class Forwarding {
  readonly #peer: Ssh2Peer;
  readonly #refused: (what: string) => void;
  readonly #destinations: Destinations;
  readonly #listeners: Destinations;
  readonly #servers = new Map<string, Server>();
  readonly #sockets = new Set<Socket>();
  /** Connections whose address is looked up. */
  #finding = 0;
  #over = false;

  /**
   * Serves a client that has logged in, until `close`.
   *
   * @param peer The client.
   * @param options What it may do.
   * @throws {RangeError} A rule of the policy cannot be read.
   */
  constructor(peer: Ssh2Peer, { policy, refused }: ForwardingOptions) {
    this.#peer = peer;
    this.#refused = refused;
    this.#destinations = new Destinations(policy.forward ?? []);
    this.#listeners = new Destinations(policy.listen ?? []);
    peer.on("tcpip", (accept: Accept, reject: Reject, info: DirectTcp) => this.#connect(accept, reject, info));
    peer.on("openssh.streamlocal", (accept: Accept, reject: Reject, { socketPath }: { socketPath: string }) => {
      if (!this.#destinations.allowsPath(socketPath)) return this.#prohibit(reject);
      if (this.#isFull()) return reject();
      this.#open(connect({ path: socketPath, allowHalfOpen: true }), accept, reject);
    });
    peer.on("request", (accept, reject, name: string, data) => this.#request(accept, reject, name, data));
  }

  /** Closes listeners and connections. */
  close(): void {
    this.#over = true;
    for (const server of this.#servers.values()) server.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#servers.clear();
  }

  async #connect(accept: Accept, reject: Reject, { destIP, destPort }: DirectTcp): Promise<void> {
    if (this.#isFull()) return reject();
    this.#finding++;
    const found = await this.#destinations.find(destIP, destPort).finally(() => this.#finding--);
    if (this.#over) return;
    if (found === "forbidden") return this.#prohibit(reject);
    if (found === "unresolvable") return reject();
    const { address: host, port } = found;
    this.#open(connect({ host, port, allowHalfOpen: true, noDelay: true }), accept, reject);
  }

  /** Accepts once the connection is there. */
  #open(socket: Socket, accept: Accept, reject: Reject): void {
    this.#hold(socket);
    const late = setTimeout(() => socket.destroy(new Error("connect timed out")), CONNECT_TIMEOUT);
    let open = false;
    socket.once("connect", () => {
      open = true;
      clearTimeout(late);
      const channel = boundOutput(accept());
      channel.on("error", () => {});
      join(socket, channel);
    });
    socket.once("close", () => {
      clearTimeout(late);
      if (!open) reject();
    });
  }

  /** ssh2's own refusal says that connecting failed; this one says that it was not tried. */
  #prohibit(reject: Reject): void {
    this.#refused("forwarding");
    const protocol = this.#peer._protocol;
    const { channelOpenFail } = protocol;
    protocol.channelOpenFail = (recipient) => channelOpenFail.call(protocol, recipient, PROHIBITED, "");
    reject();
    protocol.channelOpenFail = channelOpenFail;
  }

  #request(
    accept: ((port?: number) => void) | undefined,
    reject: Reject | undefined,
    name: string,
    data: { readonly bindAddr: string; readonly bindPort: number; readonly socketPath: string },
  ): void {
    switch (name) {
      case "tcpip-forward":
        return this.#listen(accept, reject, data.bindAddr, data.bindPort);
      case "streamlocal-forward@openssh.com":
        return this.#listenAtPath(accept, reject, data.socketPath);
      case "cancel-tcpip-forward":
        return this.#cancel(accept, reject, `${data.bindAddr}:${data.bindPort}`);
      case "cancel-streamlocal-forward@openssh.com":
        return this.#cancel(accept, reject, data.socketPath);
      default:
        reject?.();
    }
  }

  #listen(accept: ((port?: number) => void) | undefined, reject: Reject | undefined, bind: string, port: number): void {
    const allowed = this.#listeners.allowsListener(bind, port) && this.#servers.size < MAX_LISTENERS;
    if (!allowed) {
      this.#refused("listening");
      return reject?.();
    }
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const { remoteAddress = "", remotePort = 0 } = socket;
      const bound = (server.address() as AddressInfo).port;
      this.#forwarded(socket, (done) => this.#peer.forwardOut(bind, bound, remoteAddress, remotePort, done));
    });
    const hostname = bind === "" || bind === "*" ? undefined : bind;
    this.#start(server, { host: hostname, port }, reject, () => {
      const bound = (server.address() as AddressInfo).port;
      this.#servers.set(`${bind}:${bound}`, server);
      accept?.(bound);
    });
  }

  #listenAtPath(accept: (() => void) | undefined, reject: Reject | undefined, path: string): void {
    if (!this.#listeners.allowsPath(path) || this.#servers.size >= MAX_LISTENERS) {
      this.#refused("listening");
      return reject?.();
    }
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#forwarded(socket, (done) => this.#peer.openssh_forwardOutStreamLocal(path, done));
    });
    this.#start(server, { path }, reject, () => {
      this.#servers.set(path, server);
      accept?.();
    });
  }

  #start(
    server: Server,
    at: { readonly host?: string; readonly port: number } | { readonly path: string },
    reject: Reject | undefined,
    listening: () => void,
  ): void {
    const failed = (): void => reject?.();
    server.once("error", failed);
    server.listen(at, () => {
      server.off("error", failed);
      if (this.#over) return void server.close();
      listening();
    });
  }

  #isFull(): boolean {
    if (this.#sockets.size + this.#finding < MAX_CONNECTIONS) return false;
    this.#refused("so many connections");
    return true;
  }

  #forwarded(socket: Socket, open: (done: (error: Error | null | undefined, channel: Duplex) => void) => void): void {
    if (this.#isFull()) return void socket.destroy();
    this.#hold(socket);
    open((error, channel) => {
      if (error) return void socket.destroy();
      channel.on("error", () => {});
      join(socket, boundOutput(channel));
    });
  }

  #cancel(accept: (() => void) | undefined, reject: Reject | undefined, key: string): void {
    const server = this.#servers.get(key);
    if (!server) return reject?.();
    this.#servers.delete(key);
    server.close();
    accept?.();
  }

  #hold(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
  }
}
