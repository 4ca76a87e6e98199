/**
 * A tunnel: listeners at either end of an SSH session, and what flows between.
 *
 * Listeners at this end stay while sessions come and go: who connects in between waits for the next session, so that a
 * lost connection costs those who use the tunnel no more than it must.
 *
 * @module
 */
import type { Connection } from "@alknet/core/handler";
import { SocksConversation, type SocksOptions, SocksRefusal } from "@alknet/handlers/socks";
import type { Buffer } from "node:buffer";
import { connect as connectSocket, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Forward, type Place, placeText } from "./forward.ts";
import { join } from "../ssh/forwarding/join.ts";
import { listen, type Listener } from "./listeners.ts";
import { ChannelRefused, type SshLogin, SshSession } from "./ssh_session.ts";

/** What a tunnel forwards. */
export interface TunnelForwards {
  /** Listens here, connects at the far side (`-L`). */
  readonly local?: readonly Forward[];
  /** Listens at the far side, connects here (`-R`). */
  readonly remote?: readonly Forward[];
  /** Listens here for clients of SOCKS, connects at the far side wherever they say (`-D`). */
  readonly dynamic?: readonly Place[];
}

/** Options of {@linkcode openTunnel}. */
export interface TunnelOptions extends TunnelForwards, SshLogin {
  /** How SOCKS is spoken. Default: SOCKS5 and SOCKS4a without credentials, and HTTP `CONNECT`. */
  readonly socks?: SocksOptions;
  /** Told of what happens. */
  readonly onEvent?: (event: TunnelEvent) => void;
}

/** What happens in a tunnel. */
export type TunnelEvent =
  /** It listens. */
  | {
    readonly event: "listening";
    readonly kind: "local" | "remote" | "dynamic";
    readonly at: string;
    readonly to?: string;
  }
  /** The far side would not listen. */
  | { readonly event: "refused"; readonly kind: "remote"; readonly at: string; readonly reason: string }
  /** A connection came to nothing. */
  | { readonly event: "failed"; readonly kind: "local" | "remote" | "dynamic"; readonly reason: string };

/** Figures of a tunnel. */
export interface TunnelStats {
  /** Connections so far. */
  readonly connections: number;
  /** Those that are open. */
  readonly open: number;
  /** Bytes of local programs to the far side. */
  readonly sent: number;
  /** Bytes of the far side to local programs. */
  readonly received: number;
}

/** Time for who connects while there is no session, in milliseconds. */
const PATIENCE = 30_000;
const SOCKS: SocksOptions = { socks4: true, httpConnect: true };
const EMPTY = new Uint8Array(0);
/** SOCKS's words for reasons of RFC 4254 §5.1. */
const REFUSALS: Readonly<Record<number, SocksRefusal>> = {
  1: SocksRefusal.NOT_ALLOWED,
  2: SocksRefusal.CONNECTION_REFUSED,
};

/** A tunnel. */
export class Tunnel implements AsyncDisposable {
  readonly #options: TunnelOptions;
  readonly #listeners: Listener[] = [];
  readonly #sockets = new Set<Socket>();
  /** Forwards of the far side that it took, by where it listens. */
  readonly #remote = new Map<string, Forward>();
  #session: PromiseWithResolvers<SshSession> = Promise.withResolvers();
  #current: SshSession | undefined;
  #connections = 0;
  #sent = 0;
  #received = 0;
  #closed = false;

  private constructor(options: TunnelOptions) {
    this.#options = options;
    this.#session.promise.catch(() => {});
  }

  /**
   * Listens at this end.
   *
   * @throws {AlknetError} `BIND_FAILED`: then nothing listens.
   */
  static async listen(options: TunnelOptions): Promise<Tunnel> {
    const tunnel = new Tunnel(options);
    try {
      for (const { listen: at, connect } of options.local ?? []) {
        await tunnel.#listen("local", at, (socket) => tunnel.#forward(socket, connect), connect);
      }
      for (const at of options.dynamic ?? []) await tunnel.#listen("dynamic", at, (socket) => tunnel.#socks(socket));
    } catch (error) {
      await tunnel.close();
      throw error;
    }
    return tunnel;
  }

  /** Figures so far. */
  get stats(): TunnelStats {
    let sent = this.#sent;
    let received = this.#received;
    for (const socket of this.#sockets) {
      sent += socket.bytesRead;
      received += socket.bytesWritten;
    }
    return { connections: this.#connections, open: this.#sockets.size, sent, received };
  }

  /**
   * Logs in over a connection, has the far side listen, and lets those through who wait.
   *
   * @returns Resolves when the session is there; its `closed` says when it is over.
   * @throws {AlknetError} `SSH_REFUSED`, `SSH_FAILED`.
   */
  async attach(connection: Connection): Promise<SshSession> {
    const session = await SshSession.open(connection, this.#options, (at, accept, refuse) => {
      const forward = this.#remote.get(placeText(at)) ?? this.#remote.get(portOnly(at));
      if (!forward) return refuse();
      this.#forwardBack(forward, accept, refuse);
    });
    this.#remote.clear();
    for (const forward of this.#options.remote ?? []) await this.#listenThere(session, forward);
    this.#current = session;
    this.#session.resolve(session);
    session.closed.then(() => {
      if (this.#closed || this.#current !== session) return;
      this.#current = undefined;
      this.#session = Promise.withResolvers();
      this.#session.promise.catch(() => {});
    });
    return session;
  }

  /** Closes everything; what flows is cut. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#session.reject(new ChannelRefused(0, "the tunnel is closed"));
    const closing = this.#listeners.map((listener) => listener.close());
    for (const socket of this.#sockets) socket.destroy();
    this.#current?.close();
    await Promise.all([...closing, this.#current?.closed]);
  }

  /** Closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #listen(kind: "local" | "dynamic", at: Place, accept: (socket: Socket) => void, to?: Place): Promise<void> {
    const listener = await listen(at, (socket) => {
      this.#hold(socket);
      accept(socket);
    });
    this.#listeners.push(listener);
    const toText = to ? { to: placeText(to) } : {};
    this.#options.onEvent?.({ event: "listening", kind, at: placeText(listener.place), ...toText });
  }

  async #listenThere(session: SshSession, forward: Forward): Promise<void> {
    const kind = "remote";
    try {
      const place = await session.listen(forward.listen);
      this.#remote.set(placeText(place), forward);
      this.#remote.set(portOnly(place), forward);
      this.#options.onEvent?.({ event: "listening", kind, at: placeText(place), to: placeText(forward.connect) });
    } catch (error) {
      const reason = (error as Error).message;
      this.#options.onEvent?.({ event: "refused", kind, at: placeText(forward.listen), reason });
    }
  }

  /** Counts a socket of a local program, and forgets it at its end. */
  #hold(socket: Socket): void {
    this.#connections++;
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#sent += socket.bytesRead;
      this.#received += socket.bytesWritten;
    });
  }

  async #forward(socket: Socket, to: Place): Promise<void> {
    try {
      await join(socket, await this.#channel(to, socket));
    } catch (error) {
      this.#failed("local", error, socket);
    }
  }

  async #channel(to: Place, socket: Socket): Promise<Duplex> {
    const session = this.#current ?? await this.#nextSession(socket);
    const { remoteAddress: hostname = "127.0.0.1", remotePort: port = 0 } = socket;
    const channel = await session.connect(to, { hostname, port });
    if (socket.destroyed) channel.destroy();
    return channel;
  }

  /** The next session, unless it takes too long, or the program that waits for it leaves. */
  #nextSession(socket: Socket): Promise<SshSession> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => () => {
        clearTimeout(late);
        socket.off("close", left);
        settle();
      };
      const left = end(() => reject(new ChannelRefused(0, "the program has left")));
      const late = setTimeout(end(() => reject(new ChannelRefused(0, "no connection to the node"))), PATIENCE);
      socket.on("close", left);
      this.#session.promise.then((session) => end(() => resolve(session))(), (error) => end(() => reject(error))());
    });
  }

  #socks(socket: Socket): void {
    const conversation = new SocksConversation(this.#options.socks ?? SOCKS);
    const onData = (bytes: Buffer): void => {
      const step = conversation.receive(bytes);
      if (step.kind === "more") {
        if (step.reply) socket.write(step.reply);
        return;
      }
      socket.off("data", onData);
      socket.pause();
      if (step.kind === "end") {
        socket.end(step.reply ?? EMPTY);
        socket.resume();
        return this.#options.onEvent?.({ event: "failed", kind: "dynamic", reason: step.why });
      }
      this.#channel(step.destination, socket).then((channel) => {
        socket.write(step.answer.granted);
        if (step.rest.byteLength > 0) channel.write(step.rest);
        return join(socket, channel);
      }).catch((error) => {
        const reason = error instanceof ChannelRefused ? error.reason : 0;
        socket.end(step.answer.refused(REFUSALS[reason] ?? SocksRefusal.GENERAL));
        socket.resume();
        this.#failed("dynamic", error);
      });
    };
    socket.on("data", onData);
  }

  /** A connection at the far side: it is taken once the local program is there. */
  #forwardBack({ connect: to }: Forward, accept: () => Duplex, refuse: () => void): void {
    const socket = "path" in to
      ? connectSocket({ path: to.path, allowHalfOpen: true })
      : connectSocket({ host: to.hostname, port: to.port, allowHalfOpen: true, noDelay: true });
    const failed = (error: Error): void => {
      refuse();
      this.#failed("remote", error);
    };
    socket.once("error", failed);
    socket.once("connect", () => {
      socket.off("error", failed);
      this.#hold(socket);
      join(socket, accept());
    });
  }

  #failed(kind: "local" | "remote" | "dynamic", error: unknown, socket?: Socket): void {
    socket?.destroy();
    const reason = error instanceof Error ? error.message : String(error);
    if (!this.#closed) this.#options.onEvent?.({ event: "failed", kind, reason });
  }
}

/** Servers differ in the address that they name: OpenSSH repeats what was asked, others say where it came in. */
function portOnly(place: Place): string {
  return "path" in place ? place.path : `*:${place.port}`;
}
