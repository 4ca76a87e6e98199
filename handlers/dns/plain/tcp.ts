/**
 * DNS over TCP, without a secret (RFC 7766): messages as on `dot`, for who was told over UDP that there is more, and for
 * whole zones.
 *
 * @module
 */
import { addressGroup, type Logger, type SocketAddress } from "@alknet/core/handler";
import type { DnsCaller } from "../caller.ts";
import { FramedStream } from "../fronts/framed.ts";
import type { PlainParts } from "./parts.ts";

/** Connections at a time: in all, and of one address group. */
const MOST = 1024;
const MOST_OF_GROUP = 32;
/** Milliseconds after which is listened again, where the system has no room for one more connection. */
const BREATH = 100;

/** A listener that answers. Disposing it answers what was read, and closes. */
export class TcpFront implements AsyncDisposable {
  readonly #parts: PlainParts;
  readonly #listener: Deno.TcpListener;
  readonly #log: Logger;
  readonly #stop = new AbortController();
  readonly #open = new Map<Deno.TcpConn, Promise<void>>();
  readonly #groups = new Map<string, number>();
  readonly #accepting: Promise<void>;

  /**
   * Listens.
   *
   * @throws What the system says.
   */
  constructor(parts: PlainParts, { hostname, port }: SocketAddress, log: Logger) {
    this.#parts = parts;
    this.#log = log;
    this.#listener = Deno.listen({ hostname, port });
    this.#accepting = this.#accept();
  }

  /** Where it listens. */
  get address(): SocketAddress {
    const { hostname, port } = this.#listener.addr;
    return { hostname, port };
  }

  /** Answers what was read, and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#listener.close();
    await this.#accepting;
    await Promise.all(this.#open.values());
  }

  async #accept(): Promise<void> {
    let told = false;
    while (!this.#stop.signal.aborted) {
      let connection: Deno.TcpConn;
      try {
        connection = await this.#listener.accept();
        told = false;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        // Descriptors, mostly: the newcomer waits, and so do we.
        if (!told) this.#log.warn("plain tcp: {error}; nobody new is taken meanwhile", { error: nameOf(error) });
        told = true;
        await new Promise((resolve) => setTimeout(resolve, BREATH));
        continue;
      }
      this.#take(connection);
    }
  }

  #take(connection: Deno.TcpConn): void {
    const { hostname: address } = connection.remoteAddr;
    const group = addressGroup(address);
    const others = this.#groups.get(group) ?? 0;
    if (this.#open.size >= MOST || others >= MOST_OF_GROUP) return connection.close();
    this.#groups.set(group, others + 1);
    const serving = this.#serve(connection, { front: "plain", address }).finally(() => {
      this.#open.delete(connection);
      const left = this.#groups.get(group)! - 1;
      if (left === 0) this.#groups.delete(group);
      else this.#groups.set(group, left);
    });
    this.#open.set(connection, serving);
  }

  async #serve(connection: Deno.TcpConn, caller: DnsCaller): Promise<void> {
    try {
      await new FramedStream(this.#parts, caller, connection).serve(this.#stop.signal);
    } catch {
      // Whoever has left needs no answer.
    } finally {
      try {
        connection.close();
      } catch {
        // Closed with its streams.
      }
    }
  }
}

function nameOf(error: unknown): string {
  return (error as { code?: string }).code ?? (error as Error).name;
}
