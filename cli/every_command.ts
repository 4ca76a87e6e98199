/**
 * Every command, for help, completions and words that are none.
 *
 * @module
 */
import { group, or } from "@optique/core/constructs";
import type { Command } from "./grammar/action.ts";
import { authorizeCommand } from "./commands/access/authorize.ts";
import { blobCommand } from "./commands/blob.ts";
import { callCommand } from "./commands/operations/call.ts";
import { computeCommand } from "./commands/compute.ts";
import { dialCommand } from "./commands/reaching/dial.ts";
import { dnsCommand } from "./commands/dns.ts";
import { doctorCommand } from "./commands/node/doctor.ts";
import { fsCommand } from "./commands/fs.ts";
import { gitCommand } from "./commands/git.ts";
import { gpuCommand } from "./commands/gpu.ts";
import { importCommand } from "./commands/operations/import.ts";
import { idCommand } from "./commands/node/id.ts";
import { initCommand } from "./commands/node/init.ts";
import { msgCommand } from "./commands/msg.ts";
import { opsCommand } from "./commands/operations/ops.ts";
import { pingCommand } from "./commands/reaching/ping.ts";
import { publishCommand } from "./commands/node/publish.ts";
import { replCommand } from "./commands/repl.ts";
import { runCommand } from "./commands/run.ts";
import { serveCommand } from "./commands/node/serve.ts";
import { sshConfigCommand } from "./commands/reaching/ssh_config.ts";
import { subscribeCommand } from "./commands/operations/subscribe.ts";
import { tensorCommand } from "./commands/tensor.ts";
import { tokenCommand } from "./commands/access/token.ts";
import { tunnelCommand } from "./commands/reaching/tunnel.ts";
import { vaultCommand } from "./commands/vault.ts";

/** The whole grammar. */
export const EVERY_COMMAND: Command = or(
  group("A node", or(serveCommand, initCommand, idCommand, doctorCommand)),
  group("Keys and credentials", vaultCommand),
  group("Files of tensors", tensorCommand),
  group("Who may do what", or(authorizeCommand, tokenCommand)),
  group("Reaching nodes", or(pingCommand, dialCommand, tunnelCommand, sshConfigCommand)),
  group("Operations", or(opsCommand, callCommand, subscribeCommand, importCommand)),
  group("Repositories", gitCommand),
  group("Files by hash", or(fsCommand, blobCommand)),
  group("Messages", msgCommand),
  group("Names", or(dnsCommand, publishCommand)),
  group("Guests", or(runCommand, replCommand)),
  group("Computing", or(computeCommand, gpuCommand)),
);
