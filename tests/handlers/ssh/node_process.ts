/**
 * A node with the SSH handler in a process of its own, whose memory, descriptors and children can be counted.
 *
 * @module
 */
import { runProgram, start } from "../../support/process.ts";
import { temporaryFolder } from "../../support/temp.ts";

const MAIN = new URL("../../../cli/main.ts", import.meta.url).pathname;
const SERVER = new URL("../../bench/ssh_server.ts", import.meta.url).pathname;

/** A node that serves SSH to the key `user`: shells, commands, forwarding on loopback. */
export interface SshProcess extends AsyncDisposable {
  readonly pid: number;
  /** The folder of its keys. */
  readonly folder: string;
  /** The file of the key that it knows. */
  readonly key: string;
  /** `NODEID@HOST:PORT`. */
  readonly address: string;
  /** Arguments of `ssh` that reach it, without a host. */
  readonly options: readonly string[];
}

/** Starts one. */
export async function sshProcess(transport: "quic" | "tls" = "tls"): Promise<SshProcess> {
  await using started = new AsyncDisposableStack();
  const folder = started.use(await temporaryFolder());
  for (const name of ["host", "user"]) {
    await runProgram("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", folder.join(name)]);
  }
  const node = started.use(start(Deno.execPath(), ["run", "-A", SERVER, folder.join("host"), folder.join("user.pub")]));
  const { nodeId, hostname, port } = await node.json<{ nodeId: string; hostname: string; port: number }>();
  const address = `${nodeId}@${hostname}:${port}`;
  const proxy = [Deno.execPath(), "run", "-A", MAIN, "dial", "--transport", transport, "--home", folder.path];
  const stack = started.move();
  return {
    pid: node.pid,
    folder: folder.path,
    key: folder.join("user"),
    address,
    options: [
      ...["-F", "none", "-o", `ProxyCommand=${[...proxy, "alknet/ssh", address].join(" ")}`, "-i", folder.join("user")],
      ...["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR"],
      ...["-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"],
    ],
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Looks until something is so; a guard against hanging, not a measurement: a QUIC client that was killed is missed after 30 s. */
export async function until(isSo: () => boolean | Promise<boolean>, what = "it"): Promise<void> {
  const end = performance.now() + 60_000;
  while (!await isSo()) {
    if (performance.now() > end) throw new Error(`${what} never came about`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
