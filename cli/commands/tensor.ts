/**
 * `alknet tensor`: what is in a file of tensors, and what can be made of it.
 *
 * @module
 */
import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional, withDefault } from "@optique/core/modifiers";
import type { Parser } from "@optique/core/parser";
import { argument, command, flag, option } from "@optique/core/primitives";
import { integer, string } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import type { Action, Command } from "../grammar/action.ts";
import { jsonFlag } from "../grammar/arguments.ts";

const strict = withDefault(flag("--strict", { description: message`Ask for the canonical form too.` }), false);

const inspectCommand: Command = command(
  "inspect",
  map(
    object({
      file: fileArgument(),
      stats: withDefault(flag("--stats", { description: message`Read the data: least, most, mean, NaNs.` }), false),
      json: jsonFlag(),
    }),
    (options): Action => async () => (await import("../tensor/inspect.ts")).inspect(options),
  ),
  { brief: message`List the tensors of a file.` },
);

const verifyCommand: Command = command(
  "verify",
  map(
    object({ file: fileArgument(), strict, json: jsonFlag() }),
    (options): Action => async () => (await import("../tensor/verify.ts")).verify(options),
  ),
  { brief: message`Check a file: header, document, digests, every record and item.` },
);

const headCommand: Command = command(
  "head",
  map(
    object({
      file: fileArgument(),
      name: optional(option("--name", string({ metavar: "NAME" }), { description: message`Only this tensor.` })),
      count: withDefault(
        option("-n", "--count", integer({ metavar: "COUNT", min: 1 }), { description: message`Default: 10.` }),
        10,
      ),
    }),
    (options): Action => async () => (await import("../tensor/head.ts")).head(options),
  ),
  { brief: message`Print the first records and items of a dataset, one JSON object a line.` },
);

const extractCommand: Command = command(
  "extract",
  map(
    object({
      file: fileArgument(),
      name: argument(string({ metavar: "NAME" }), { description: message`The tensor.` }),
      slice: optional(option("--slice", string({ metavar: "SLICE" }), {
        description: message`A part of it, as in Python: 0,:,2:10:2`,
      })),
      output: optional(option("-o", "--output", path({ metavar: "FILE" }), {
        description: message`A file of this tensor alone. Default: its bytes to standard output.`,
      })),
    }),
    (options): Action => async () => (await import("../tensor/extract.ts")).extract(options),
  ),
  { brief: message`Take one tensor out of a file.` },
);

const convertCommand: Command = command(
  "convert",
  map(
    object({
      file: fileArgument(),
      output: argument(path({ metavar: "OUTPUT" }), { description: message`File to make.` }),
      align: optional(option("--align", integer({ metavar: "BYTES", min: 1, max: 4096 }), {
        description:
          message`Begin each tensor at a multiple of this: 64 for mapping, 256 for WebGPU. Makes a metatensor file.`,
      })),
    }),
    (options): Action => async () => (await import("../tensor/convert.ts")).convert(options),
  ),
  { brief: message`Make one file of safetensors, metatensor, .npy or .npz into safetensors or metatensor.` },
);

const diffCommand: Command = command(
  "diff",
  map(
    object({
      a: argument(path({ metavar: "A", type: "file", mustExist: true }), { description: message`The old file.` }),
      b: argument(path({ metavar: "B", type: "file", mustExist: true }), { description: message`The new one.` }),
      json: jsonFlag(),
    }),
    (options): Action => async () => (await import("../tensor/diff.ts")).diffFiles(options),
  ),
  { brief: message`Compare the tensors and schemas of two files; exit code 1 where they differ.` },
);

/** `alknet tensor …`. */
export const tensorCommand: Command = command(
  "tensor",
  or(inspectCommand, verifyCommand, headCommand, extractCommand, convertCommand, diffCommand),
  { brief: message`Files of tensors and records: safetensors and metatensor.` },
);

function fileArgument(): Parser<"sync", string, unknown> {
  return argument(path({ metavar: "FILE", type: "file", mustExist: true }), { description: message`The file.` });
}
