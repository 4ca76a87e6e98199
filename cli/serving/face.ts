/**
 * How `alknet serve` shows itself: counters on a terminal, log lines in a pipe, events with `--json`.
 *
 * @module
 */
import type { Endpoint } from "@alknet/core";
import { formatSocketAddress } from "@alknet/core/address";
import { Dashboard, terminalScreen } from "./dashboard.ts";
import type { Feed } from "../operations/feed.ts";
import { formatEvent } from "./log.ts";
import type { Observer, ServeEvent } from "../operations/observe.ts";
import { BackgroundWriter } from "../terminal/background_writer.ts";
import { visible } from "../terminal/visible.ts";

/** What a running node tells its operator. Disposing of it waits a moment for what was said last to be read. */
export interface Face extends AsyncDisposable {
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

/** What every face writes on: the node does not wait for who reads. */
class Output {
  readonly stdout = new BackgroundWriter(Deno.stdout);
  readonly stderr = new BackgroundWriter(Deno.stderr);

  /** One line of the log. */
  note(line: string): void {
    this.stderr.write(visible(line) + "\n");
  }

  /** Waits a moment for what waits. */
  async flush(): Promise<void> {
    await Promise.all([this.stdout.flush(), this.stderr.flush()]);
  }
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
    [Symbol.asyncDispose]: () => face[Symbol.asyncDispose](),
  };
}

/** One event a line on stdout, the log on stderr. */
class JsonFace implements Face {
  readonly #output = new Output();
  #early: ServeEvent[] | undefined = [];

  log(line: string): void {
    this.#output.note(line);
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

  [Symbol.asyncDispose](): Promise<void> {
    return this.#output.flush();
  }

  #print(event: ServeEvent): void {
    this.#output.stdout.write(visible(JSON.stringify(event)) + "\n");
  }
}

/** Everything is a line of the log. */
class LogFace implements Face {
  readonly #output = new Output();

  log(line: string): void {
    this.#output.note(line);
  }

  event({ event, ...fields }: ServeEvent): void {
    this.#line(event, fields);
  }

  started(endpoint: Endpoint): void {
    this.#line("listening", factsOf(endpoint));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#output.flush();
  }

  #line(event: string, fields: Record<string, unknown>): void {
    this.#output.note(formatEvent("serve", event, fields));
  }
}

/** Who and where, then counters in place with the log passing above them. */
class TerminalFace implements Face {
  readonly #output = new Output();
  #dashboard?: Dashboard;

  log(line: string): void {
    if (this.#dashboard) this.#dashboard.print(line);
    else this.#output.note(line);
  }

  event({ event, error }: ServeEvent): void {
    // Connections are counted, not listed; what the operator did or must do is said.
    if (event === "connection" || event === "closed") return;
    this.log(`${event}${error === undefined ? "" : `: ${error}`}`);
  }

  started(endpoint: Endpoint, observer: Observer): void {
    const [bold, plain] = Deno.noColor ? ["", ""] : ["\x1b[1m", "\x1b[0m"];
    this.#output.stdout.write(`${bold}node${plain}       ${endpoint.nodeId}\n`);
    for (const address of endpoint.addresses) {
      const over = endpoint.transports.map((transport) => transport === "quic" ? "UDP (QUIC)" : "TCP (TLS)").join(
        " and ",
      );
      this.#output.stdout.write(`${bold}listening${plain}  ${formatSocketAddress(address)} over ${over}\n`);
    }
    this.#output.stdout.write(`${bold}stop${plain}       ctrl-C\n`);
    const source = { traffic: () => observer.traffic(), stats: () => endpoint.stats() };
    this.#dashboard = new Dashboard(source, terminalScreen(this.#output.stdout));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#dashboard?.[Symbol.dispose]();
    this.#dashboard = undefined;
    await this.#output.flush();
  }
}

function factsOf({ nodeId, fingerprint, addresses, transports, alpns }: Endpoint): Record<string, unknown> {
  return { nodeId, fingerprint, addresses: addresses.map(formatSocketAddress), transports, alpns };
}
