/**
 * What `deno task compile` puts into the executable. `deno compile` fetches a runtime to put it in front of; here the
 * test's own Deno stands in for it, so the executable is made and listed, and not run.
 *
 * @module
 */
import assert from "node:assert/strict";
import { QUICK_START, runProgram } from "./support/process.ts";
import { ROOT } from "./support/python.ts";
import { temporaryFolder } from "./support/temp.ts";
import { moduleGraph } from "./support/workspace.ts";

/** Modules that the command loads late, or starts in a process of their own. */
const LATE = ["core/transports/quic/engine/main.ts", "core/transports/quic/quic.ts", "cli/serving/serve.ts"];

Deno.test("cli/main.ts: its module graph holds the engine and what is loaded late", async () => {
  const graph = await moduleGraph("cli/main.ts");
  assert.deepEqual(LATE.filter((path) => !graph.has(path)), []);
});

Deno.test({
  name: "deno task compile: the executable holds the engine and the native binding",
  // The binding has no binary for other platforms; there the command is made without one.
  ignore: !(Deno.build.os === "linux" && Deno.build.arch === "x86_64"),
  async fn() {
    await using folder = await temporaryFolder();
    const { tasks: { compile } } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
    const output = folder.join("alknet");
    const args = compile.replace("--output alknet", `--output ${output}`).split(" ").slice(1);
    const { code, stderr } = await runProgram(Deno.execPath(), args, {
      cwd: ROOT,
      // What is imported late goes in as well, however the tests themselves import.
      env: {
        DENORT_BIN: Deno.execPath(),
        NO_COLOR: "1",
        ...Object.fromEntries(Object.keys(QUICK_START).map((name) => [name, ""])),
      },
    });
    assert.equal(code, 0, stderr);
    const { size } = await Deno.stat(output);
    assert.ok(size > (await Deno.stat(Deno.execPath())).size, `${size} bytes`);
    for (const part of ["quic-linux-x64", "transports", "main.ts", "every_command.ts"]) {
      assert.ok(stderr.includes(part), stderr);
    }
  },
});
