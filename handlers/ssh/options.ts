/**
 * What a node gives to SSH.
 *
 * @module
 */
import type { Identity, Logger } from "@alknet/core/handler";
import type { SshPolicy } from "./login/policy.ts";
import type { SshProgram } from "./session/served_program.ts";
import type { SubsystemStream } from "./session/subsystem.ts";

/** Who asks for a subsystem. */
export interface SubsystemClient {
  /** What it may do. */
  readonly policy: SshPolicy;
  /** Its address. */
  readonly address: string;
  /** The fingerprint of the key with which it has logged in. */
  readonly key: string;
  /** Who it is. */
  readonly identity: Identity;
  /** Tagged with its connection. */
  readonly log: Logger;
  /** Aborted when the endpoint begins to drain. */
  readonly signal: AbortSignal;
}

/** Serves a subsystem to a client until either is done. What it rejects with ends that session alone. */
export type Subsystem = (stream: SubsystemStream, client: SubsystemClient) => Promise<unknown>;

/** Options of {@linkcode ssh}. */
export interface SshOptions {
  /** Private keys of the host, in OpenSSH's format: Ed25519 first, others for old clients. */
  readonly hostKeys: readonly string[];
  /** What identities may do, by id. Who is not named has what its scopes give: `ssh:shell`, `ssh:exec`. */
  readonly policies?: Readonly<Record<string, SshPolicy>>;
  /**
   * Whether who was proven by TLS needs no key of SSH.
   *
   * @default {false}
   */
  readonly trustTlsIdentity?: boolean;
  /** What serves subsystems (RFC 4254 §6.5): `sftp`, to whose policy has a folder for it. Default: none is served. */
  readonly subsystems?: { readonly sftp?: Subsystem };
  /** Commands that the node answers itself, to everyone who has logged in: they are asked before the policy is. Default: none. */
  readonly programs?: readonly SshProgram[];
}
