/**
 * What 10,000 operations cost beyond 10: a call of one of them, and the list of all.
 *
 * @module
 */
import { Dispatcher, nodeRegistry, operation, provide, type Registry } from "@alknet/core/operations";
import Type from "typebox";
import { runProgram, start } from "../support/process.ts";
import { type Effort, type Figure, type Group, median, script } from "./harness.ts";

const FEW = 10;
const MANY = 10_000;
/** Calls between two looks at the clock. */
const CALLS = 100;
/** What the list of many may take beyond that of few, in milliseconds. */
const LIST_LIMIT = 10;

/** Registries of two sizes. */
export const manyOperations: Group = {
  name: "operations",
  async run(effort) {
    const [few, many] = [FEW, MANY].map((count) => new Dispatcher({ registry: registryOf(count) }));
    const [peer, ours] = alternating(effort, [few, many].map((dispatcher) => () => callRate(dispatcher, effort)));
    const first = await listTimes(effort, [FEW, MANY]);
    const figures: Figure[] = [
      { name: `a call found and permitted among ${MANY} operations`, unit: "/s", ours, peer, peerName: `among ${FEW}` },
      {
        name: `services/list of ${MANY} operations, first byte at curl, beyond that of ${FEW}`,
        unit: "ms",
        ours: first[1] - first[0],
        peer: LIST_LIMIT,
        peerName: "at most",
        wanted: 1,
        lessIsBetter: true,
      },
    ];
    return figures;
  },
};

function registryOf(count: number): Registry {
  const Text = Type.Object({ text: Type.String() });
  return nodeRegistry(Array.from({ length: count }, (_, n) => {
    const name = `group${n % FEW}/operation${n}`;
    const access = { scopes: [`scope${n % FEW}`] };
    return provide(operation({ name, type: "query", input: Text, output: Text, access }), (input) => input);
  }));
}

const identity = { id: "bench", scopes: Array.from({ length: FEW }, (_, n) => `scope${n}`), resources: {} };

/** Calls a second of ten operations, wherever they are among the others. */
function callRate(dispatcher: Dispatcher, { seconds }: Effort): number {
  const all = [...dispatcher.registry.permitted(identity)].filter(({ spec }) => spec.namespace.startsWith("group"));
  const names = Array.from({ length: FEW }, (_, n) => all[n * all.length / FEW].spec.name);
  const input = { text: "x" };
  const sink = {
    responded: () => {},
    completed: () => {},
    failed: (error: Error) => {
      throw error;
    },
  };
  const begun = performance.now();
  let count = 0;
  do {
    for (let n = 0; n < CALLS; n++, count++) {
      dispatcher.dispatch({ operation: names[n % FEW], input, identity }, sink);
    }
  } while (performance.now() - begun < seconds * 1000);
  return count / (performance.now() - begun) * 1000;
}

/** The median of each, taken in turns; the first turn only warms up. */
function alternating({ rounds }: Effort, measures: readonly (() => number)[]): number[] {
  const values = measures.map((measure): number[] => (measure(), []));
  for (let round = 0; round < rounds; round++) measures.forEach((measure, at) => values[at].push(measure()));
  return values.map(median);
}

/** Milliseconds from curl's request for the list to the first byte of it, for servers of so many operations. */
async function listTimes({ rounds }: Effort, counts: readonly number[]): Promise<number[]> {
  await using running = new AsyncDisposableStack();
  const urls: string[] = [];
  for (const count of counts) {
    const args = ["run", "-A", script("call_server.ts"), '{"transports":["tls"]}', `${count}`];
    const { port } = await running.use(start(Deno.execPath(), args)).json<{ port: number }>();
    urls.push(`https://127.0.0.1:${port}/services/list`);
  }
  const values = counts.map((): number[] => []);
  const wanted = "%{http_code} %{time_pretransfer} %{time_starttransfer}";
  for (let round = -1; round < 5 * rounds; round++) {
    for (const [at, url] of urls.entries()) {
      const { stdout } = await runProgram("curl", ["-sSk", "-o", "/dev/null", "-w", wanted, url]);
      const [status, asked, answered] = stdout.split(" ").map(Number);
      if (status !== 200) throw new Error(`${url} answered ${status}`);
      if (round >= 0) values[at].push((answered - asked) * 1000);
    }
  }
  return values.map(median);
}
