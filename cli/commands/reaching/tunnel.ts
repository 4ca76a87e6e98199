/**
 * `alknet tunnel`: port forwarding and SOCKS over `alknet/ssh`, kept until it is interrupted.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { Forward, Place, SshLogin } from "@alknet/handlers/tunnel";
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional } from "@optique/core/modifiers";
import { command, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import type { Action, Command } from "../../grammar/action.ts";
import { jsonFlag } from "../../grammar/arguments.ts";
import { ExitCode, UsageError } from "../../terminal/output.ts";
import { ignoreToken, prepareReach, type ReachOptions, reachOptions } from "../../reaching/reach.ts";
import { StopSignals } from "../../terminal/signals.ts";
import { TunnelFace } from "../../reaching/tunnel_face.ts";

const SSH_ALPN = "alknet/ssh";
/** Keys that are tried where none is named, as OpenSSH does. */
const DEFAULT_KEYS = ["id_ed25519", "id_ecdsa", "id_rsa"];

interface TunnelCommandOptions extends ReachOptions {
  readonly local: readonly string[];
  readonly remote: readonly string[];
  readonly dynamic: readonly string[];
  readonly login?: string;
  readonly identity: readonly string[];
  readonly json: boolean;
}

/** `alknet tunnel ADDRESS -L … -R … -D …`. */
export const tunnelCommand: Command = command(
  "tunnel",
  map(
    object({
      ...reachOptions(),
      local: multiple(option("-L", "--local", string({ metavar: "[BIND:]PORT:HOST:HOSTPORT" }), {
        description: message`Listen here and connect from the node. Paths are Unix sockets. May be given often.`,
      })),
      remote: multiple(option("-R", "--remote", string({ metavar: "[BIND:]PORT:HOST:HOSTPORT" }), {
        description: message`Listen at the node and connect from here. Port 0 is any that is free there.`,
      })),
      dynamic: multiple(option("-D", "--dynamic", string({ metavar: "[BIND:]PORT" }), {
        description: message`Listen here for SOCKS5, SOCKS4a and HTTP CONNECT; names are resolved at the node.`,
      })),
      login: optional(option("-l", "--login", string({ metavar: "USER" }), {
        description: message`User at the node. Default: yours here.`,
      })),
      identity: multiple(option("-i", "--identity", path({ metavar: "FILE", type: "file", mustExist: true }), {
        description: message`Private SSH key. Default: the agent's keys, and those in ~/.ssh that have no passphrase.`,
      })),
      json: jsonFlag(),
    }),
    (options): Action => () => tunnel(options),
  ),
  {
    brief: message`Forward ports and serve SOCKS through a node, and keep doing so.`,
    description:
      message`Forward ports and serve SOCKS through a node, over alknet/ssh. A connection that is lost is dialled again; local listeners stay.`,
  },
);

async function tunnel(options: TunnelCommandOptions): Promise<number> {
  const { keepTunnel, parseDynamic, parseForward } = await import("@alknet/handlers/tunnel");
  const local = each<Forward>("-L", options.local, parseForward);
  const remote = each<Forward>("-R", options.remote, parseForward);
  const dynamic = each<Place>("-D", options.dynamic, parseDynamic);
  if (local.length + remote.length + dynamic.length === 0) {
    throw new UsageError("nothing to forward; give -L, -R or -D. Try: alknet tunnel --help");
  }
  using signals = new StopSignals();
  const interrupted = new AbortController();
  signals.first.then(() => interrupted.abort());
  await ignoreToken(options, SSH_ALPN);
  const dial = await prepareReach(options);
  using face = new TunnelFace(options);
  await keepTunnel(
    (signal) => dial(SSH_ALPN, signal),
    {
      ...await login(options),
      local,
      remote,
      dynamic,
      signal: interrupted.signal,
      onEvent: (event) => face.show(event),
      onConnection: (connection) => face.connection = connection,
    },
    (begun) => face.tunnel = begun,
  );
  return ExitCode.INTERRUPTED;
}

function each<T>(name: string, texts: readonly string[], parse: (text: string) => T): T[] {
  try {
    return texts.map(parse);
  } catch (error) {
    throw new UsageError(`${name}: ${(error as Error).message}`);
  }
}

async function login({ login, identity }: TunnelCommandOptions): Promise<SshLogin> {
  const user = login ?? userInfo().username;
  if (identity.length > 0) {
    const keys = await Promise.all(identity.map(async (file) => ({ text: await readKey(file) })));
    return { user, keys };
  }
  const keys: { text: string }[] = [];
  for (const name of DEFAULT_KEYS) {
    const text = await Deno.readTextFile(join(homedir(), ".ssh", name)).catch(() => undefined);
    // One with a passphrase is the agent's to use.
    if (text !== undefined && !isEncrypted(text)) keys.push({ text });
  }
  const agent = Deno.env.get("SSH_AUTH_SOCK");
  return { user, keys, agent: agent === "" ? undefined : agent };
}

async function readKey(file: string): Promise<string> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (cause) {
    throw new AlknetError("FILE_UNREADABLE", `cannot read the key in ${file}: ${(cause as Error).message}`, { cause });
  }
  if (!text.includes("PRIVATE KEY-----")) {
    throw new AlknetError("INVALID_KEY", `file ${file} holds no private key; give the file without .pub`);
  }
  if (isEncrypted(text)) {
    throw new AlknetError("INVALID_KEY", `the key in ${file} has a passphrase; load it with: ssh-add ${file}`);
  }
  return text;
}

/** PEM says so itself; OpenSSH's format names the cipher of the private part (PROTOCOL.key). */
function isEncrypted(text: string): boolean {
  if (/^Proc-Type: 4,ENCRYPTED/m.test(text)) return true;
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/.exec(text)?.[1].replace(/\s/g, "");
  return body !== undefined && !atob(body).startsWith("openssh-key-v1\0\0\0\0\x04none");
}
