/**
 * `alknet gpu`: what the GPU is, and what it is worth to a program and to a guest.
 *
 * @module
 */
import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, withDefault } from "@optique/core/modifiers";
import { command, option } from "@optique/core/primitives";
import { integer } from "@optique/core/valueparser";
import type { Action, Command } from "../grammar/action.ts";
import { jsonFlag } from "../grammar/arguments.ts";

const infoCommand: Command = command(
  "info",
  map(object({ json: jsonFlag() }), ({ json }): Action => async () => (await import("../gpu/info.ts")).info(json)),
  {
    brief: message`Print what the adapter is, and its limits.`,
    description: message`Print what the adapter is, and its limits. Exit code 1 where there is none.`,
  },
);

const benchCommand: Command = command(
  "bench",
  map(
    object({
      size: withDefault(
        option("--size", integer({ metavar: "MIB", min: 1, max: 1024 }), {
          description: message`How much is hashed. Default: 64.`,
        }),
        64,
      ),
      json: jsonFlag(),
    }),
    (options): Action => async () => (await import("../gpu/bench.ts")).bench(options),
  ),
  {
    brief: message`Measure SHA-256 on the GPU and in JavaScript, in this program and in a guest.`,
    description:
      message`Measure SHA-256 of pieces of 4 KiB on the GPU and in JavaScript, in this program and in a guest, with all that has to be carried there and back; digests are compared. Exit code 1 where there is no GPU, or they differ.`,
  },
);

/** `alknet gpu …`. */
export const gpuCommand: Command = command("gpu", or(infoCommand, benchCommand), {
  brief: message`The GPU, and what it is worth.`,
});
