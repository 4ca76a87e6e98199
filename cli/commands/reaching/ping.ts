/**
 * `alknet ping`: how long a handshake and a round trip take, over what, and who answers.
 *
 * @module
 */
import { type BidiStream, type Connection, ConnectionClosedError } from "@alknet/core/handler";
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, withDefault } from "@optique/core/modifiers";
import { command, option } from "@optique/core/primitives";
import { integer } from "@optique/core/valueparser";
import { duration, jsonFlag } from "../../grammar/arguments.ts";
import { ExitCode, print, printJson } from "../../terminal/output.ts";
import type { Action, Command } from "../../grammar/action.ts";
import { ignoreToken, prepareReach, type ReachOptions, reachOptions } from "../../reaching/reach.ts";
import { StopSignals } from "../../terminal/signals.ts";

const ECHO_ALPN = "alknet/echo";
/** Bytes of one ping: a sequence number and a time fit many times over, and so does any datagram. */
const PING_SIZE = 64;

interface PingOptions extends ReachOptions {
  readonly count: number;
  readonly interval: number;
  readonly json: boolean;
}

/** `alknet ping ADDRESS`. */
export const pingCommand: Command = command(
  "ping",
  map(
    object({
      ...reachOptions(),
      count: withDefault(
        option("-c", "--count", integer({ metavar: "COUNT", min: 1 }), {
          description: message`Round trips to make. Default: 4.`,
        }),
        4,
      ),
      interval: withDefault(
        option("-i", "--interval", duration(), { description: message`Time between two. Default: 250ms.` }),
        250,
      ),
      json: jsonFlag(),
    }),
    (options): Action => () => ping(options),
  ),
  {
    brief: message`Measure the handshake and the round trip to a node.`,
    description: message`Measure the handshake and the round trip over alknet/echo, and say who answered over what.`,
  },
);

async function ping(options: PingOptions): Promise<number> {
  using signals = new StopSignals();
  const interrupted = new AbortController();
  signals.first.then(() => interrupted.abort());
  const trips: number[] = [];
  try {
    await ignoreToken(options, ECHO_ALPN);
    // Loading is this program's time, not the network's.
    const dial = await prepareReach(options);
    const begun = performance.now();
    await using connection = await dial(ECHO_ALPN, interrupted.signal);
    await reportConnected(connection, performance.now() - begun, options);
    interrupted.signal.addEventListener("abort", () => connection.close(0, "interrupted"), { once: true });
    await using trip = new RoundTrips(await connection.open(), connection);
    for (let sequence = 1; sequence <= options.count; sequence++) {
      if (sequence > 1) await pause(options.interval, interrupted.signal);
      const milliseconds = await trip.next();
      trips.push(milliseconds);
      reportTrip(sequence, milliseconds, options);
    }
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
  }
  if (trips.length > 0) reportSummary(trips, options);
  return interrupted.signal.aborted ? ExitCode.INTERRUPTED : ExitCode.DONE;
}

/** Sends and awaits one message at a time on one stream. */
class RoundTrips implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #connection: Connection;

  constructor(stream: BidiStream, connection: Connection) {
    this.#reader = stream.readable.getReader();
    this.#writer = stream.writable.getWriter();
    this.#connection = connection;
  }

  async next(): Promise<number> {
    const begun = performance.now();
    await this.#writer.write(new Uint8Array(PING_SIZE));
    for (let missing = PING_SIZE; missing > 0;) {
      const { done, value } = await this.#reader.read();
      if (done) throw new ConnectionClosedError(await this.#connection.closed);
      missing -= value.byteLength;
    }
    return performance.now() - begun;
  }

  /** Half-closes and hears the peer out, so that the connection ends with nothing under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#writer.close();
      while (!(await this.#reader.read()).done);
    } catch { /* the connection ended first */ }
  }
}

async function reportConnected(
  connection: Connection,
  handshake: number,
  { address, json }: PingOptions,
): Promise<void> {
  const { transport, peer: { fingerprint }, remoteAddress: { hostname, port } } = connection;
  const { nodeIdOfFingerprint } = await import("../../node/node_key.ts");
  const nodeId = fingerprint === undefined ? undefined : nodeIdOfFingerprint(fingerprint);
  if (json) {
    printJson({ event: "connected", address, remote: hostname, port, transport, handshake, nodeId, fingerprint });
    return;
  }
  print(`${address} answered over ${transport}, handshake ${show(handshake)}`);
  print(`peer ${nodeId ?? fingerprint ?? "without a certificate"}`);
}

function reportTrip(sequence: number, milliseconds: number, { json }: PingOptions): void {
  if (json) printJson({ event: "reply", sequence, milliseconds });
  else print(`${sequence}: ${show(milliseconds)}`);
}

function reportSummary(trips: readonly number[], { json }: PingOptions): void {
  const min = Math.min(...trips);
  const max = Math.max(...trips);
  const average = trips.reduce((sum, one) => sum + one, 0) / trips.length;
  if (json) printJson({ event: "summary", count: trips.length, min, average, max });
  else print(`${trips.length} round trips, least ${show(min)}, average ${show(average)}, most ${show(max)}`);
}

function show(milliseconds: number): string {
  return `${milliseconds < 10 ? milliseconds.toFixed(2) : milliseconds.toFixed(1)} ms`;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    // A longer one would be none to the runtime.
    const timer = setTimeout(done, Math.min(milliseconds, 2 ** 31 - 1));
    function done(): void {
      signal.removeEventListener("abort", stop);
      resolve();
    }
    function stop(): void {
      clearTimeout(timer);
      reject(signal.reason);
    }
    signal.addEventListener("abort", stop, { once: true });
  });
}
