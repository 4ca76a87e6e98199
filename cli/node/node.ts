/**
 * The node of a home folder, made: its vault and its first configuration.
 *
 * @module
 */
import { type ConfigDocument, editConfig } from "@alknet/core/config";
import { AlknetError } from "@alknet/core/handler";
import type { Home } from "../home/home.ts";
import { makeNewVault, type NewPhraseOptions } from "../vault/making.ts";
import type { Secret } from "../vault/sealed_phrase.ts";

/** The port of a node that was told no other. */
export const DEFAULT_PORT = 4433;

/** The handlers of a configuration that names none. */
export const DEFAULT_HANDLERS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  call: {},
  echo: {},
  http: { decoy: { kind: "notFound" } },
  git: {},
  dns: {},
  fs: {},
};

/**
 * Makes a node: its vault and, unless there is one, its configuration; both or none.
 *
 * @throws {AlknetError} `VAULT_EXISTS` when there is a vault, and `force` is not given; nothing is touched then.
 */
export async function makeNode(home: Home, secret: Secret, options: NewPhraseOptions = {}): Promise<void> {
  await makeNewVault(home, secret, { ...options, files: { "config.json": formatConfig(firstConfig()) } });
}

/**
 * Writes the first configuration of a node, in one step.
 *
 * @throws {AlknetError} `NODE_EXISTS` when there is one.
 */
export async function makeConfig(home: Home): Promise<void> {
  await editConfig(home.configFile, (document) => {
    if (Object.keys(document).length > 0) throw nodeExists([home.configFile]);
    Object.assign(document, firstConfig());
  }, { create: true });
}

function formatConfig(config: ConfigDocument): string {
  return JSON.stringify(config, undefined, 2) + "\n";
}

function firstConfig(): ConfigDocument {
  return {
    listen: [`${hasIpv6() ? "[::]" : "0.0.0.0"}:${DEFAULT_PORT}`],
    certificate: { mode: "selfSigned", names: ownNames() },
    handlers: structuredClone(DEFAULT_HANDLERS),
    auth: { peers: [], api_keys: [] },
    rate_limits: { max_connections_per_ip: 100, max_auth_attempts: 5 },
  };
}

/** Names under which browsers and curl on this machine and beside it may call the node. */
function ownNames(): string[] {
  const name = Deno.hostname().toLowerCase();
  const usable = /^(?=.{1,253}$)[a-z0-9][a-z0-9-]{0,62}(\.[a-z0-9][a-z0-9-]{0,62})*$/.test(name);
  return [...new Set(["localhost", ...(usable ? [name] : []), "127.0.0.1", "::1"])];
}

/** Whether an IPv6 wildcard, which takes IPv4 too, can be bound: containers often lack it. */
function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

function nodeExists(files: readonly string[]): AlknetError {
  return new AlknetError(
    "NODE_EXISTS",
    `a node is here already (${
      files.join(", ")
    }); nothing was changed. Use it as it is, or name another home with --home`,
  );
}
