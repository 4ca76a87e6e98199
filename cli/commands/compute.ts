/**
 * `alknet compute`: what this machine computes with, and how fast.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional, withDefault } from "@optique/core/modifiers";
import { command, option } from "@optique/core/primitives";
import { choice, float, integer } from "@optique/core/valueparser";
import type { Action, Command } from "../grammar/action.ts";
import { jsonFlag } from "../grammar/arguments.ts";

const benchCommand: Command = command(
  "bench",
  map(
    object({
      device: withDefault(
        option("--device", choice(["auto", "cpu", "gpu"] as const), {
          description: message`What computes. Default: a GPU that is not made of software, else the CPU.`,
        }),
        "auto" as const,
      ),
      threads: optional(option("--threads", integer({ metavar: "COUNT", min: 1, max: 64 }), {
        description: message`Threads of the CPU. Default: its cores.`,
      })),
      seconds: withDefault(
        option("--seconds", float({ metavar: "SECONDS", min: 0.01, max: 60 }), {
          description: message`For each figure. Default: 0.5.`,
        }),
        0.5,
      ),
      json: jsonFlag(),
    }),
    (options): Action => async () => (await import("../compute/bench.ts")).bench(options),
  ),
  { brief: message`Measure products, arithmetic, folds and reads.` },
);

/** `alknet compute …`. */
export const computeCommand: Command = command("compute", benchCommand, {
  brief: message`Tensors on the processor or on WebGPU.`,
});
