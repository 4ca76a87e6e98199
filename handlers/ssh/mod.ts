/**
 * SSH (RFC 4251 to 4254) over the first stream of any connection.
 *
 * Participants: an SSH client such as OpenSSH's behind `alknet dial`, and this node. Messages: those of SSH, by the package
 * `ssh2`. Identity: a public key that the configuration knows, or the one that TLS has proven. Nothing is stored.
 *
 * @example A command that the node answers itself: `ssh NODE count-bytes < file`
 * ```ts
 * import type { SshProgram } from "@alknet/handlers/ssh";
 *
 * // For the `programs` of `ssh()`.
 * const countBytes: SshProgram = {
 *   name: "count-bytes",
 *   matches: (command, identity) => command[0] === "count-bytes" && identity !== undefined,
 *   async run(_command, { stdin, stdout }) {
 *     let count = 0;
 *     for await (const { length } of stdin) count += length;
 *     await stdout.getWriter().write(new TextEncoder().encode(`${count}\n`));
 *     return 0;
 *   },
 * };
 * console.assert(countBytes.matches(["count-bytes"], { id: "ada", scopes: [], resources: {} }));
 * ```
 *
 * @module
 */
import { defineHandler, type Handler } from "@alknet/core/handler";
import { Destinations } from "./forwarding/destinations.ts";
import { Admission } from "./login/admission.ts";
import type { SshOptions } from "./options.ts";
import { ssh2, type Ssh2Peer } from "./protocol/ssh2.ts";
import { serve } from "./serve.ts";

export type { SshPolicy } from "./login/policy.ts";
export type { SshOptions, Subsystem, SubsystemClient } from "./options.ts";
export type { SshProgram, SshProgramContext, SshProgramStreams } from "./session/served_program.ts";
export type { SubsystemStream } from "./session/subsystem.ts";

/** The protocol's name on the wire. */
export const SSH_ALPN = "alknet/ssh";

/** What `ssh-audit` has nothing against, as far as ssh2 has it. chacha20 is the fastest here. */
const ALGORITHMS = {
  kex: [
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
  ],
  cipher: ["chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes128-gcm@openssh.com"],
  hmac: ["hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com"],
  compress: ["none"],
} as const;

/**
 * The SSH handler.
 *
 * @throws {RangeError} A policy names a destination that cannot be read, or files for who runs programs as another user.
 * @throws {Error} A host key cannot be read.
 */
export function ssh(options: SshOptions): Handler<readonly [typeof SSH_ALPN]> {
  for (const [id, { forward = [], listen = [], sftp, user }] of Object.entries(options.policies ?? {})) {
    new Destinations([...forward, ...listen]);
    if (sftp && user !== undefined) {
      throw new RangeError(
        `policies.${id} has both sftp and user: files are served as the node's own user, so leave out one`,
      );
    }
  }
  const server = new ssh2.Server({ hostKeys: options.hostKeys, algorithms: ALGORITHMS, ident: "Alknet" });
  const arriving = new Map<string, (peer: Ssh2Peer) => void>();
  server.on("connection", (peer: Ssh2Peer, { ip }: { ip: string }) => arriving.get(ip)?.(peer));
  const admission = new Admission();
  return defineHandler({
    alpns: [SSH_ALPN],
    description: "shells, commands, forwarding",
    async handle(connection, context) {
      const admitted = admission.admit();
      if (!admitted) {
        const { hostname: src } = connection.remoteAddress;
        context.log.warn("dropped src={src} reason={reason}", { src, reason: "too-many-logins" });
        return;
      }
      try {
        await serve({ connection, context, server, options, arriving, admitted });
      } finally {
        admitted();
        arriving.delete(connection.id);
      }
    },
  });
}
