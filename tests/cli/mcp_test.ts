/**
 * `handlers.http.mcp` in the configuration, through the MCP inspector's command line, over TLS.
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { INSPECTOR, INSPECTOR_LOCK } from "../setup/packages.ts";
import { runProgram } from "../support/process.ts";
import { temporaryFolder } from "../support/temp.ts";
import { initHome } from "./home.ts";

/**
 * Run by Deno, from its cache alone: without the checks of certificates, which the node's own would not pass, Deno fetches
 * nothing from anywhere that the system's authorities vouch for.
 */
const INSPECT = ["run", "-A", "--quiet", ...INSPECTOR_LOCK, "--no-config", "--cached-only"]
  .concat("--unsafely-ignore-certificate-errors=localhost", INSPECTOR, "--cli");

Deno.test("handlers.http.mcp serves clients of MCP: the inspector lists the tools and calls them", async () => {
  await using home = await initHome();
  await using folder = await temporaryFolder();
  await home.writeConfig({ ...await home.config(), handlers: { http: { mcp: true } } });
  const { code: made, stdout: token, stderr: why } = await home.run("token", "create", "--scope", "admin");
  equal(made, 0, why);
  await using node = await home.serve();
  const inspect = async (...args: string[]) => {
    const target = [`https://localhost:${node.port}/mcp`, "--transport", "http"];
    const { code, stdout, stderr } = await runProgram(Deno.execPath(), [...INSPECT, ...target, ...args], {
      env: { MCP_STORAGE_DIR: folder.path, NO_COLOR: "1" },
    });
    return { code, told: stdout + stderr, answer: () => JSON.parse(stdout) };
  };
  const tool = (name: string, ...args: string[]) => inspect("--method", "tools/call", "--tool-name", name, ...args);

  const listed = await inspect("--method", "tools/list");
  equal(listed.code, 0, listed.told);
  deepEqual(listed.answer().tools.map(({ name }: { name: string }) => name), ["search", "schema", "call", "batch"]);
  const info = await tool("call", "--tool-arg", "operation=node/info");
  equal(info.answer().structuredContent.nodeId, home.nodeId, info.told);
  const refused = await tool("call", "--tool-arg", "operation=tokens/list");
  match(refused.told, /FORBIDDEN/);
  const header = ["--header", `Authorization: Bearer ${token.trim()}`];
  const allowed = await tool("call", "--tool-arg", "operation=tokens/list", ...header);
  equal(allowed.code, 0, allowed.told);
  equal(allowed.answer().isError ?? false, false);
});
