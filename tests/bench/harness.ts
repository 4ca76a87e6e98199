/**
 * What every group of the benchmarks shares: contestants that take turns, medians, and the figures that come of them.
 *
 * A contestant is a pair of processes, a server and a client; the client is told over its standard input what to do and
 * answers with a number. All contestants of a figure run at once but only one works at a time, in an order that turns
 * with each round, so that what else the machine does harms them alike.
 *
 * @module
 */
import { type Child, start } from "../support/process.ts";

/** How much is measured. */
export interface Effort {
  /** Runs of each contestant, of which the median counts. */
  readonly rounds: number;
  /** Length of a run, in seconds. */
  readonly seconds: number;
  /** Length of the run before the first that counts, in seconds; 0 for none. */
  readonly warmUp: number;
}

/** How much of something a figure is measured with, and how much where it says nothing about speed: one round. */
export function sized({ rounds }: Effort, measured: number, tried: number): number {
  return rounds > 1 ? measured : tried;
}

/** One line of the table. */
export interface Figure {
  /** What was measured. */
  readonly name: string;
  /** Unit of the values. */
  readonly unit: string;
  /** Ours, as it comes by default. */
  readonly ours: number;
  /** Ours with the QUIC engine in the node's process. */
  readonly inProcess?: number;
  /** The peer's. */
  readonly peer?: number;
  /** Who the peer is. */
  readonly peerName?: string;
  /** The ratio to the peer that is wanted at least; absent where the figure is only reported. */
  readonly wanted?: number;
  /** Less is better: the ratio is the peer's value over ours. */
  readonly lessIsBetter?: boolean;
}

/** Figures that are measured together. */
export interface Group {
  /** Selects it on the command line. */
  readonly name: string;
  /** Measures. */
  run(effort: Effort): Promise<Figure[]>;
}

/** What a client is asked to do; see `client_tasks.ts`. */
export interface Task {
  /** Its name. */
  readonly task: string;
  /** How many at a time: connections, streams or handshakes. Default 1. */
  readonly atATime?: number;
}

/** Someone who can be measured. */
export interface Contestant extends AsyncDisposable {
  /** Does the task for some seconds and gives its rate or time. */
  measure(task: Task, seconds: number): Promise<number>;
}

/** The programs of a contestant, with the flags of the runtime and their arguments. */
export interface Programs {
  /** Prints one JSON object when it is ready. */
  readonly server: readonly string[];
  /** Is given that object as its last argument; then tasks, one JSON object a line. */
  readonly client: readonly string[];
  /** How many clients there are. Default 1. */
  readonly clients?: number;
}

/** Starts a server and its clients; the rate of several clients is the sum of theirs. */
export async function startContestant({ server, client, clients = 1 }: Programs): Promise<Contestant> {
  await using started = new AsyncDisposableStack();
  const serving = started.use(runScript(server));
  const facts = JSON.stringify(await serving.json());
  const asking = Array.from({ length: clients }, () => started.use(runScript([...client, facts])));
  const running = started.move();
  return {
    async measure(task, seconds) {
      const values = await Promise.all(asking.map((child) => ask(child, { ...task, seconds })));
      return values.reduce((sum, value) => sum + value, 0);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The median of each contestant at one task, in the order in which they are given. */
export async function compare(contestants: readonly Contestant[], task: Task, effort: Effort): Promise<number[]> {
  const values = contestants.map((): number[] => []);
  if (effort.warmUp > 0) { for (const contestant of contestants) await contestant.measure(task, effort.warmUp); }
  for (let round = 0; round < effort.rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const at = (round + turn) % contestants.length;
      values[at].push(await contestants[at].measure(task, effort.seconds));
    }
  }
  return values.map(median);
}

/** The middle value; of an even number of values, the lower of the two. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[(values.length - 1) >> 1];
}

/** How many times as good as the peer we are. */
export function ratio(figure: Figure, ours: number = figure.ours): number | undefined {
  if (figure.peer === undefined) return undefined;
  return figure.lessIsBetter ? figure.peer / ours : ours / figure.peer;
}

/** The path of a script of the benchmarks. */
export function script(name: string): string {
  return `${import.meta.dirname}/${name}`;
}

async function ask(child: Child, task: Task & { seconds: number }): Promise<number> {
  // A client that has ended says why when it is asked for its answer.
  await child.write(JSON.stringify(task) + "\n").catch(() => {});
  return (await child.json<{ value: number }>()).value;
}

function runScript(args: readonly string[]): Child {
  return start(Deno.execPath(), ["run", "-A", ...args]);
}
