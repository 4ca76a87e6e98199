/**
 * `alknet run`: one guest from a file, in a process that may do nothing.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, withDefault } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import { integer } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import { basename } from "node:path";
import type { Action, Command } from "../grammar/action.ts";
import { bundle } from "../guests/bundle.ts";
import { note, print } from "../terminal/output.ts";
import { StopSignals } from "../terminal/signals.ts";

interface RunOptions {
  readonly file: string;
  readonly memory: number;
  readonly timeout: number;
}

/** `alknet run FILE`. */
export const runCommand: Command = command(
  "run",
  map(
    object({
      file: argument(path({ metavar: "FILE", type: "file", mustExist: true }), {
        description: message`JavaScript or TypeScript. It may import what lies in its folder.`,
      }),
      memory: withDefault(
        option("--memory", integer({ metavar: "MIB", min: 18, max: 2048 }), {
          description: message`Memory that it may use, engine included. Default: 32.`,
        }),
        32,
      ),
      timeout: withDefault(
        option("--timeout", integer({ metavar: "SECONDS", min: 1, max: 86_400 }), {
          description: message`Time that it may take. Default: 10.`,
        }),
        10,
      ),
    }),
    (options): Action => () => runFile(options),
  ),
  {
    brief: message`Run a file as a guest that may do nothing but compute.`,
    description:
      message`Run a file as a guest, in a process without permissions. Its console is printed, and what its default export is or returns. Exit code 1 when it fails or is stopped.`,
  },
);

async function runFile({ file, memory, timeout }: RunOptions): Promise<number> {
  // Only now: an engine is nothing that other commands should wait for.
  const { GuestError, ProcessGuest } = await import("@alknet/runtime");
  using signals = new StopSignals();
  const interrupted = new AbortController();
  signals.first.then(() => interrupted.abort());
  const time = timeout * 1000;
  const log = (level: string, text: string) => {
    (level === "warning" || level === "error" ? note : print)(printable(text));
  };
  try {
    await using guest = await ProcessGuest.start({ limits: { memory, cpu: time, wall: time }, host: { log } });
    for (const [name, source] of await bundle(file)) await guest.addModule(name, source);
    const value = await guest.runModule(basename(file), { signal: interrupted.signal });
    if (value !== undefined) print(printable(typeof value === "string" ? value : shown(value)));
    return 0;
  } catch (error) {
    if (!(error instanceof GuestError)) throw error;
    note(`alknet: ${printable(error.message)}`);
    return 1;
  }
}

function shown(value: unknown): string {
  return Deno.inspect(value, { depth: 64, colors: false, iterableLimit: 1000 }).replaceAll(
    "[Object: null prototype] ",
    "",
  );
}

/** A guest's text without what would move a terminal's cursor. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
