/**
 * `alknet subscribe`: follows a subscription of a node.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional } from "@optique/core/modifiers";
import { command, option } from "@optique/core/primitives";
import { integer } from "@optique/core/valueparser";
import type { Action, Command } from "../../grammar/action.ts";
import { jsonFlag } from "../../grammar/arguments.ts";
import { inputParser, operationParsers } from "../../reaching/operation_names.ts";
import { ExitCode, print, printJson } from "../../terminal/output.ts";
import { type ReachOptions, reachOptions } from "../../reaching/reach.ts";
import { explained, readInput, withRemote } from "../../reaching/remote.ts";
import { jsonText } from "../../terminal/visible.ts";

interface SubscribeOptions extends ReachOptions {
  readonly operation: string;
  readonly input?: string;
  readonly count?: number;
  readonly json: boolean;
}

/** `alknet subscribe ADDRESS OPERATION [JSON]`. */
export const subscribeCommand: Command = command(
  "subscribe",
  map(
    object({
      ...reachOptions(),
      ...operationParsers(),
      input: inputParser(),
      count: optional(option("-c", "--count", integer({ metavar: "COUNT", min: 1 }), {
        description: message`Values to take. Default: all, until it ends or ctrl-C.`,
      })),
      json: jsonFlag(),
    }),
    (options): Action => () => subscribe(options),
  ),
  {
    brief: message`Follow a subscription of a node, one value a line.`,
    description:
      message`Follow a subscription of a node and print each value as a line of JSON. With --json, one object a line: its member is output, or error.`,
  },
);

async function subscribe(options: SubscribeOptions): Promise<number> {
  const input = await readInput(options.input);
  return await withRemote(options, async (client, signal) => {
    await explained(client, options, "subscribe", signal, async () => {
      let left = options.count ?? Infinity;
      for await (const output of client.subscribe(options.operation, input, { signal })) {
        if (options.json) printJson({ output });
        else print(jsonText(output));
        if (--left === 0) break;
      }
    });
    return ExitCode.DONE;
  });
}
