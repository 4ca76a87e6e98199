/**
 * Tensors beside NumPy with its BLAS. Each round is a process of its own; ours and the peer's take turns.
 *
 * @module
 */
import { runProgram } from "../support/process.ts";
import { PYTHON } from "../support/python.ts";
import { type Effort, type Figure, type Group, median, script } from "./harness.ts";

interface Task {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
}

/** What is wanted of each figure, by how it begins; others are only reported. */
const WANTED: Readonly<Record<string, number>> = { "matmul 1024": 0.35 };

/** Products, arithmetic, folds on the processor. */
export const computing: Group = {
  name: "compute",
  async run({ rounds, seconds }: Effort) {
    // One round only says that it works.
    const sizes = rounds > 1 ? ["512,1024", String(2 ** 22)] : ["32", "1000"];
    const args = [String(seconds), ...sizes];
    const runs: [ours: Task[], peer: Task[]][] = [];
    for (let round = 0; round < rounds; round++) {
      const ours = () => tasks(Deno.execPath(), ["run", "-A", script("compute_task.ts"), ...args]);
      const peer = () => tasks(PYTHON, [script("peer_numpy.py"), ...args]);
      if (round % 2 === 0) runs.push([await ours(), await peer()]);
      else {
        const first = await peer();
        runs.push([await ours(), first]);
      }
    }
    return runs[0][0].map(({ name, unit }, index): Figure => ({
      name: `compute: ${name}`,
      unit,
      ours: median(runs.map(([ours]) => ours[index].value)),
      peer: median(runs.map(([, peer]) => peer[index].value)),
      peerName: "NumPy",
      wanted: WANTED[name],
    }));
  },
};

async function tasks(program: string, args: readonly string[]): Promise<Task[]> {
  const { code, stdout, stderr } = await runProgram(program, args);
  if (code !== 0) throw new Error(stderr);
  return stdout.trim().split("\n").map((line) => JSON.parse(line));
}
