/**
 * A node with the SSH handler, and OpenSSH's client on the way to it.
 *
 * @module
 */
// Loaded with the module: a library opened within a test would count as that test's leak.
import "../../../core/transports/quic/quic.ts";
import "../../../core/transports/quic/linux/call_table.ts";
import "@lydell/node-pty";
import { router } from "@alknet/core";
import type { Identity } from "@alknet/core/handler";
import { type OpenStore, serveFolder } from "@alknet/handlers/sftp";
import { ssh, type SshPolicy, type SshProgram } from "@alknet/handlers/ssh";
import { type Output, runProgram, start } from "../../support/process.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { fingerprintsOf } from "@alknet/handlers/ssh-key";

const MAIN = new URL("../../../cli/main.ts", import.meta.url).pathname;

const ED25519 = ["-t", "ed25519"];

/** A node that serves SSH. */
export interface SshNode extends AsyncDisposable {
  /** The folder of its keys: `user`, `stranger`, and whatever a test puts in. */
  readonly folder: string;
  /** Arguments of `ssh`, `scp` and `sftp` that reach it, without a host. */
  readonly options: readonly string[];
  /** What to run for a connection to it. */
  readonly proxy: readonly string[];
  /** Runs `ssh` with more options, and a command. */
  ssh(more: readonly string[], command: readonly string[], stdin?: string | Uint8Array<ArrayBuffer>): Promise<Output>;
  /** Starts `ssh`. */
  start(more: readonly string[], command: readonly string[]): ReturnType<typeof start>;
  /** Port of the node's TLS and QUIC. */
  readonly port: number;
  /** Its id. */
  readonly nodeId: string;
  /** Begins to shut down, and waits for it, for so many milliseconds at most. */
  shutdown(drain: number): Promise<void>;
}

/** Options of {@linkcode sshNode}. */
export interface SshNodeOptions {
  readonly transport?: "quic" | "tls";
  readonly policy?: SshPolicy;
  readonly scopes?: readonly string[];
  readonly programs?: readonly SshProgram[];
  /** Told of what clients send to `sftp`. */
  readonly tapFiles?: (chunk: Uint8Array<ArrayBuffer>) => void;
  /** Opens what the policy for files names. Default: a folder. */
  readonly openFiles?: OpenStore;
  /** Options of `ssh-keygen` for the key `user`. Default: Ed25519. */
  readonly keyType?: readonly string[];
}

/** Whom the key `user` belongs to. */
export const USER = "me";

/** Starts one, on loopback and a port that is free. */
export async function sshNode(options: SshNodeOptions = {}): Promise<SshNode> {
  const { transport = "tls", policy, scopes = [], programs, tapFiles, openFiles, keyType = ED25519 } = options;
  await using started = new AsyncDisposableStack();
  const folder = started.use(await temporaryFolder());
  for (const name of ["host", "user", "stranger"]) {
    const kind = name === "user" ? keyType : ED25519;
    await runProgram("ssh-keygen", ["-q", ...kind, "-N", "", "-f", folder.join(name)]);
  }
  const blob = Uint8Array.fromBase64((await Deno.readTextFile(folder.join("user.pub"))).split(" ")[1]);
  const known = new Set(fingerprintsOf(blob));
  const identity: Identity = { id: USER, scopes, resources: {} };
  const identityProvider = {
    resolveFingerprint: (fingerprint: string) => known.has(fingerprint) ? identity : undefined,
    resolveToken: () => undefined,
  };
  const hostKeys = [await Deno.readTextFile(folder.join("host"))];
  const handler = ssh({
    hostKeys,
    policies: policy ? { [USER]: policy } : {},
    programs,
    subsystems: {
      sftp: ({ readable, writable }, { policy, ...client }) => {
        return serveFolder({ readable: tapped(readable, tapFiles), writable }, policy.sftp!, client, openFiles);
      },
    },
  });
  const limits = { connectionRate: 100_000, connectionBurst: 100_000, maxConnectionsPerAddress: 10_000 };
  const endpoint = await router().use(handler).listen({ transports: [transport], identityProvider, limits });
  started.defer(() => endpoint.shutdown({ drain: 0 }));
  const [{ hostname, port }] = endpoint.addresses;
  const host = (await Deno.readTextFile(folder.join("host.pub"))).trim();
  const knownHosts = await folder.write("known_hosts", `node ${host}\n`);
  const dial = [Deno.execPath(), "run", "-A", MAIN, "dial", "alknet/ssh", `${endpoint.nodeId}@${hostname}:${port}`];
  const proxy = [...dial, "--transport", transport, "--home", folder.path];
  const common = [
    ...["-F", "none", "-o", `ProxyCommand=${proxy.join(" ")}`],
    ...["-o", `UserKnownHostsFile=${knownHosts}`, "-o", "HostKeyAlias=node", "-o", "StrictHostKeyChecking=yes"],
    ...["-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"],
  ];
  const arguments_ = (more: readonly string[], command: readonly string[]) => {
    const key = more.includes("-i") ? [] : ["-i", folder.join("user")];
    // Of an option given twice, the first counts.
    return [...common, ...key, ...more, "-o", "LogLevel=ERROR", "anyone@node", ...command];
  };
  const stack = started.move();
  return {
    folder: folder.path,
    options: [...common, "-i", folder.join("user"), "-o", "LogLevel=ERROR"],
    proxy,
    ssh: (more, command, stdin) => runProgram("ssh", arguments_(more, command), { stdin }),
    start: (more, command) => start("ssh", arguments_(more, command)),
    port,
    nodeId: endpoint.nodeId,
    shutdown: (drain) => endpoint.shutdown({ drain }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** The same stream; what comes out is told of before. */
function tapped(
  readable: ReadableStream<Uint8Array>,
  tap: ((chunk: Uint8Array<ArrayBuffer>) => void) | undefined,
): ReadableStream<Uint8Array> {
  if (!tap) return readable;
  return readable.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        tap(chunk.slice());
        controller.enqueue(chunk);
      },
    }),
  );
}
