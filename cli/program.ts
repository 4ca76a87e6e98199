/**
 * From a command line to what is to be done: parsing, help, suggestions and completions.
 *
 * @module
 */
import { or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { suggestSync } from "@optique/core/parser";
import { findSimilar } from "@optique/core/suggestion";
import { run } from "@optique/run";
import type { Action, Command } from "./grammar/action.ts";
import manifest from "./deno.json" with { type: "json" };
import { withWholeWords } from "./grammar/bash_completion.ts";
import { behindTheCommand } from "./grammar/global_options.ts";
import { ExitCode, note, oneLine, writeText } from "./terminal/output.ts";

/** Commands by their first word. Each is loaded for itself alone: what the others take to start, it does not. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  authorize: async () => (await import("./commands/access/authorize.ts")).authorizeCommand,
  blob: async () => (await import("./commands/blob.ts")).blobCommand,
  call: async () => (await import("./commands/operations/call.ts")).callCommand,
  compute: async () => (await import("./commands/compute.ts")).computeCommand,
  dial: async () => (await import("./commands/reaching/dial.ts")).dialCommand,
  dns: async () => (await import("./commands/dns.ts")).dnsCommand,
  doctor: async () => (await import("./commands/node/doctor.ts")).doctorCommand,
  fs: async () => (await import("./commands/fs.ts")).fsCommand,
  git: async () => (await import("./commands/git.ts")).gitCommand,
  gpu: async () => (await import("./commands/gpu.ts")).gpuCommand,
  id: async () => (await import("./commands/node/id.ts")).idCommand,
  import: async () => (await import("./commands/operations/import.ts")).importCommand,
  init: async () => (await import("./commands/node/init.ts")).initCommand,
  msg: async () => (await import("./commands/msg.ts")).msgCommand,
  ops: async () => (await import("./commands/operations/ops.ts")).opsCommand,
  ping: async () => (await import("./commands/reaching/ping.ts")).pingCommand,
  publish: async () => (await import("./commands/node/publish.ts")).publishCommand,
  repl: async () => (await import("./commands/repl.ts")).replCommand,
  run: async () => (await import("./commands/run.ts")).runCommand,
  serve: async () => (await import("./commands/node/serve.ts")).serveCommand,
  "ssh-config": async () => (await import("./commands/reaching/ssh_config.ts")).sshConfigCommand,
  subscribe: async () => (await import("./commands/operations/subscribe.ts")).subscribeCommand,
  tensor: async () => (await import("./commands/tensor.ts")).tensorCommand,
  token: async () => (await import("./commands/access/token.ts")).tokenCommand,
  tunnel: async () => (await import("./commands/reaching/tunnel.ts")).tunnelCommand,
  vault: async () => (await import("./commands/vault.ts")).vaultCommand,
};

/** What Optique says of a word that it does not expect there, and what it would have expected. */
const MISTAKE = /^(Unexpected option or (?:subcommand|argument): ["`](.+?)["`]\.)( Did you mean .*)?$/;

/**
 * Reads a command line. Help, version, completions and mistakes end the process: the first three with 0, a mistake with
 * one line and 2.
 */
export async function parseCommandLine(line: readonly string[]): Promise<Action> {
  const args = behindTheCommand(line);
  const grammar = await grammarFor(args);
  return run(grammar, {
    programName: "alknet",
    // Without arguments: help, not a complaint.
    args: args.length === 0 ? ["--help"] : args,
    brief: message`Alknet: one port, every protocol by its ALPN.`,
    help: { option: { names: ["-h", "--help"] }, command: true },
    version: { value: manifest.version, option: true },
    completion: { command: { names: ["completions"] } },
    aboveError: "none",
    stdout: (text) => writeText(`${isScriptFor("bash", args) ? withWholeWords(text) : text}\n`),
    errorExitCode: ExitCode.USAGE,
    stderr: (text) => note(`alknet: ${withHint(oneLine(text).replace(/^Error: /, ""), args, grammar)}`),
    showChoices: true,
    termWidth: "auto",
    commandList: "top-level",
    usageLine: [{ type: "ellipsis" }],
  });
}

/** Whether a shell's script is asked for, and not what may follow on a line. */
function isScriptFor(shell: string, args: readonly string[]): boolean {
  return args.length === 2 && args[0] === "completions" && args[1] === shell;
}

/** The grammar of the command that is meant; where none is, that of all. */
async function grammarFor([first]: readonly string[]): Promise<Command> {
  // Any command will do to say the version.
  const name = first === "--version" ? "id" : first;
  // Mistakes read alike where one command stands among others, be it alone.
  if (name !== undefined && Object.hasOwn(COMMANDS, name)) return or(await COMMANDS[name]());
  return (await import("./every_command.ts")).EVERY_COMMAND;
}

/**
 * A mistake, and what to do about it. Optique suggests from the first words of all commands, which is right for the first
 * word alone; a later one is compared with what could have been completed there.
 */
function withHint(complaint: string, args: readonly string[], grammar: Command): string {
  const [, mistake, wrong, suggestion] = MISTAKE.exec(complaint) ?? [undefined, complaint];
  const at = wrong === undefined ? -1 : args.indexOf(wrong);
  if (suggestion !== undefined && at <= 0) return complaint;
  const similar = at < 0
    ? []
    : findSimilar(args[at], completions(grammar, args.slice(0, at), args[at]), { maxSuggestions: 1 });
  if (similar.length > 0) return `${mistake} Did you mean \`${similar[0]}\`?`;
  return complaint.includes("Did you mean") && suggestion === undefined
    ? complaint
    : `${mistake} Try: ${helpLine(args)}`;
}

function completions(grammar: Command, before: readonly string[], wrong: string): string[] {
  const stub = wrong.startsWith("--") ? "--" : "";
  const [first = stub, ...rest] = [...before, stub];
  return suggestSync(grammar, [first, ...rest]).flatMap((one) => one.kind === "literal" ? [one.text] : []);
}

function helpLine([first]: readonly string[]): string {
  return first !== undefined && Object.hasOwn(COMMANDS, first) ? `alknet ${first} --help` : "alknet --help";
}
