/**
 * `alknet ssh-config`: what it prints makes OpenSSH's own client reach a node and trust its key.
 *
 * @module
 */
// Loaded with the module: a library opened within a test would count as that test's leak.
import "../../core/transports/quic/quic.ts";
import "../../core/transports/quic/linux/call_table.ts";
import { router } from "@alknet/core";
import { defineHandler } from "@alknet/core/handler";
import { deepEqual, equal, match } from "node:assert/strict";
import { sshd } from "../handlers/tunnel/sshd.ts";
import { runAlknet, runProgram } from "../support/process.ts";
import { needs } from "../support/programs.ts";
import { temporaryFolder } from "../support/temp.ts";

const MAIN = new URL("../../cli/main.ts", import.meta.url).pathname;

Deno.test({
  name: "alknet ssh-config: ssh runs a command with what it prints, and another host key is refused (ssh.md row 1)",
  ...needs("sshd", "ssh", "ssh-keygen", "root"),
  async fn() {
    await using home = await temporaryFolder();
    await using far = await sshd();
    await using other = await sshd();
    let server = far;
    const handler = defineHandler({ alpns: ["alknet/ssh"], handle: (connection) => server.serve(connection) });
    await using endpoint = await router().use(handler).listen({ transports: ["quic", "tls"] });
    const [{ hostname, port }] = endpoint.addresses;
    // A home with a space in its name, as some have.
    const args = ["ssh-config", `${endpoint.nodeId}@${hostname}:${port}`, "--home", home.join("a home")];
    const { code, stdout, stderr } = await runAlknet([...args, "--name", "box", "--login", far.user]);
    equal(code, 0, stderr);
    match(stdout, new RegExp(`^Host box\n  HostName ${hostname}\n  Port ${port}\n  User ${far.user}\n`));
    // The command as it stands in a user's path.
    await home.write("alknet", `#!/bin/sh\nexec ${Deno.execPath()} run -A ${MAIN} "$@"\n`, { mode: 0o700 });
    const config = await home.write("config", stdout);
    const ssh = (...command: string[]) => {
      const options = ["-F", config, "-i", far.keyFile, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"];
      return runProgram("ssh", [...options, "box", ...command], {
        env: { PATH: `${home.path}:${Deno.env.get("PATH")}` },
      });
    };
    deepEqual(await ssh("echo", "there; exit 7"), { code: 7, stdout: "there\n", stderr: "" });
    server = other;
    const refused = await ssh("true");
    equal(refused.code, 255);
    match(refused.stderr, /REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed/);
    const again = await runAlknet([...args, "--name", "box"]);
    equal(again.code, 0);
    const known = await Deno.readTextFile(home.join("a home", "known_hosts"));
    equal(known.trimEnd().split("\n").length, 1, "the new key has replaced the old one");
  },
});

Deno.test("alknet ssh-config: a name that is no plain word, and a node that is not there: one line each", async () => {
  await using home = await temporaryFolder();
  for (
    const [args, expected, says] of [
      [["localhost:1", "--name", "a b"], 2, /--name "a b": one plain word is needed/],
      [["localhost:1", "--login", "*"], 2, /--login "\*"/],
      [["127.0.0.1:1", "--transport", "tls"], 1, /127\.0\.0\.1:1/],
    ] as const
  ) {
    const { code, stdout, stderr } = await runAlknet(["ssh-config", ...args, "--home", home.path]);
    equal(code, expected);
    equal(stdout, "");
    match(stderr, says);
    equal(stderr.trimEnd().split("\n").length, 1, stderr);
  }
});
