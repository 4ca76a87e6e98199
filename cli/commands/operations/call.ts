/**
 * `alknet call`: calls a query or mutation of a node.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map } from "@optique/core/modifiers";
import { command } from "@optique/core/primitives";
import type { Action, Command } from "../../grammar/action.ts";
import { jsonFlag } from "../../grammar/arguments.ts";
import { inputParser, operationParsers } from "../../reaching/operation_names.ts";
import { ExitCode, print, printJson } from "../../terminal/output.ts";
import { type ReachOptions, reachOptions } from "../../reaching/reach.ts";
import { explained, readInput, withRemote } from "../../reaching/remote.ts";
import { jsonText } from "../../terminal/visible.ts";

interface CallCommandOptions extends ReachOptions {
  readonly operation: string;
  readonly input?: string;
  readonly json: boolean;
}

/** `alknet call ADDRESS OPERATION [JSON]`. */
export const callCommand: Command = command(
  "call",
  map(
    object({
      ...reachOptions(),
      ...operationParsers(),
      input: inputParser(),
      json: jsonFlag(),
    }),
    (options): Action => () => call(options),
  ),
  {
    brief: message`Call an operation of a node and print what it answers.`,
    description:
      message`Call an operation of a node and print what it answers, as JSON. With --json, one object a line: its member is output, or error.`,
  },
);

async function call(options: CallCommandOptions): Promise<number> {
  const input = await readInput(options.input);
  return await withRemote(options, async (client, signal) => {
    const output = await explained(client, options, "call", signal, () => {
      return client.call(options.operation, input, { signal });
    });
    if (options.json) printJson({ output });
    else print(jsonText(output, 2));
    return ExitCode.DONE;
  });
}
