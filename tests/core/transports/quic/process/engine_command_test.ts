/**
 * A compiled program of somebody else, which knows nothing of engines. Where `deno compile` is to be had the command itself
 * is compiled and run by tests/compile_test.ts; here a program sees of itself what an executable sees.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runProgram } from "../../../../support/process.ts";
import { needs } from "../../../../support/programs.ts";
import { temporaryFolder } from "../../../../support/temp.ts";

const PROGRAM = new URL("../compiled_program.ts", import.meta.url).pathname;

/** Runs the program; gives what it says, and with what it was started each time. */
async function compiled(env: Record<string, string> = {}) {
  await using folder = await temporaryFolder();
  const app = await folder.write("app", `#!/bin/sh\nexec "${Deno.execPath()}" run -A --quiet "${PROGRAM}" "$@"\n`);
  await Deno.chmod(app, 0o700);
  const starts = folder.join("starts");
  const output = await runProgram(app, [], { env: { APP: app, STARTS: starts, ...env } });
  return { ...output, starts: (await Deno.readTextFile(starts)).split("\n") };
}

Deno.test({
  name: "a compiled program that listens is its own engine when it is started as one, and starts no other",
  ...needs("linux"),
  async fn() {
    const { code, stdout, stderr, starts } = await compiled();
    assert.deepEqual([code, stdout.trim()], [0, "quic"], stderr);
    assert.deepEqual(starts, ["", "--alknet-engine", ""]);
  },
});

Deno.test({
  name: "a compiled program that is no engine when it is started as one serves TLS alone",
  ...needs("linux"),
  async fn() {
    const { code, stdout, stderr, starts } = await compiled({ DEAF: "yes" });
    assert.deepEqual([code, stdout.trim()], [0, "tls"], stderr);
    assert.deepEqual(starts, ["", "--alknet-engine", ""]);
  },
});
