/**
 * The program of the member's README, run as a user runs it: in a folder of its own, without permissions.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runProgram } from "../support/process.ts";
import { ROOT } from "../support/python.ts";
import { temporaryFolder } from "../support/temp.ts";

Deno.test("vault/README.md: its program runs and prints what it says", async () => {
  const program = /^```ts\n([\s\S]*?)^```$/m.exec(await Deno.readTextFile(`${ROOT}vault/README.md`))![1];
  await using folder = await temporaryFolder();
  const imports = { "@alknet/vault": new URL("../../vault/mod.ts", import.meta.url).href };
  await folder.write("deno.json", JSON.stringify({ imports }));
  const file = await folder.write("main.ts", program);
  const options = { cwd: folder.path, env: { NO_COLOR: "1" } };
  const { code, stdout, stderr } = await runProgram(Deno.execPath(), ["run", "--no-prompt", "--check", file], options);
  assert.equal(code, 0, stderr);
  assert.match(
    stdout,
    /^ssh-ed25519 [\w+/=]{68} my node\n0x[0-9a-fA-F]{40}\n/,
  );
  assert.equal(stdout.trimEnd().split("\n").at(-1), program.trimEnd().split(" // ").at(-1));
});
