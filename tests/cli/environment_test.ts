/**
 * The environment is never a source of secrets (core.md §1, §18 row 73).
 *
 * @module
 */
import { equal, match } from "node:assert/strict";
import { runProgram, start } from "../support/process.ts";
import { initHome } from "./home.ts";

const MAIN = new URL("../../cli/main.ts", import.meta.url).pathname;
/** Everything but the environment, of which the home folder alone is allowed. Reading anything else is an error. */
const PERMISSIONS = [
  "--no-prompt",
  "--allow-read",
  "--allow-write",
  "--allow-net",
  "--allow-sys",
  "--allow-ffi",
  "--allow-run",
];
/** Names under which other programs keep secrets, and under which one might look for ours. */
const SECRETS = {
  ALKNET_PASSPHRASE: "plausible passphrase",
  ALKNET_KEY: "plausible key",
  ALKNET_MNEMONIC: "abandon abandon about",
  AWS_SECRET_ACCESS_KEY: "plausible aws",
  GITHUB_TOKEN: "plausible github",
  NODE_EXTRA_CA_CERTS: "plausible-authorities",
};

Deno.test("alknet runs with no access to the environment but $ALKNET_HOME, among plausible secrets (core.md §18 row 73, call.md §26 row 146)", async () => {
  await using home = await initHome();
  // One that would open everything, if it were looked at.
  const token = (await home.run("token", "create", "--scope", "admin")).stdout.trim();
  const env = { ...SECRETS, ALKNET_TOKEN: token, API_KEY: token, ALKNET_HOME: home.path, NO_COLOR: "1" };
  const alknet = ["run", ...PERMISSIONS, "--allow-env=ALKNET_HOME", MAIN];

  const id = await runProgram(Deno.execPath(), [...alknet, "id"], { env });
  equal(id.stdout, `${home.nodeId}\n`, id.stderr);

  await using node = start(Deno.execPath(), [...alknet, "serve", "--json", "--listen", "127.0.0.1:0"], { env });
  const listening = await node.json<{ nodeId: string; addresses: string[] }>();
  equal(listening.nodeId, home.nodeId);
  const address = `${home.nodeId}@${listening.addresses[0]}`;
  for (const transport of ["quic", "tls"]) {
    const call = [...alknet, "call", address, "tokens/list", "--transport", transport];
    const refused = await runProgram(Deno.execPath(), call, { env });
    equal(refused.code, 1);
    match(refused.stderr, /^alknet: FORBIDDEN: authentication required$/m);
    const open = await runProgram(Deno.execPath(), [...alknet, "call", address, "node/info", "--json"], { env });
    equal(open.code, 0, open.stderr);
  }
  node.kill("SIGTERM");
  equal((await node.status).code, 0);
  // Deno itself reads that one before it downloads anything, in each process, and says that the file is not there.
  const said = `${node.output}\n${node.errors}`.replace(/^Warning: Ignoring extra certs .*$/gm, "");
  for (const secret of [...Object.values(SECRETS), token]) equal(said.includes(secret), false, secret);
  equal(said.includes("NotCapable"), false, said);
});
