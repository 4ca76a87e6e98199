/**
 * What another node says is shown, and never obeyed: not by the terminal, not by the command.
 *
 * @module
 */
import { doesNotMatch, equal, match } from "node:assert/strict";
import { runAlknet, start } from "../support/process.ts";
import { ROOT } from "../support/python.ts";
import { initHome } from "./home.ts";

/** What drives a terminal; line ends do not. */
// deno-lint-ignore no-control-regex -- those are what is looked for.
const DRIVES = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;

Deno.test("alknet ping, dial and ops show what a hostile node says as text", async () => {
  const program = new URL("./hostile_node.ts", import.meta.url).pathname;
  await using node = start(Deno.execPath(), ["run", "-A", "--no-check", program], { cwd: ROOT });
  const { address } = await node.json<{ address: string }>();
  const asked = await Promise.all([
    ...["quic", "tls"].map((transport) => runAlknet(["ping", "--transport", transport, "-c", "1", address])),
    runAlknet(["dial", "alknet/echo", address, "--transport", "quic"], { stdin: "x" }),
    runAlknet(["ops", address]),
    runAlknet(["ops", address, "--json"]),
  ]);
  for (const { stdout, stderr } of asked) doesNotMatch(stdout + stderr, DRIVES);
  match(asked[0].stderr + asked[2].stderr, /\\u001b\]0;OWNED\\u0007/);
  match(asked[3].stdout, /evil\/\\u001b/);

  for (const { stdout } of [await runAlknet(["completions", "bash", "call", address, ""])]) {
    equal(stdout.includes("evil"), false, "what is no name is no completion");
    match(stdout, /^fine\/name$/m);
  }

  const described = await runAlknet(["ops", address, "node/info"]);
  equal(described.code, 1);
  match(described.stderr, /^alknet: the node's services\/schema describes no operation for node\/info\n$/);
});

Deno.test("alknet token list: one line a token, whatever its description holds", async () => {
  await using home = await initHome();
  await home.run("token", "create", "--scope", "a");
  const config = await home.config() as { auth: { api_keys: Record<string, unknown>[] } };
  config.auth.api_keys[0].description = "\x1b[31mred\nalk_fake  admin  never expires";
  await home.writeConfig(config);
  const { stdout } = await home.run("token", "list");
  equal(stdout.trimEnd().split("\n").length, 1);
  doesNotMatch(stdout, DRIVES);
});

Deno.test("tokens/create takes a line of text for a description, and nothing that begins another", async () => {
  await using home = await initHome();
  await using node = await home.serve();
  await home.run("authorize", home.nodeId, "--name", "me", "--scope", "admin");
  const ask = (description: string) => {
    const input = JSON.stringify({ scopes: ["a"], description });
    return home.run("call", `${home.nodeId}@${node.address}`, "tokens/create", input);
  };
  match((await ask("two\nlines")).stderr, /INVALID_INPUT/);
  match((await ask("red \x1b[31m")).stderr, /INVALID_INPUT/);
  equal((await ask("für das Telefon")).code, 0);
});

Deno.test("alknet token create: an expiry that no date has is a mistake, and nothing is stored", async () => {
  await using home = await initHome();
  const { code, stderr } = await home.run("token", "create", "--scope", "a", "--expires", "14800000w");
  equal(code, 2);
  match(stderr, /14800000w.*100 years at most/);
  equal((await home.run("token", "list")).stdout, "");
});
