/**
 * How `alknet serve` shows itself: counters on a terminal, log lines in a pipe, events with `--json`.
 *
 * @module
 */
import type { Endpoint } from "@alknet/core";
import { formatSocketAddress } from "@alknet/core/address";
import { Dashboard } from "./dashboard.ts";
import type { Feed } from "../operations/feed.ts";
import { formatEvent } from "./log.ts";
import type { Observer, ServeEvent } from "../operations/observe.ts";
import { note, printJson, writeText } from "../terminal/output.ts";

/** What a running node tells its operator. */
export interface Face extends Disposable {
  /** A line of the log. */
  log(line: string): void;
  /** Something happened. Events from before {@linkcode started} wait for it. */
  event(event: ServeEvent): void;
  /** The node listens. */
  started(endpoint: Endpoint, observer: Observer): void;
}

/** The face for how the command runs: `--json`, else a terminal, else a pipe. */
export function chooseFace(options: { readonly json: boolean }): Face {
  if (options.json) return new JsonFace();
  return Deno.stdout.isTerminal() ? new TerminalFace() : new LogFace();
}

/** The same face, all of whose lines and events are also lines of a feed. */
export function recorded(face: Face, lines: Feed<string>): Face {
  const record = (event: string, fields: Record<string, unknown>) => lines.publish(formatEvent("serve", event, fields));
  return {
    log(line) {
      lines.publish(line);
      face.log(line);
    },
    event(event) {
      const { event: name, ...fields } = event;
      record(name, fields);
      face.event(event);
    },
    started(endpoint, observer) {
      record("listening", factsOf(endpoint));
      face.started(endpoint, observer);
    },
    [Symbol.dispose]: () => face[Symbol.dispose](),
  };
}

/** One event a line on stdout, the log on stderr. */
class JsonFace implements Face {
  #early: ServeEvent[] | undefined = [];

  log(line: string): void {
    note(line);
  }

  event(event: ServeEvent): void {
    if (this.#early) this.#early.push(event);
    else this.#print(event);
  }

  started(endpoint: Endpoint): void {
    this.#print({ event: "listening", ...factsOf(endpoint) });
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const event of early) this.#print(event);
  }

  [Symbol.dispose](): void {}

  #print(event: ServeEvent): void {
    try {
      printJson(event);
    } catch { /* nobody reads events any more; the node serves on */ }
  }
}

/** Everything is a line of the log. */
class LogFace implements Face {
  log(line: string): void {
    note(line);
  }

  event({ event, ...fields }: ServeEvent): void {
    this.#line(event, fields);
  }

  started(endpoint: Endpoint): void {
    this.#line("listening", factsOf(endpoint));
  }

  [Symbol.dispose](): void {}

  #line(event: string, fields: Record<string, unknown>): void {
    note(formatEvent("serve", event, fields));
  }
}

/** Who and where, then counters in place with the log passing above them. */
class TerminalFace implements Face {
  #dashboard?: Dashboard;

  log(line: string): void {
    if (this.#dashboard) this.#dashboard.print(line);
    else note(line);
  }

  event({ event, error }: ServeEvent): void {
    // Connections are counted, not listed; what the operator did or must do is said.
    if (event === "connection" || event === "closed") return;
    this.log(`${event}${error === undefined ? "" : `: ${error}`}`);
  }

  started(endpoint: Endpoint, observer: Observer): void {
    const [bold, plain] = Deno.noColor ? ["", ""] : ["\x1b[1m", "\x1b[0m"];
    writeText(`${bold}node${plain}       ${endpoint.nodeId}\n`);
    for (const address of endpoint.addresses) {
      const over = endpoint.transports.map((transport) => transport === "quic" ? "UDP (QUIC)" : "TCP (TLS)").join(
        " and ",
      );
      writeText(`${bold}listening${plain}  ${formatSocketAddress(address)} over ${over}\n`);
    }
    writeText(`${bold}stop${plain}       ctrl-C\n`);
    this.#dashboard = new Dashboard({ traffic: () => observer.traffic(), stats: () => endpoint.stats() });
  }

  [Symbol.dispose](): void {
    this.#dashboard?.[Symbol.dispose]();
    this.#dashboard = undefined;
  }
}

function factsOf({ nodeId, fingerprint, addresses, transports, alpns }: Endpoint): Record<string, unknown> {
  return { nodeId, fingerprint, addresses: addresses.map(formatSocketAddress), transports, alpns };
}
