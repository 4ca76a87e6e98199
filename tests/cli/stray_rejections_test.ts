import assert from "node:assert/strict";

const MODULE = new URL("../../cli/serving/stray_rejections.ts", import.meta.url).href;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

async function run(program: string): Promise<{ code: number; stdout: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["eval", `--config=${CONFIG}`, program],
    stderr: "null",
  });
  const { code, stdout } = await command.output();
  return { code, stdout: new TextDecoder().decode(stdout) };
}

const FORGETS = `Promise.reject(new Error("forgotten")); setTimeout(() => console.log("still here"), 1);`;

Deno.test("logStrayRejections(): a promise that nobody waits for is logged, and the process goes on", async () => {
  const { code, stdout } = await run(`
    import { logStrayRejections } from ${JSON.stringify(MODULE)};
    const log = { error: (_message, { error }) => console.log("logged", error) };
    using guard = logStrayRejections(log);
    ${FORGETS}
    await new Promise((resolve) => setTimeout(resolve, 10));
  `);
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "logged Error: forgotten\nstill here\n" });
});

Deno.test("logStrayRejections(): without it such a promise ends the process", async () => {
  const { code, stdout } = await run(FORGETS);
  assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
});
