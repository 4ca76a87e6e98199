/**
 * The grammar of the command: one declaration that gives parsing, help, suggestions and completions.
 *
 * @module
 */
import { group, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { suggestSync } from "@optique/core/parser";
import { findSimilar } from "@optique/core/suggestion";
import { run } from "@optique/run";
import type { Action } from "./grammar/action.ts";
import manifest from "./deno.json" with { type: "json" };
import { authorizeCommand } from "./commands/authorize.ts";
import { blobCommand } from "./commands/blob.ts";
import { callCommand } from "./commands/call.ts";
import { dialCommand } from "./commands/dial.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { gitCommand } from "./commands/git.ts";
import { importCommand } from "./commands/import.ts";
import { idCommand } from "./commands/id.ts";
import { initCommand } from "./commands/init.ts";
import { opsCommand } from "./commands/ops.ts";
import { pingCommand } from "./commands/ping.ts";
import { runCommand } from "./commands/run.ts";
import { serveCommand } from "./commands/serve.ts";
import { sshConfigCommand } from "./commands/ssh_config.ts";
import { subscribeCommand } from "./commands/subscribe.ts";
import { tensorCommand } from "./commands/tensor.ts";
import { tokenCommand } from "./commands/token.ts";
import { tunnelCommand } from "./commands/tunnel.ts";
import { vaultCommand } from "./commands/vault.ts";
import { behindTheCommand } from "./grammar/global_options.ts";
import { ExitCode, note, oneLine } from "./terminal/output.ts";

const COMMANDS = or(
  group("A node", or(serveCommand, initCommand, idCommand, doctorCommand)),
  group("Keys and credentials", vaultCommand),
  group("Files of tensors", tensorCommand),
  group("Who may do what", or(authorizeCommand, tokenCommand)),
  group("Reaching nodes", or(pingCommand, dialCommand, tunnelCommand, sshConfigCommand)),
  group("Operations", or(opsCommand, callCommand, subscribeCommand, importCommand)),
  group("Repositories", gitCommand),
  group("Files by hash", blobCommand),
  group("Guests", runCommand),
);

/** What Optique says of a word that it does not expect there, and what it would have expected. */
const MISTAKE = /^(Unexpected option or (?:subcommand|argument): ["`](.+?)["`]\.)( Did you mean .*)?$/;

/**
 * Reads a command line. Help, version, completions and mistakes end the process: the first three with 0, a mistake with
 * one line and 2.
 */
export function parseCommandLine(line: readonly string[]): Action {
  const args = behindTheCommand(line);
  return run(COMMANDS, {
    programName: "alknet",
    // Without arguments: help, not a complaint.
    args: args.length === 0 ? ["--help"] : args,
    brief: message`Alknet: one port, every protocol by its ALPN.`,
    help: { option: { names: ["-h", "--help"] }, command: true },
    version: { value: manifest.version, option: true },
    completion: { command: { names: ["completions"] } },
    aboveError: "none",
    errorExitCode: ExitCode.USAGE,
    stderr: (text) => note(`alknet: ${withHint(oneLine(text).replace(/^Error: /, ""), args)}`),
    showChoices: true,
    termWidth: "auto",
    commandList: "top-level",
    usageLine: [{ type: "ellipsis" }],
  });
}

/**
 * A mistake, and what to do about it. Optique suggests from the first words of all commands, which is right for the first
 * word alone; a later one is compared with what could have been completed there.
 */
function withHint(complaint: string, args: readonly string[]): string {
  const [, mistake, wrong, suggestion] = MISTAKE.exec(complaint) ?? [undefined, complaint];
  const at = wrong === undefined ? -1 : args.indexOf(wrong);
  if (suggestion !== undefined && at <= 0) return complaint;
  const similar = at < 0 ? [] : findSimilar(args[at], completions(args.slice(0, at), args[at]), { maxSuggestions: 1 });
  if (similar.length > 0) return `${mistake} Did you mean \`${similar[0]}\`?`;
  return complaint.includes("Did you mean") && suggestion === undefined
    ? complaint
    : `${mistake} Try: ${helpLine(args)}`;
}

function completions(before: readonly string[], wrong: string): string[] {
  const stub = wrong.startsWith("--") ? "--" : "";
  const [first = stub, ...rest] = [...before, stub];
  return suggestSync(COMMANDS, [first, ...rest]).flatMap((one) => one.kind === "literal" ? [one.text] : []);
}

function helpLine(args: readonly string[]): string {
  const known = completions([], "");
  return known.includes(args[0]) ? `alknet ${args[0]} --help` : "alknet --help";
}
