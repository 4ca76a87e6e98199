/**
 * What `alknet tunnel` shows: a line for each event, live figures on a terminal, JSON with `--json`.
 *
 * @module
 */
import type { Connection } from "@alknet/core/handler";
import type { KeptTunnelEvent, Tunnel } from "@alknet/handlers/tunnel";
import { formatBytes } from "../serving/dashboard.ts";
import { note, printJson } from "../terminal/output.ts";

/** Time between two looks at the figures, in milliseconds. */
const INTERVAL = 1000;
const CLEAR_LINE = "\r\x1b[K";

/** Shows a tunnel until it is disposed of. */
export class TunnelFace implements Disposable {
  /** The tunnel, once there is one. */
  tunnel: Tunnel | undefined;
  /** The connection that carries it. */
  connection: Connection | undefined;
  readonly #json: boolean;
  readonly #live: boolean;
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #shown = "";
  #state = "connecting";

  /** @param options Whether for a program. */
  constructor({ json }: { readonly json: boolean }) {
    this.#json = json;
    this.#live = !json && Deno.stderr.isTerminal();
    if (json || this.#live) this.#timer = setInterval(() => this.#figures(), INTERVAL);
  }

  /** Shows an event. */
  show(event: KeptTunnelEvent): void {
    if (event.event === "connected") this.#state = `connected over ${event.transport}`;
    if (event.event === "disconnected") this.#state = "disconnected";
    if (this.#json) return printJson({ ...event });
    if (this.#live) Deno.stderr.writeSync(new TextEncoder().encode(CLEAR_LINE));
    note(`alknet: ${textOf(event)}`);
    this.#figures();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    if (this.#live) note("");
  }

  /** Nothing where nothing has changed. */
  #figures(): void {
    if (!this.tunnel) return;
    const { stats } = this.tunnel;
    const rtt = this.#state === "disconnected" ? undefined : this.connection?.stats().rtt;
    const text = JSON.stringify(stats) + this.#state;
    if (this.#json) {
      if (text !== this.#shown) printJson({ event: "stats", ...stats, ...rtt === undefined ? {} : { rtt } });
      this.#shown = text;
      return;
    }
    if (!this.#live) return;
    const { open, connections, sent, received } = stats;
    const trip = rtt === undefined ? "" : `   round trip ${rtt.toFixed(1)} ms`;
    const line = `${this.#state}   ${open} of ${connections} connections open   sent ${formatBytes(sent)}` +
      `   received ${formatBytes(received)}${trip}`;
    Deno.stderr.writeSync(new TextEncoder().encode(`${CLEAR_LINE}${line}`));
  }
}

function textOf(event: KeptTunnelEvent): string {
  switch (event.event) {
    case "listening": {
      const where = event.kind === "remote" ? "at the node" : "here";
      return `listening ${where} on ${event.at}${event.to ? `, to ${event.to}` : " for SOCKS"}`;
    }
    case "refused":
      return `warning: the node does not listen on ${event.at}: ${event.reason}`;
    case "failed":
      return `warning: a connection of -${event.kind[0].toUpperCase()} failed: ${event.reason}`;
    case "connected":
      return `connected over ${event.transport}`;
    case "disconnected":
      return `disconnected: ${event.reason}; next attempt in ${(event.retryMs / 1000).toFixed(1)} s`;
  }
}
