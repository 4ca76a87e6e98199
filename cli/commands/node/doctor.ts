/**
 * `alknet doctor`: what works on this machine, and how to mend what does not.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map } from "@optique/core/modifiers";
import { command } from "@optique/core/primitives";
import type { Action, Command } from "../../grammar/action.ts";
import { homeOption, jsonFlag } from "../../grammar/arguments.ts";
import { ExitCode, print, printJson } from "../../terminal/output.ts";

/** `alknet doctor`. */
export const doctorCommand: Command = command(
  "doctor",
  map(object({ home: homeOption(), json: jsonFlag() }), (options): Action => () => doctor(options)),
  {
    brief: message`Say what works on this machine, and how to mend the rest.`,
    description: message`Check what Alknet needs of this machine. Exits with 1 when something does not work.`,
  },
);

const MARKS = { ok: "✓", warn: "!", fail: "✗" } as const;

async function doctor(options: { readonly home?: string; readonly json: boolean }): Promise<number> {
  const { checkMachine } = await import("../../checks/mod.ts");
  let failed = false;
  for await (const { name, status, finding, mend } of checkMachine(options.home)) {
    failed ||= status === "fail";
    if (options.json) {
      printJson({ check: name, status, finding, mend });
      continue;
    }
    print(`${MARKS[status]} ${name}: ${finding}`);
    if (mend !== undefined) print(`  ${mend}`);
  }
  return failed ? ExitCode.FAILED : ExitCode.DONE;
}
