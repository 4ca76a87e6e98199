/**
 * The ways that the SSH figures compare: OpenSSH's client to its own `sshd`, and to a node of ours.
 *
 * @module
 */
import { userInfo } from "node:os";
import { type Child, runAlknet, runProgram, start, startAlknet } from "../support/process.ts";
import { findProgram } from "../support/programs.ts";
import { ROOT } from "../support/python.ts";
import { temporaryFolder } from "../support/temp.ts";
import { script } from "./harness.ts";

/** Privilege separation's folder, which a service would make. */
const EMPTY = "/run/sshd";
/** Where Debian has it. */
const SFTP_SERVER = "/usr/lib/openssh/sftp-server";
const TUNNEL_KINDS = ["quic", "tls"] as const;

/** How the client gets to a server: nothing between, or a ProxyCommand. */
export type Way = "sshd" | "dial tls" | "dial quic" | "s_client";
/** The same for files, which need no SSH. */
export type FilesWay = Way | "bare tls" | "bare quic";

/** Servers that run, and how to reach them. */
export interface SshWays extends AsyncDisposable {
  /** A folder for files. */
  readonly folder: string;
  /** What is served as files. */
  readonly root: string;
  /** The command line of `sftp`, which reads a batch, and where it finds {@linkcode root}. */
  sftp(way: FilesWay): { readonly line: string[]; readonly root: string };
  /** The command line of `ssh`. */
  ssh(way: Way, ...rest: readonly string[]): string[];
  /** Starts a forward from a free port to `to`, and gives its port once it is there. */
  forward(way: Way | "tunnel quic" | "tunnel tls", to: string): Promise<AsyncDisposable & { readonly port: number }>;
}

/** Starts `sshd` and a node, with one user's key for both. */
export async function sshWays(): Promise<SshWays> {
  await using started = new AsyncDisposableStack();
  const folder = started.use(await temporaryFolder());
  for (const name of ["host", "user"]) {
    await runProgram("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", folder.join(name)]);
  }
  const home = folder.join("home");
  await runAlknet(["init", "--no-passphrase", "--home", home]);
  const own = (await runAlknet(["id", "--home", home])).stdout.trim();
  const root = folder.join("root");
  await Deno.mkdir(root);
  const args = [folder.join("host"), folder.join("user.pub"), root, own];
  const node = started.use(start(Deno.execPath(), ["run", "-A", script("ssh_server.ts"), ...args]));
  const { nodeId, hostname, port } = await node.json<{ nodeId: string; hostname: string; port: number }>();
  const sshdPort = freePort();
  started.use(await startSshd(folder.path, sshdPort));
  const address = `${nodeId}@${hostname}:${port}`;
  const dial = (transport: string, alpn = "alknet/ssh"): string =>
    `${Deno.execPath()} run -A ${ROOT}cli/main.ts dial --home ${home} --transport ${transport} ${alpn} ${address}`;
  const sClient = `openssl s_client -quiet -connect ${hostname}:${port} -alpn alknet/ssh -servername ${nodeId}.alknet`;
  const reach: Readonly<Record<Way, readonly string[]>> = {
    sshd: ["-p", `${sshdPort}`],
    "dial tls": ["-o", `ProxyCommand=${dial("tls")}`],
    "dial quic": ["-o", `ProxyCommand=${dial("quic")}`],
    s_client: ["-o", `ProxyCommand=${sClient} 2>/dev/null`],
  };
  const user = userInfo().username;
  const common = ["-F", "none", "-i", folder.join("user"), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"];
  const trusting = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"];
  const ssh = (way: Way, ...rest: readonly string[]): string[] => {
    return ["ssh", ...common, ...trusting, ...reach[way], "-l", user, ...rest];
  };
  const sftp: SshWays["sftp"] = (way) => {
    const batch = ["-q", "-b", "-"];
    if (way === "bare tls" || way === "bare quic") {
      return { line: ["sftp", ...batch, "-D", dial(way.slice("bare ".length), "alknet/sftp")], root: "" };
    }
    const reaching = reach[way].map((word) => word === "-p" ? "-P" : word);
    const line = ["sftp", ...batch, ...common, ...trusting, ...reaching, `${user}@127.0.0.1`];
    return { line, root: way === "sshd" ? root : "" };
  };
  const stack = started.move();
  return {
    folder: folder.path,
    root,
    sftp,
    ssh,
    async forward(way, to) {
      const port = freePort();
      const transport = TUNNEL_KINDS.find((kind) => way === `tunnel ${kind}`);
      if (transport) {
        const child = startAlknet([
          ...["tunnel", address, "--transport", transport, "--home", home, "-l", user, "-i", folder.join("user")],
          ...["-L", `${port}:${to}`, "--json"],
        ]);
        await child.line('"connected"');
        return forwarding(child, port);
      }
      const [file, ...args] = ssh(way as Way, "-v", "-N", "-L", `${port}:${to}`, "127.0.0.1");
      const child = start(file, args.map((one) => one === "LogLevel=ERROR" ? "LogLevel=DEBUG1" : one));
      await child.errorLine(/pledge: network|Entering interactive session/);
      return forwarding(child, port);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function forwarding(child: Child, port: number): AsyncDisposable & { readonly port: number } {
  return { port, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
}

/** sshd wants a number. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function startSshd(folder: string, port: number): Promise<Child> {
  await Deno.mkdir(EMPTY, { recursive: true });
  const config = `${folder}/sshd_config`;
  await Deno.writeTextFile(
    config,
    [
      `HostKey ${folder}/host`,
      `AuthorizedKeysFile ${folder}/user.pub`,
      ...["ListenAddress 127.0.0.1", "StrictModes no", "UsePAM no", "PermitRootLogin yes", "PidFile none"],
      `Subsystem sftp ${SFTP_SERVER}`,
      ...["PrintMotd no", "MaxStartups 1000:30:1000", "MaxSessions 1000"],
    ].join("\n"),
  );
  const child = start(findProgram("sshd")!, ["-D", "-e", "-f", config, "-p", `${port}`]);
  await child.errorLine(/Server listening/);
  return child;
}
