/**
 * `alknet id`: who this node is.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map } from "@optique/core/modifiers";
import { command } from "@optique/core/primitives";
import { homeOption, jsonFlag } from "../arguments.ts";
import { locateHome } from "../home.ts";
import { ExitCode, print, printJson } from "../output.ts";
import type { Action, Command } from "../action.ts";

/** `alknet id [--json]`. */
export const idCommand: Command = command(
  "id",
  map(object({ home: homeOption(), json: jsonFlag() }), (options): Action => () => id(options)),
  { brief: message`Print the node id.`, description: message`Print the node id; with --json, the fingerprint too.` },
);

async function id(options: { home?: string; json: boolean }): Promise<number> {
  const { requireNodeKey } = await import("../node_key.ts");
  const key = await requireNodeKey(locateHome(options.home));
  if (options.json) printJson({ nodeId: key.id, fingerprint: key.fingerprint });
  else print(key.id);
  return ExitCode.DONE;
}
