/**
 * A client as a process of its own: dials, exchanges traffic, and says how it ended.
 *
 * Run as `deno run -A tests/faults/client.ts OPTIONS` with JSON options it prints `{"event":"connected"}` and then
 * `{"event":"done"}` or `{"event":"failed", …}`, one JSON object a line.
 *
 * @module
 */
import { type Child, start, type StartOptions } from "../support/process.ts";
import { dialTraffic, exchange, type Load, type TrafficDial } from "./traffic.ts";

/** What the client does. */
export interface ClientOptions {
  readonly to: TrafficDial;
  readonly load: Load;
}

/** What came of it. */
export interface ClientResult {
  readonly event: "done" | "failed";
  /** Code of what was thrown. */
  readonly code?: string;
  readonly message?: string;
  /** How the connection ended, where it did. */
  readonly by?: string;
}

const PROGRAM = new URL(import.meta.url).pathname;

/** Starts a client, in the namespace that the wrapper enters. */
export function startClient(options: ClientOptions, wrapper: readonly string[] = [], how: StartOptions = {}): Child {
  const [program, ...args] = [...wrapper, Deno.execPath(), "run", "-A", PROGRAM, JSON.stringify(options)];
  return start(program, args, how);
}

async function main({ to, load }: ClientOptions): Promise<void> {
  const connection = await dialTraffic(to);
  print({ event: "connected" });
  try {
    await exchange(connection, load);
    print({ event: "done" });
    connection.close();
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    const { by } = await connection.closed;
    print({ event: "failed", code, message, by });
  }
}

function print(value: unknown): void {
  console.log(JSON.stringify(value));
}

if (import.meta.main) await main(JSON.parse(Deno.args[0]) as ClientOptions);
