/**
 * A node as a process of its own, and the commands that tests give it.
 *
 * Run as `deno run -A tests/faults/node.ts OPTIONS` with JSON options it prints one JSON object a line: `listening`, then
 * `opened` and `closed` for each connection if asked to, and answers each line of standard input with `stats`.
 *
 * @module
 */
import { router } from "../../core/endpoint/router.ts";
import type { EndpointStats, ListenOptions } from "../../core/endpoint/endpoint.ts";
import { defineHandler } from "../../core/handler/handler.ts";
import type { Limits } from "../../core/limits/limits.ts";
import { type Child, start } from "../support/process.ts";
import { childrenOf } from "../support/proc.ts";
import { TRAFFIC, traffic } from "./traffic.ts";

/** How the node runs. */
export interface NodeOptions {
  /** Default `127.0.0.1:0`. */
  readonly listen?: string;
  readonly limits?: Partial<Limits>;
  readonly transports?: readonly ("quic" | "tls")[];
  readonly quic?: ListenOptions["quic"];
  /** Print `opened` and `closed`. */
  readonly watch?: boolean;
}

/** What a node says of itself when asked. */
export interface NodeStats extends EndpointStats {
  readonly event: "stats";
  /** Bytes of JavaScript heap in use, after a collection where the runtime lets us ask for one. */
  readonly heap: number;
  /** Bytes outside of the heap that JavaScript holds. */
  readonly external: number;
}

/** A node in a process of its own. */
export interface TestNode extends AsyncDisposable {
  readonly child: Child;
  /** Of the node, which a wrapper such as `ip netns exec` may have made. */
  readonly pid: number;
  readonly hostname: string;
  readonly port: number;
  readonly fingerprint: string;
  /** Process ids of its engines, as of now. */
  engines(): number[];
  stats(): Promise<NodeStats>;
}

/** ALPN of a handler that keeps what it is given and reads nothing. */
export const IDLE = "test/idle";

/** Limits under which one machine can be many clients. */
export const ROOMY: Partial<Limits> = {
  maxConnections: 100_000,
  maxConnectionsPerAddress: 100_000,
  connectionRate: 1_000_000,
  connectionBurst: 1_000_000,
};

const PROGRAM = new URL(import.meta.url).pathname;

/**
 * Starts a node.
 *
 * @param wrapper Program and arguments that run it, such as `["ip", "netns", "exec", "a"]`.
 */
export async function startNode(options: NodeOptions = {}, wrapper: readonly string[] = []): Promise<TestNode> {
  // The heap is only told apart from garbage when the collector can be asked to run.
  const run = [Deno.execPath(), "run", "-A", "--v8-flags=--expose-gc", PROGRAM, JSON.stringify(options)];
  const [program, ...args] = [...wrapper, ...run];
  const child = start(program, args);
  try {
    const { pid, hostname, port, fingerprint } = await child.json<Listening>();
    return {
      child,
      pid,
      hostname,
      port,
      fingerprint,
      engines: () => childrenOf(pid),
      async stats() {
        await child.write("stats\n");
        return JSON.parse(await child.line('{"event":"stats"')) as NodeStats;
      },
      [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}

interface Listening {
  readonly pid: number;
  readonly hostname: string;
  readonly port: number;
  readonly fingerprint: string;
}

async function main(options: NodeOptions): Promise<void> {
  const { watch, ...rest } = options;
  const idle = defineHandler({ alpns: [IDLE], handle: async ({ closed }) => void await closed });
  const watched = defineHandler({
    alpns: [TRAFFIC],
    async handle(connection, context) {
      if (watch) print({ event: "opened", transport: connection.transport });
      connection.closed.then(({ by, reason }) => {
        if (watch) print({ event: "closed", by, reason, transport: connection.transport });
      });
      await traffic.handle(connection, context);
    },
  });
  const endpoint = await router().use(watched).use(idle).listen({ drain: 0, ...rest });
  const [{ hostname, port }] = endpoint.addresses;
  print({ event: "listening", pid: Deno.pid, hostname, port, fingerprint: endpoint.fingerprint });
  Deno.addSignalListener("SIGTERM", async () => {
    await endpoint.shutdown();
    Deno.exit(0);
  });
  for await (const _ of Deno.stdin.readable) {
    (globalThis as { gc?: () => void }).gc?.();
    const { heapUsed, external } = Deno.memoryUsage();
    print({ event: "stats", ...endpoint.stats(), heap: heapUsed, external });
  }
  await endpoint.shutdown();
}

function print(value: unknown): void {
  console.log(JSON.stringify(value));
}

if (import.meta.main) await main(JSON.parse(Deno.args[0]) as NodeOptions);
