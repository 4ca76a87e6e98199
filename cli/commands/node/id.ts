/**
 * `alknet id`: who this node is.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map } from "@optique/core/modifiers";
import { command } from "@optique/core/primitives";
import { homeOption, jsonFlag } from "../../grammar/arguments.ts";
import { locateHome } from "../../home/home.ts";
import { ExitCode, print, printJson } from "../../terminal/output.ts";
import type { Action, Command } from "../../grammar/action.ts";

/** `alknet id [--json]`. */
export const idCommand: Command = command(
  "id",
  map(object({ home: homeOption(), json: jsonFlag() }), (options): Action => () => id(options)),
  {
    brief: message`Print the node id.`,
    description:
      message`Print the node id; with --json, the fingerprints of its key and of its SSH host key too. The vault stays closed.`,
  },
);

async function id(options: { home?: string; json: boolean }): Promise<number> {
  const { publicIdentity } = await import("../../node/node_key.ts");
  const { nodeId, fingerprint, sshHostKey } = await publicIdentity(locateHome(options.home));
  if (options.json) printJson({ nodeId, fingerprint, sshHostKey });
  else print(nodeId);
  return ExitCode.DONE;
}
