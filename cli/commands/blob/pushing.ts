/**
 * `alknet blob push`.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { Action, Command } from "../../grammar/action.ts";
import { configOption, jsonFlag } from "../../grammar/arguments.ts";
import { reachOptions } from "../../reaching/reach.ts";

/** Sends a blob to another node. */
export const pushCommand: Command = command(
  "push",
  map(options(), (options): Action => async () => (await import("../../blobs/push.ts")).pushToNode(options)),
  { brief: message`Send a blob of this node to another one that lets you, verified as it comes there.` },
);

function options() {
  const { address: _, ...reach } = reachOptions();
  return object({
    hash: argument(string({ metavar: "HASH" }), { description: message`The blob.` }),
    to: argument(string({ metavar: "ADDRESS|TICKET" }), {
      description: message`The node: NODEID@HOST:PORT; or its ticket, which lets you push the blob.`,
    }),
    tag: optional(option("--tag", string({ metavar: "NAME" }), {
      description: message`Name that keeps it there. Default: it goes from there some minutes later.`,
    })),
    ...reach,
    config: configOption(),
    json: jsonFlag(),
  });
}
