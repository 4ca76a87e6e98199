/**
 * `alknet repl`: a guest to talk with.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map } from "@optique/core/modifiers";
import { command } from "@optique/core/primitives";
import type { Action, Command } from "../grammar/action.ts";
import { granted } from "../granting/granting.ts";
import { grantHint } from "../granting/hints.ts";
import { type GrantOptions, grantOptions } from "../granting/options.ts";
import { printConsole } from "../guests/showing.ts";
import { locateHome } from "../home/home.ts";
import { ExitCode, note } from "../terminal/output.ts";

/** Characters on the console: a prompt is used for long. */
const OUTPUT = 64 << 20;

/** `alknet repl`. */
export const replCommand: Command = command(
  "repl",
  map(object({ ...grantOptions() }), (options): Action => () => repl(options)),
  {
    brief: message`Talk with a guest that may do nothing but compute, and what it is granted.`,
    description:
      message`Evaluate JavaScript and TypeScript at a prompt, as a guest in a process without permissions. Tab completes, ctrl-C ends an evaluation, ctrl-D leaves. What was typed is kept in the home folder, where there is one. From a pipe, each text is evaluated as it comes; exit code 1 when one failed.`,
  },
);

async function repl(options: GrantOptions): Promise<number> {
  const [{ PromptSession }, { talk }, { openHistory }] = await Promise.all([
    import("../guests/prompt/session.ts"),
    import("../guests/prompt/prompt.ts"),
    import("../guests/prompt/history.ts"),
  ]);
  await using grants = await granted(options, printConsole, new AbortController().signal, { output: OUTPUT });
  await using session = new PromptSession(grants.options);
  await session.start();
  const terminal = Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  if (terminal) note(`A guest. It has ${doorsOf(options)}. Tab completes, ctrl-D leaves.`);
  const history = openHistory(locateHome(options.home).folder);
  const well = await talk({ session, history, hint: (error) => grantHint(error, options.op) });
  // What was typed at a terminal was seen to fail; a script has to be told.
  return well || terminal ? ExitCode.DONE : ExitCode.FAILED;
}

function doorsOf({ allowFetch, allowFs, allowGpu, op }: GrantOptions): string {
  const granted = { fetch: allowFetch.length > 0, fs: allowFs.length > 0, gpu: allowGpu };
  const doors = [...Object.entries(granted).filter(([, open]) => open).map(([name]) => name), ...op];
  return doors.length === 0 ? "no grants" : doors.join(", ");
}
