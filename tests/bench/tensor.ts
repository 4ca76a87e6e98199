/**
 * Files of tensors beside Python's safetensors, plain reads, `cat` and SQLite. Each task is a process of its own; ours and the
 * peer's take turns.
 *
 * @module
 */
import { runProgram } from "../support/process.ts";
import { PYTHON } from "../support/python.ts";
import { type Effort, type Figure, type Group, median, script } from "./harness.ts";

const MB = 1e6;
const GB = 1e9;

interface Measured {
  readonly value: number;
  /** In MiB. */
  readonly peak?: number;
}
type Task = (path: string, seconds: number) => Promise<Measured>;

/** Opening, summing, writing, looking up. */
export const tensorFiles: Group = {
  name: "tensor",
  async run(effort) {
    // One round only says that it works.
    const whole = effort.rounds > 1;
    const folder = await Deno.makeTempDir({ prefix: "alknet-bench-" });
    try {
      const figures: Figure[] = [];
      for (const [name, size] of [["10 MB", 10 * MB], ["100 MB", 100 * MB], ["2 GB", 2 * GB]] as const) {
        const path = `${folder}/${size}`;
        await deno("make")(path, whole ? size : 80_000);
        const title = `tensor: open a file of ${name}, touch one tensor`;
        figures.push(...await beside(title, "/s", path, [deno("open"), python], "safetensors", 1, effort));
        const mapped = `tensor: open a file of ${name}, map one tensor whole`;
        figures.push(
          ...await beside(
            mapped,
            "/s",
            path,
            [deno("open-whole"), python],
            "safetensors, its slice",
            undefined,
            effort,
          ),
        );
      }
      const large = `${folder}/${2 * GB}`;
      const sums = [deno("sum"), deno("sum-read")];
      figures.push(...await beside("tensor: sum 2 GB of f32", "GiB/s", large, sums, "Deno.readFile", 2, effort));
      const one = `${folder}/one`;
      await deno("make")(one, whole ? 2 * GB : 80_000);
      figures.push(...await beside("tensor: write 1 GB", "GiB/s", one, [deno("write"), cat], "cat", 0.7, effort));
      const strings = `${folder}/strings`;
      await deno("make-strings")(strings, whole ? 1e6 : 1000);
      const looks = [deno("strings"), deno("strings-sqlite")];
      figures.push(...await beside("tensor: one of 10^6 strings", "/s", strings, looks, "node:sqlite", 5, effort));
      return figures;
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
};

async function beside(
  name: string,
  unit: string,
  path: string,
  tasks: readonly Task[],
  peerName: string,
  wanted: number | undefined,
  effort: Effort,
): Promise<Figure[]> {
  const values = tasks.map((): Measured[] => []);
  for (let round = 0; round < effort.rounds; round++) {
    for (let turn = 0; turn < tasks.length; turn++) {
      const at = (round + turn) % tasks.length;
      values[at].push(await tasks[at](path, effort.seconds));
    }
  }
  const [ours, peer] = values.map((list) => median(list.map(({ value }) => value)));
  const [peak = 0, peerPeak] = values.map((list) => list[0].peak && Math.max(...list.map((one) => one.peak ?? 0)));
  const memory = { name: `${name}: peak memory`, unit: "MiB", ours: peak };
  return [
    { name, unit, ours, peer, peerName, ...wanted === undefined ? {} : { wanted } },
    peerPeak === undefined ? memory : { ...memory, peer: peerPeak, peerName },
  ];
}

function deno(task: string): Task {
  return async (path, seconds) =>
    parsed(await runProgram(Deno.execPath(), ["run", "-A", script("tensor_task.ts"), task, path, String(seconds)]));
}

async function python(path: string, seconds: number): Promise<Measured> {
  return parsed(await runProgram(PYTHON, [script("peer_safetensors.py"), path, String(seconds)]));
}

/** As much as our task writes: the first tensor of two. */
async function cat(path: string): Promise<Measured> {
  const half = (await Deno.stat(path)).size / 2;
  const copy = `head -c ${half} ${path} > ${path}.half; cat ${path}.half > ${path}.copy`;
  await runProgram("sh", ["-c", copy]);
  const begun = performance.now();
  const times = 3;
  for (let i = 0; i < times; i++) await runProgram("sh", ["-c", `cat ${path}.half > ${path}.copy`]);
  const value = times * half / 2 ** 30 / (performance.now() - begun) * 1000;
  await Promise.all([Deno.remove(`${path}.half`), Deno.remove(`${path}.copy`)]);
  return { value };
}

function parsed({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }): Measured {
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}
