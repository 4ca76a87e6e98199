/**
 * Homes that serve repositories over SSH, and OpenSSH and stock git as their clients.
 *
 * @module
 */
import { equal } from "node:assert/strict";
import { GIT_ENV, makeRepository } from "../handlers/git/repositories.ts";
import { type Output, runAlknet, runProgram } from "../support/process.ts";
import { MAIN } from "./git_home.ts";
import { initHome, type ServingNode, type TestHome } from "./home.ts";

/** A node that serves `notes` over SSH to whom the keys in its home belong. */
export interface GitOverSsh extends AsyncDisposable {
  /** The home. */
  readonly home: TestHome;
  /** The node. */
  readonly node: ServingNode;
  /** The folder of `notes`. */
  readonly bare: string;
  /** A working copy of it. */
  readonly work: string;
  /** What finds the command `alknet`. */
  readonly env: Readonly<Record<string, string>>;
  /** `ssh` and its options, by the key's name and the way. */
  ssh(key: string, way: Way): string[];
  /** Runs git over SSH. */
  git(who: { key: string; way?: Way }, args: readonly string[], cwd?: string): Promise<Output>;
}

/** What carries SSH to the node. */
export type Way = "alknet" | "openssl";

/** Who may do what, by the names of their keys. */
const SCOPES: Readonly<Record<string, readonly string[]>> = {
  reader: ["git:read"],
  writer: ["git:write:notes"],
  nobody: [],
};

/**
 * Starts one.
 *
 * @param options Those of `handlers.git`.
 */
export async function gitOverSsh(options: Record<string, unknown> = {}): Promise<GitOverSsh> {
  await using started = new AsyncDisposableStack();
  const home = started.use(await initHome());
  const config = await home.config() as { handlers: Record<string, unknown> };
  config.handlers.ssh = {};
  config.handlers.git = options;
  await home.writeConfig(config);
  for (const [name, scopes] of Object.entries(SCOPES)) {
    await runProgram("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", `${home.path}/${name}`]);
    const all = scopes.flatMap((scope) => ["--scope", scope]);
    const key = await Deno.readTextFile(`${home.path}/${name}.pub`);
    const done = await home.run("authorize", key, "--name", name, ...all);
    equal(done.code, 0, done.stderr);
  }
  const [work, bare] = [`${home.path}/work`, `${home.path}/git/notes.git`];
  await makeRepository(work, bare);
  const node = started.use(await home.serve());
  const printed = await runAlknet([
    ...["ssh-config", `${home.nodeId}@${node.address}`],
    ...["--home", home.path, "--name", "box"],
  ]);
  equal(printed.code, 0, printed.stderr);
  await Deno.writeTextFile(`${home.path}/ssh_config`, printed.stdout);
  await Deno.mkdir(`${home.path}/bin`);
  await Deno.writeTextFile(`${home.path}/bin/alknet`, `#!/bin/sh\nexec ${Deno.execPath()} run -A ${MAIN} "$@"\n`, {
    mode: 0o700,
  });
  const env = { ...GIT_ENV, PATH: `${home.path}/bin:${Deno.env.get("PATH")}` };
  const ssh = (key: string, way: Way): string[] => {
    const proxy = `openssl s_client -quiet -verify_quiet -alpn alknet/ssh -servername ${home.nodeId}.alknet ` +
      `-connect ${node.address}`;
    const options = ["IdentitiesOnly=yes", "BatchMode=yes", "LogLevel=ERROR"].flatMap((one) => ["-o", one]);
    return [
      ...["ssh", ...way === "openssl" ? ["-o", `ProxyCommand=${proxy}`] : []],
      ...["-F", `${home.path}/ssh_config`, "-i", `${home.path}/${key}`, ...options],
    ];
  };
  const stack = started.move();
  return {
    home,
    node,
    bare,
    work,
    env,
    ssh,
    git: ({ key, way = "openssl" }, args, cwd = home.path) =>
      runProgram("git", args, {
        env: { ...env, GIT_SSH_COMMAND: ssh(key, way).map((word) => `'${word}'`).join(" "), GIT_SSH_VARIANT: "ssh" },
        cwd,
      }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
