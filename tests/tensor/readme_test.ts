/**
 * The program of the member's README, run as a user runs it, mapped and not.
 *
 * @module
 */
import { deepEqual } from "node:assert/strict";
import { runProgram } from "../support/process.ts";
import { ROOT } from "../support/python.ts";

for (const permissions of [[], ["--allow-ffi"]]) {
  Deno.test(`tensor/README.md: its program prints what it says, with permissions ${permissions}`, async () => {
    const program = /^```ts\n([\s\S]*?)^```$/m.exec(await Deno.readTextFile(`${ROOT}tensor/README.md`))![1];
    const path = await Deno.makeTempFile();
    try {
      const args = ["run", "--no-prompt", "--check", "--allow-read", "--allow-write", ...permissions, "-"];
      const stdin = program.replaceAll("model.safetensors", path);
      const { code, stdout, stderr } = await runProgram(Deno.execPath(), args, {
        cwd: ROOT,
        env: { NO_COLOR: "1" },
        stdin,
      });
      deepEqual([code, stdout], [0, "4 Ada second\n"], stderr);
    } finally {
      await Deno.remove(path);
    }
  });
}
