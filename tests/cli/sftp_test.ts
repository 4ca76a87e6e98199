/**
 * A node that serves files from its configuration: inside of SSH, and bare (ssh.md, layer 5).
 *
 * @module
 */
import { equal, match } from "node:assert/strict";
import { runAlknet, runProgram } from "../support/process.ts";
import { needs } from "../support/programs.ts";
import { initHome } from "./home.ts";

const MAIN = new URL("../../cli/main.ts", import.meta.url).pathname;

Deno.test({
  name: "alknet serve with sftp in a policy of handlers.ssh, and handlers.sftp: sftp, scp and sftp -D reach the folder",
  ...needs("linux", "ssh", "ssh-keygen", "scp"),
  async fn() {
    await using home = await initHome();
    await using other = await initHome();
    const { path } = home;
    const key = `${path}/user`;
    await runProgram("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
    await Deno.mkdir(`${path}/files`);
    await Deno.writeTextFile(`${path}/files/hello`, "hello\n");
    const config = await home.config() as { handlers: Record<string, unknown> };
    // Relative to the configuration's folder.
    config.handlers.ssh = { policies: { ada: { sftp: { root: "files" } }, bob: { shell: true } } };
    config.handlers.sftp = { policies: { friend: { root: `${path}/files`, read_only: true } } };
    await home.writeConfig(config);
    equal((await home.run("authorize", await Deno.readTextFile(`${key}.pub`), "--name", "ada")).code, 0);
    equal((await home.run("authorize", other.nodeId, "--name", "friend")).code, 0);
    await using node = await home.serve();
    const address = `${home.nodeId}@${node.address}`;
    const alknet = `${path}/alknet`;
    await Deno.writeTextFile(alknet, `#!/bin/sh\nexec ${Deno.execPath()} run -A ${MAIN} "$@"\n`, { mode: 0o700 });
    const env = { PATH: `${path}:${Deno.env.get("PATH")}` };
    const printed = await runAlknet(["ssh-config", address, "--home", path, "--name", "box"]);
    await Deno.writeTextFile(`${path}/ssh_config`, printed.stdout);
    const options = ["-F", `${path}/ssh_config`, "-i", key, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"];
    const batch = (args: string[], stdin: string) =>
      runProgram("sftp", ["-b", "-", ...args], { env, stdin, cwd: path });
    const inside = await batch([...options, "box"], "get hello got\nput got more\n");
    equal(inside.code, 0, inside.stderr);
    equal(await Deno.readTextFile(`${path}/files/more`), "hello\n");
    const copied = await runProgram("scp", ["-q", ...options, "box:more", `${path}/copied`], { env });
    equal(copied.code, 0, copied.stderr);
    const dial = (folder: string): string => `${alknet} dial alknet/sftp ${address} --home ${folder}`;
    const bare = await batch(["-D", dial(other.path)], "get hello bare\n");
    equal(bare.code, 0, bare.stderr);
    equal(await Deno.readTextFile(`${path}/bare`), "hello\n");
    equal((await batch(["-D", dial(other.path)], "put bare new\n")).code, 1);
    const stranger = await batch(["-D", dial(path)], "get hello stolen\n");
    equal(stranger.code === 0, false);
    const line = await node.child.errorLine(/not allowed/);
    match(line, /not allowed src=127\.0\.0\.1 what=sftp key=\S+ reason=/);
  },
});

/** Configurations of files that are none, and what the one line says. */
const WRONG: readonly (readonly [name: string, handlers: Record<string, unknown>, says: RegExp])[] = [
  [
    "a folder that is not there",
    { sftp: { policies: { ada: { root: "/nowhere/at all" } } } },
    /handlers\.sftp\.policies\.ada\.root: .*\/nowhere\/at all.*needed/,
  ],
  [
    "a folder that is not there, in a policy of SSH",
    { ssh: { policies: { ada: { sftp: { root: "nowhere" } } } } },
    /handlers\.ssh\.policies\.ada\.sftp\.root: .*nowhere.*needed/,
  ],
  ["a folder that is no text", { sftp: { policies: { ada: { root: 1 } } } }, /handlers\.sftp\.policies\.ada\.root/],
  [
    "a field that is none",
    { sftp: { policies: { ada: { root: "/", write: true } } } },
    /handlers\.sftp\.policies\.ada/,
  ],
  [
    "files for who runs programs as another user",
    { ssh: { policies: { ada: { sftp: { root: "/" }, user: "nobody" } } } },
    /handlers\.ssh: policies\.ada has both sftp and user/,
  ],
];

for (const [name, handlers, says] of WRONG) {
  Deno.test({
    name: `alknet serve with sftp: ${name} is one line that names it`,
    ...needs("linux"),
    async fn() {
      await using home = await initHome();
      const config = await home.config() as { handlers: Record<string, unknown> };
      Object.assign(config.handlers, handlers);
      await home.writeConfig(config);
      const { code, stderr } = await runAlknet(["serve", "--json", "--home", home.path, "--listen", "127.0.0.1:0"]);
      equal(code === 0, false);
      match(stderr, says);
      equal(stderr.trimEnd().split("\n").filter((line) => says.test(line)).length, 1, stderr);
    },
  });
}
