/**
 * `alknet git install-helper` and `alknet git remote-helper`: stock git learns `alknet://`.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import type { Action, Command } from "../../grammar/action.ts";
import { jsonFlag } from "../../grammar/arguments.ts";
import { ExitCode, note, print, printJson } from "../../terminal/output.ts";

/** `alknet git install-helper`. */
export const installHelperCommand: Command = command(
  "install-helper",
  map(
    object({
      dir: optional(option("--dir", path({ metavar: "DIR", type: "directory" }), {
        description: message`Where to put it: a folder on the search path. Default: ~/.local/bin.`,
      })),
      json: jsonFlag(),
    }),
    (options): Action => () => install(options),
  ),
  { brief: message`Teach git on this machine to clone alknet://ID@HOST:PORT/NAME, and alknet://ID/NAME.` },
);

/** `alknet git remote-helper REMOTE URL`, which git runs. */
export const remoteHelperCommand: Command = command(
  "remote-helper",
  map(
    object({
      remote: argument(string({ metavar: "REMOTE" }), { description: message`What git calls it.` }),
      url: argument(string({ metavar: "URL" }), {
        description: message`alknet://[NODEID@]HOST[:PORT]/NAME, or alknet://NODEID/NAME`,
      }),
    }),
    ({ url }): Action => () => help(url),
  ),
  { brief: message`What git runs to reach alknet://; not for people.` },
);

async function install({ dir, json }: { readonly dir?: string; readonly json: boolean }): Promise<number> {
  const { installHelper } = await import("../../git/install_helper.ts");
  const { file, onPath } = await installHelper(dir);
  if (json) printJson({ file, onPath });
  else print(file);
  if (!onPath) note("alknet: note: its folder is not on the search path, so git does not find it there yet");
  return ExitCode.DONE;
}

async function help(url: string): Promise<number> {
  const { remoteHelper } = await import("../../git/remote_helper.ts");
  await remoteHelper(url);
  return ExitCode.DONE;
}
