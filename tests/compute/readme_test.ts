/**
 * The programs of the member's README, run as a user runs them: without a permission.
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { runProgram } from "../support/process.ts";
import { ROOT } from "../support/python.ts";

const PRINTS = ["[ 2 ] [ 0, 10.5 ]\n", "[ false, true, true, false ]\n"];
const PROGRAMS = [...(await Deno.readTextFile(`${ROOT}compute/README.md`)).matchAll(/^```ts\n([\s\S]*?)^```$/gm)];

for (const [i, prints] of PRINTS.entries()) {
  Deno.test(`compute/README.md: program ${i + 1} of ${PROGRAMS.length} prints what it says`, async () => {
    equal(PROGRAMS.length, PRINTS.length, "each program is run");
    const args = ["run", "--no-prompt", "--check", "--allow-read", "-"];
    const { code, stdout, stderr } = await runProgram(Deno.execPath(), args, {
      cwd: ROOT,
      env: { NO_COLOR: "1" },
      stdin: PROGRAMS[i][1],
    });
    deepEqual([code, stdout], [0, prints], stderr);
  });
}
