/**
 * The program of the member's README, run as a user runs it: without a permission.
 *
 * @module
 */
import { deepEqual } from "node:assert/strict";
import { runProgram } from "../support/process.ts";
import { ROOT } from "../support/python.ts";

Deno.test("compute/README.md: its program prints what it says", async () => {
  const program = /^```ts\n([\s\S]*?)^```$/m.exec(await Deno.readTextFile(`${ROOT}compute/README.md`))![1];
  const args = ["run", "--no-prompt", "--check", "--allow-read", "-"];
  const { code, stdout, stderr } = await runProgram(Deno.execPath(), args, {
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: program,
  });
  deepEqual([code, stdout], [0, "[ 2 ] [ 0, 10.5 ]\n"], stderr);
});
