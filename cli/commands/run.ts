/**
 * `alknet run`: one guest from a file, in a process that may do what it is granted and nothing else.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map } from "@optique/core/modifiers";
import { argument, command } from "@optique/core/primitives";
import { path } from "@optique/run/valueparser";
import { basename } from "node:path";
import type { Action, Command } from "../grammar/action.ts";
import { bundle } from "../guests/bundle.ts";
import { granted } from "../granting/granting.ts";
import { grantHint } from "../granting/hints.ts";
import { type GrantOptions, grantOptions } from "../granting/options.ts";
import { printable, printConsole, shown } from "../guests/showing.ts";
import { ExitCode, note, print } from "../terminal/output.ts";
import { StopSignals } from "../terminal/signals.ts";

interface RunOptions extends GrantOptions {
  readonly file: string;
}

/** `alknet run FILE`. */
export const runCommand: Command = command(
  "run",
  map(
    object({
      file: argument(path({ metavar: "FILE", type: "file", mustExist: true }), {
        description: message`JavaScript or TypeScript. It may import what lies in its folder.`,
      }),
      ...grantOptions(),
    }),
    (options): Action => () => runFile(options),
  ),
  {
    brief: message`Run a file as a guest that may do nothing but compute, and what it is granted.`,
    description:
      message`Run a file as a guest, in a process without permissions. Its console is printed, and what its default export is or returns. Exit code 1 when it fails or is stopped.`,
  },
);

async function runFile(options: RunOptions): Promise<number> {
  const { file, op } = options;
  // Only now: an engine is nothing that other commands should wait for.
  const { GuestError, ProcessGuest } = await import("@alknet/runtime");
  using signals = new StopSignals();
  const interrupted = new AbortController();
  signals.first.then(() => interrupted.abort());
  try {
    await using grants = await granted(options, printConsole, interrupted.signal);
    await using guest = await ProcessGuest.start(grants.options);
    for (const [name, source] of await bundle(file)) await guest.addModule(name, source);
    const value = await guest.runModule(basename(file), { signal: interrupted.signal });
    if (value !== undefined) print(shown(value));
    return 0;
  } catch (error) {
    if (interrupted.signal.aborted) return ExitCode.INTERRUPTED;
    if (!(error instanceof GuestError)) throw error;
    note(`alknet: ${printable(error.message)}`);
    const hint = grantHint(error, op);
    if (hint !== undefined) note(`alknet: ${hint}`);
    return 1;
  }
}
