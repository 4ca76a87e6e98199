/**
 * What an identity may do over SSH.
 *
 * @module
 */
import type { Identity } from "@alknet/core/handler";

/** What someone may do. Whatever is absent is refused. */
export interface SshPolicy {
  /** Log in to a shell. */
  readonly shell?: boolean;
  /** Run commands: any, those listed word for word, or always the one that is forced (`SSH_ORIGINAL_COMMAND` has the asked one). */
  readonly exec?: boolean | { readonly commands: readonly string[] } | { readonly force: string };
  /** Connect to these from the node: `host:port`, each with `*`, addresses also as CIDR: `10.0.0.0/8:*`. Unix sockets by path. */
  readonly forward?: readonly string[];
  /** Have the node listen: `host:port` in the same notation, Unix sockets by path. */
  readonly listen?: readonly string[];
  /** As whom programs run. Default: the node's own user. Another one needs a node that is root. */
  readonly user?: string;
  /** Files over SFTP: below a folder. */
  readonly sftp?: { readonly root: string; readonly readOnly?: boolean };
}

/** Scopes, and what they give to whom no policy is written for. */
const BY_SCOPE: readonly (readonly [scope: string, policy: SshPolicy])[] = [
  ["ssh:shell", { shell: true, exec: true }],
  ["ssh:exec", { exec: true }],
];

/**
 * The policy of an identity: the one written for it, else what its scopes give.
 *
 * @param written By the identity's id.
 */
export function policyOf(identity: Identity, written: Readonly<Record<string, SshPolicy>>): SshPolicy {
  if (Object.hasOwn(written, identity.id)) return written[identity.id];
  const given = BY_SCOPE.filter(([scope]) => identity.scopes.includes(scope)).map(([, policy]) => policy);
  return Object.assign({}, ...given.reverse());
}

/** The command to run for what was asked (nothing: a shell); nothing if it is not allowed. */
export function commandFor(policy: SshPolicy, asked: string | undefined): { readonly command?: string } | undefined {
  const { shell = false, exec = false } = policy;
  if (typeof exec === "object" && "force" in exec) return { command: exec.force };
  if (asked === undefined) return shell ? {} : undefined;
  if (typeof exec === "object") return exec.commands.includes(asked) ? { command: asked } : undefined;
  return exec ? { command: asked } : undefined;
}
