/**
 * The stranger's bill: what one unauthenticated attacker of each kind costs a node with its default limits, beside ten
 * honest clients: memory of node and engine while it lasts and after, and the round trips of the honest.
 *
 * ```text
 * deno run -A tests/bench/stranger.ts [SECONDS OF EACH] [SECONDS AFTER] [KIND ...]
 * ```
 *
 * @module
 */
import { connect } from "@alknet/core";
import { startAlknet } from "../support/process.ts";
import { childrenOf, descriptors, residentMemory } from "../support/proc.ts";
import { temporaryFolder } from "../support/temp.ts";

const KINDS = ["pieces", "unread", "bodies", "conversations", "inputs", "forged", "descriptors"];
const CLIENT = new URL("./stranger_client.ts", import.meta.url).pathname;
const HONEST = 10;
const MIB = 1024 * 1024;

const seconds = Number(Deno.args[0] ?? 8);
const after = Number(Deno.args[1] ?? 60);
const kinds = Deno.args.length > 2 ? Deno.args.slice(2) : KINDS;

/** Honest clients: each asks an echo again and again, and notes how long that took. */
class Honest {
  readonly #stop = new AbortController();
  readonly #asking: Promise<void>[];
  #times: number[] = [];

  constructor(address: string) {
    const kinds = ["quic", "tls"] as const;
    this.#asking = Array.from({ length: HONEST }, (_, n) => this.#ask(address, kinds[n % 2]));
  }

  /** The round trips since the last time, in milliseconds: median and 99th percentile. */
  take(): { count: number; p50: number; p99: number } {
    const times = this.#times.sort((a, b) => a - b);
    this.#times = [];
    const at = (share: number): number => times[Math.floor(share * (times.length - 1))] ?? NaN;
    return { count: times.length, p50: at(0.5), p99: at(0.99) };
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#asking);
  }

  async #ask(address: string, transport: "quic" | "tls"): Promise<void> {
    await using connection = await connect(address, "alknet/echo", { transport });
    const stream = await connection.open();
    const writer = stream.writable.getWriter();
    const reader = stream.readable.getReader();
    while (!this.#stop.signal.aborted) {
      const begun = performance.now();
      await writer.write(new Uint8Array(64));
      await reader.read();
      this.#times.push(performance.now() - begun);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await writer.close();
  }
}

await using folder = await temporaryFolder();
const init = startAlknet(["init", "--no-passphrase", "--home", folder.join("home")]);
await init.status;
await using node = startAlknet(["serve", "--json", "--home", folder.join("home"), "--listen", "127.0.0.1:0"]);
const { nodeId, addresses } = await node.json<{ nodeId: string; addresses: string[] }>();
const port = Number(addresses[0].split(":").at(-1));
const honest = new Honest(`${nodeId}@127.0.0.1:${port}`);
const memory = (): number =>
  residentMemory(node.pid) + childrenOf(node.pid).reduce((sum, pid) => sum + residentMemory(pid), 0);
const wait = (s: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1000 * s));

await wait(seconds);
honest.take();
for (const kind of kinds) {
  const before = { memory: memory(), descriptors: descriptors(node.pid) };
  await wait(seconds / 2);
  const quiet = honest.take();
  const args = [
    "run",
    "-A",
    "--no-check",
    "--unsafely-ignore-certificate-errors",
    CLIENT,
    kind,
    `${port}`,
    nodeId,
    `${seconds}`,
  ];
  const attacker = new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
  let most = 0;
  const look = setInterval(() => most = Math.max(most, memory()), 100);
  await attacker.status;
  clearInterval(look);
  const beside = honest.take();
  await wait(after);
  honest.take();
  const left = { memory: memory(), descriptors: descriptors(node.pid) };
  const mib = (bytes: number): string => `${(bytes / MIB).toFixed(0)} MiB`;
  console.log([
    kind.padEnd(14),
    `memory +${mib(most - before.memory)} at most, +${mib(left.memory - before.memory)} after`,
    `p99 ${quiet.p99.toFixed(1)} → ${beside.p99.toFixed(1)} ms (${
      (beside.p99 / quiet.p99).toFixed(1)
    } ×), ${beside.count} calls`,
    `descriptors ${left.descriptors - before.descriptors >= 0 ? "+" : ""}${left.descriptors - before.descriptors}`,
  ].join("  "));
}
await honest.end();
node.kill("SIGTERM");
await node.status;
