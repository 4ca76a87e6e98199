/**
 * `alknet ssh-config`: what OpenSSH's configuration needs to reach a node.
 *
 * @module
 */
import { parseAddress } from "@alknet/core/address";
import { AlknetError } from "@alknet/core/handler";
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional } from "@optique/core/modifiers";
import { command, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { Action, Command } from "../../grammar/action.ts";
import { jsonFlag } from "../../grammar/arguments.ts";
import { locateHome } from "../../home/home.ts";
import { rememberHostKey } from "../../reaching/known_hosts.ts";
import { ExitCode, printJson, UsageError, writeText } from "../../terminal/output.ts";
import { ignoreToken, prepareReach, type ReachOptions, reachOptions } from "../../reaching/reach.ts";
import { StopSignals } from "../../terminal/signals.ts";

const SSH_ALPN = "alknet/ssh";
/** What stands in a pattern of OpenSSH's, or ends a word there. */
const UNFIT = /[\s*?!#"',]/;

interface SshConfigOptions extends ReachOptions {
  readonly name?: string;
  readonly login?: string;
  readonly json: boolean;
}

/** `alknet ssh-config ADDRESS`. */
export const sshConfigCommand: Command = command(
  "ssh-config",
  map(
    object({
      ...reachOptions(),
      name: optional(option("--name", string({ metavar: "NAME" }), {
        description: message`What to call the node: ssh NAME. Default: its host name.`,
      })),
      login: optional(
        option("-l", "--login", string({ metavar: "USER" }), { description: message`User at the node.` }),
      ),
      json: jsonFlag(),
    }),
    (options): Action => () => sshConfig(options),
  ),
  {
    brief: message`Print the block for ~/.ssh/config that reaches a node.`,
    description:
      message`Ask a node for its SSH host key, keep it in known_hosts of the home folder, and print the block for ~/.ssh/config: alknet ssh-config ADDRESS >> ~/.ssh/config`,
  },
);

async function sshConfig(options: SshConfigOptions): Promise<number> {
  const { nodeId, host, port } = parseAddress(options.address);
  const { name = host, login } = options;
  for (const [option, text] of [["--name", name], ["--login", login ?? "x"]]) {
    if (text === "" || UNFIT.test(text)) {
      throw new UsageError(`${option} ${JSON.stringify(text)}: one plain word is needed`);
    }
  }
  using signals = new StopSignals();
  const interrupted = new AbortController();
  signals.first.then(() => interrupted.abort());
  await ignoreToken(options, SSH_ALPN);
  const key = await hostKeyOf(options, interrupted.signal);
  const alias = `alknet-${nodeId ?? `${host}-${port}`}`;
  const home = locateHome(options.home);
  const knownHosts = await rememberHostKey(home.knownHostsFile, alias, key);
  const lines = {
    HostName: host,
    Port: `${port}`,
    ...login === undefined ? {} : { User: login },
    ProxyCommand: ["alknet", "dial", ...shared(options), SSH_ALPN, `${nodeId ? `${nodeId}@` : ""}${bracketed(host)}:%p`]
      .join(" "),
    HostKeyAlias: alias,
    UserKnownHostsFile: quoted(knownHosts),
    StrictHostKeyChecking: "yes",
  };
  if (options.json) printJson({ host: name, ...lines, hostKey: key });
  else writeText(`Host ${name}\n${Object.entries(lines).map(([word, value]) => `  ${word} ${value}\n`).join("")}`);
  return ExitCode.DONE;
}

/** Begins an SSH session to see the host key, and goes no further: `ssh-ed25519 AAAA…`. */
async function hostKeyOf(options: SshConfigOptions, signal: AbortSignal): Promise<string> {
  const { SshSession } = await import("@alknet/handlers/tunnel");
  await using connection = await (await prepareReach(options))(SSH_ALPN, signal);
  let found: Uint8Array | undefined;
  const login = {
    user: "alknet",
    hostKey: (_fingerprint: string, key: Uint8Array) => (found = new Uint8Array(key), false),
  };
  try {
    const session = await SshSession.open(connection, login, (_at, _accept, refuse) => refuse());
    session.close();
  } catch (error) {
    if (!found) throw error;
  }
  if (!found) throw new AlknetError("SSH_FAILED", `${options.address} showed no host key`);
  const length = new DataView(found.buffer).getUint32(0);
  return `${new TextDecoder().decode(found.subarray(4, 4 + length))} ${found.toBase64()}`;
}

/** Options that ssh's own dial needs as well. */
function shared({ transport, home, ca, insecure }: ReachOptions): string[] {
  return [
    ...transport === "auto" ? [] : ["--transport", transport],
    ...home === undefined ? [] : ["--home", quoted(home)],
    ...ca === undefined ? [] : ["--ca", quoted(ca)],
    ...insecure ? ["--insecure"] : [],
  ];
}

function bracketed(host: string): string {
  return host.includes(":") ? "[%h]" : "%h";
}

/** A path as OpenSSH and the shell behind ProxyCommand read it. */
function quoted(path: string): string {
  return /^[\w@+=:,./-]+$/.test(path) ? path : `"${path.replaceAll(/(["\\$`])/g, "\\$1")}"`;
}
