/**
 * Many idle connections from one process, over one UDP socket: what a node's users look like at night.
 *
 * Run as `deno run -A tests/faults/idle_client.ts OPTIONS` it prints `{"event":"idle"}` once all are up, and
 * `{"event":"idle","lost":…}` for each line of standard input.
 *
 * @module
 */
import type { SocketAddress } from "../../core/handler/connection.ts";
import { NodeKey } from "../../core/identity/node_key.ts";
import { limitsWith } from "../../core/limits/limits.ts";
import { Driver } from "../../core/transports/quic/dialling/driver.ts";
import { loadQuiche } from "../../core/transports/quic/engine/binding.ts";
import { bindUdp } from "../../core/transports/quic/engine/udp/udp.ts";
import { QuicConnection } from "../../core/transports/quic/connection/quic_connection.ts";
import { type Child, start } from "../support/process.ts";

/** What the client does. */
export interface IdleOptions {
  readonly to: SocketAddress;
  readonly alpn: string;
  readonly connections: number;
}

/** Handshakes in flight at a time. */
const ABREAST = 32;
/** Longer than any test. */
const PATIENCE = 600_000;
const PROGRAM = new URL(import.meta.url).pathname;

/** Starts a client and waits until its connections are up. */
export async function startIdle(options: IdleOptions): Promise<Child> {
  const child = start(Deno.execPath(), ["run", "-A", PROGRAM, JSON.stringify(options)]);
  await child.line('{"event":"idle"');
  return child;
}

async function main({ to, alpn, connections }: IdleOptions): Promise<void> {
  const udp = await bindUdp({ hostname: "127.0.0.1", port: 0 });
  const limits = limitsWith({ idleTimeout: PATIENCE, keepAlive: PATIENCE });
  const driver = new Driver({ quiche: await loadQuiche(), udp });
  const certificate = NodeKey.generate().certificate();
  let lost = 0;
  const dial = (): Promise<void> =>
    new Promise((resolve, reject) => {
      driver.socket.dial({
        remote: to,
        limits,
        tls: { alpns: [alpn], certificate, peer: "require" },
        established: (session, facts) => {
          const connection = new QuicConnection(facts, session);
          connection.connection.closed.then(() => lost++);
          resolve();
          return connection;
        },
        failed: (info) => reject(new Error(`a handshake failed: ${JSON.stringify(info)}`)),
      });
    });
  for (let made = 0; made < connections; made += ABREAST) {
    await Promise.all(Array.from({ length: Math.min(ABREAST, connections - made) }, dial));
  }
  console.log(JSON.stringify({ event: "idle", lost }));
  for await (const _ of Deno.stdin.readable) console.log(JSON.stringify({ event: "idle", lost }));
  await driver.close();
}

if (import.meta.main) await main(JSON.parse(Deno.args[0]) as IdleOptions);
