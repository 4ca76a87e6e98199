/**
 * A node that serves SSH from its configuration, with the host key of its vault (ssh.md, layer 1).
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { runAlknet, runProgram } from "../support/process.ts";
import { needs } from "../support/programs.ts";
import { initHome } from "./home.ts";

const MAIN = new URL("../../cli/main.ts", import.meta.url).pathname;

Deno.test({
  name: "alknet serve with handlers.ssh: ssh-config, then ssh, reach it; the host key is the one that alknet id shows",
  ...needs("ssh", "ssh-keygen"),
  async fn() {
    await using home = await initHome();
    const key = `${home.path}/user`;
    await runProgram("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
    const configFile = `${home.path}/config.json`;
    const config = JSON.parse(await Deno.readTextFile(configFile));
    config.handlers.ssh = { policies: { ada: { exec: { commands: ["echo hello"] } } } };
    await Deno.writeTextFile(configFile, JSON.stringify(config));
    const authorized = await home.run("authorize", await Deno.readTextFile(`${key}.pub`), "--name", "ada");
    equal(authorized.code, 0, authorized.stderr);
    await using node = await home.serve();
    const address = `${home.nodeId}@${node.address}`;
    const printed = await runAlknet(["ssh-config", address, "--home", home.path, "--name", "box"]);
    equal(printed.code, 0, printed.stderr);
    await Deno.writeTextFile(`${home.path}/ssh_config`, printed.stdout);
    await Deno.writeTextFile(`${home.path}/alknet`, `#!/bin/sh\nexec ${Deno.execPath()} run -A ${MAIN} "$@"\n`, {
      mode: 0o700,
    });
    const env = { PATH: `${home.path}:${Deno.env.get("PATH")}` };
    const options = ["-F", `${home.path}/ssh_config`, "-i", key, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"];
    const ssh = (command: string) => runProgram("ssh", [...options, "box", command], { env });
    deepEqual(await ssh("echo hello"), { code: 0, stdout: "hello\n", stderr: "" });
    const refused = await ssh("echo other");
    equal(refused.stdout, "");
    equal(refused.code === 0, false);
    const { sshHostKey } = JSON.parse((await runAlknet(["id", "--json", "--home", home.path])).stdout);
    const known = await runProgram("ssh-keygen", ["-lf", `${home.path}/known_hosts`]);
    equal(known.stdout.split(" ")[1], sshHostKey);
  },
});

Deno.test("alknet serve: a policy of SSH that cannot be read is one line that names it", async () => {
  await using home = await initHome();
  const configFile = `${home.path}/config.json`;
  const config = JSON.parse(await Deno.readTextFile(configFile));
  config.handlers.ssh = { policies: { ada: { forward: ["db.internal"] } } };
  await Deno.writeTextFile(configFile, JSON.stringify(config));
  const { code, stderr } = await runAlknet(["serve", "--json", "--home", home.path, "--listen", "127.0.0.1:0"]);
  equal(code, 1);
  match(stderr, /handlers\.ssh: destination "db\.internal": write host:port/);
});
