/**
 * Guests beside the bare engine, `quickjs-emscripten-core` with a memory of its own and JSON as what crosses. Each task is a
 * process of its own; ours and the peer's take turns.
 *
 * @module
 */
import { runProgram } from "../support/process.ts";
import { type Effort, type Figure, type Group, median, script } from "./harness.ts";

const ENGINE = "bare engine";

/** Making, asking, calling, bytes. */
export const guests: Group = {
  name: "guests",
  async run(effort) {
    return [
      await beside("guest: made in the host's thread, first result", "/s", ["make", "make-raw"], effort, 0.7),
      await beside("guest: a process of its own, first result", "/s", ["make-process"], effort),
      await beside("guest: calls of the host, one after another", "/s", ["ask", "ask-raw"], effort, 0.7),
      await beside("guest: calls of the host, out of a process", "/s", ["ask-process", "ask-raw"], effort),
      await beside("guest: calls of what it offers", "/s", ["call", "call-raw"], effort, 0.7),
      await beside("guest: calls of what it offers, in a process", "/s", ["call-process", "call-raw"], effort),
      await beside("guest: the same call of the host's own operation", "/s", ["call-host", "call-raw"], effort),
      await beside("guest: 16 MiB to it and back", "MiB/s", ["bytes"], effort),
      await beside("guest: 16 MiB to a process and back", "MiB/s", ["bytes-process"], effort),
    ];
  },
};

async function beside(
  name: string,
  unit: string,
  tasks: readonly [ours: string, peer?: string],
  effort: Effort,
  wanted?: number,
): Promise<Figure> {
  const values = tasks.map((): number[] => []);
  for (let round = 0; round < effort.rounds; round++) {
    for (let turn = 0; turn < tasks.length; turn++) {
      const at = (round + turn) % tasks.length;
      values[at].push(await measured(tasks[at]!, effort.seconds));
    }
  }
  const [ours, peer] = values.map(median);
  return { name, unit, ours, ...(peer === undefined ? {} : { peer, peerName: ENGINE }), wanted };
}

async function measured(task: string, seconds: number): Promise<number> {
  const args = ["run", "-A", script("guest_task.ts"), task, String(seconds)];
  const { code, stdout, stderr } = await runProgram(Deno.execPath(), args);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout).value;
}
