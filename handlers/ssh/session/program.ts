/**
 * Programs that a session runs: in a process group of their own, with pipes or with a terminal.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { type Account, accountOf, ownAccount } from "./account.ts";
import type { Ssh2Channel } from "../protocol/ssh2.ts";
import { holdTerminal } from "./held_terminal.ts";
import { sttyArguments } from "./terminal_modes.ts";

/** A terminal as `pty-req` asks for it (RFC 4254 §6.2). */
export interface Terminal {
  readonly term: string;
  readonly cols: number;
  readonly rows: number;
  /** Encoded (RFC 4254 §8). */
  readonly modes: Uint8Array;
}

/** What is to run. */
export interface ProgramOptions {
  /** Given to the shell; absent: the shell itself, as at a login. */
  readonly command?: string;
  /** As whom it runs; absent: the node's own user. */
  readonly user?: string;
  /** Environment of the client that was let through, and of the session. */
  readonly env: Readonly<Record<string, string>>;
  /** Absent: pipes. */
  readonly terminal?: Terminal;
}

/** A program that runs. */
export interface Program {
  /** Sends a signal to it and what it has started: `TERM`. */
  signal(name: string): void;
  /** Its client has gone: it gets SIGHUP, and nothing of what it writes is waited for. */
  hangUp(): void;
  /** The terminal's size has changed. */
  resize(cols: number, rows: number): void;
  /** Resolves when it is gone. */
  readonly ended: Promise<void>;
}

/** Signals that a client may send (RFC 4254 §6.10). */
const SIGNALS: ReadonlySet<string> = new Set([
  ...["ABRT", "ALRM", "FPE", "HUP", "ILL", "INT", "KILL", "PIPE", "QUIT", "SEGV", "TERM", "USR1", "USR2"],
]);
/** Longest and widest terminal; some programs take memory for each cell. */
const MAX_SIDE = 4096;
const DEFAULT_SIZE = { cols: 80, rows: 24 };

/**
 * Starts a program and connects it to a channel, which it ends.
 *
 * @throws {Error} It cannot run as the user that is asked for.
 */
export async function startProgram(channel: Ssh2Channel, options: ProgramOptions): Promise<Program> {
  const account = options.user === undefined ? ownAccount() : await accountOf(options.user);
  const { shell: program, home, name: username } = account;
  const env = {
    PATH: process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin",
    HOME: home,
    USER: username,
    LOGNAME: username,
    SHELL: program,
    ...process.env.LANG === undefined ? {} : { LANG: process.env.LANG },
    ...options.env,
  };
  const args = options.command === undefined ? ["-l"] : ["-c", options.command];
  return options.terminal
    ? await inTerminal(channel, account, args, env, options.terminal)
    : withPipes(channel, account, args, env);
}

function withPipes(channel: Ssh2Channel, account: Account, args: string[], env: Record<string, string>): Program {
  const { shell: program, prefix } = account;
  const [file, ...rest] = [...prefix, program, ...args];
  const child = spawn(file, rest, { env, cwd: folderOf(account), detached: true, stdio: ["pipe", "pipe", "pipe"] });
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const { stdin, stdout, stderr } = child;
  // A program that does not read its input to the end has every right to.
  stdin.on("error", () => {});
  channel.pipe(stdin);
  stdout.pipe(channel, { end: false });
  stderr.pipe(channel.stderr, { end: false });
  child.on("error", (error: Error) => {
    channel.stderr.write(`cannot run ${program}: ${error.message}\n`);
    finish(channel, 127, null);
    resolve();
  });
  let status: { code: number | null; signal: string | null } | undefined;
  let open = 2;
  let late: ReturnType<typeof setTimeout> | undefined;
  const settle = (): void => {
    // What is left in the pipes goes out before the exit status, and that before the end.
    if (!status || open > 0) return;
    clearTimeout(late);
    finish(channel, status.code, status.signal);
    resolve();
  };
  for (const output of [stdout, stderr]) {
    output.on("close", () => {
      open--;
      settle();
    });
  }
  child.on("exit", (code: number | null, signal: string | null) => {
    status = { code, signal };
    // What it left running may hold the pipes for ever; as with sshd, the session ends with the program.
    late = setTimeout(() => {
      open = 0;
      settle();
    }, LINGER);
    settle();
  });
  return {
    signal: (name) => signalGroup(child.pid, name),
    hangUp: () => {
      signalGroup(child.pid, "HUP");
      stdin.destroy();
      // Its last words are let out, or SIGPIPE would end it before it has tidied up; then no pipe is kept for it.
      for (const output of [stdout, stderr]) output.unpipe().resume();
      const cut = setTimeout(() => {
        for (const output of [stdout, stderr]) output.destroy();
      }, LINGER);
      ended.then(() => clearTimeout(cut));
    },
    resize: () => {},
    ended,
  };
}

/** Time for output that is on its way when a program has ended, in milliseconds. */
const LINGER = 500;

async function inTerminal(
  channel: Ssh2Channel,
  account: Account,
  args: string[],
  env: Record<string, string>,
  { term, cols, rows, modes }: Terminal,
): Promise<Program> {
  // Loaded with the first terminal: not every platform has its binary.
  const { spawn } = await import("@lydell/node-pty");
  const size = { cols: side(cols, DEFAULT_SIZE.cols), rows: side(rows, DEFAULT_SIZE.rows) };
  const terminal = spawn("/bin/sh", ["-c", SET_UP, ...setUp(account, modes), account.shell, ...args], {
    name: term || "dumb",
    ...size,
    cwd: folderOf(account),
    env: { ...env, TERM: term || "dumb" },
    encoding: null,
  });
  const letGo = holdTerminal(terminal);
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  terminal.onData((data: string | Uint8Array) => {
    if (channel.destroyed || channel.write(data)) return;
    terminal.pause();
    channel.once("drain", () => terminal.resume());
  });
  channel.on("data", (data: Buffer) => terminal.write(data as unknown as string));
  terminal.onExit(({ exitCode, signal }: { exitCode: number; signal?: number }) => {
    finish(channel, signal ? null : exitCode, signal ? nameOf(signal) : null);
    resolve();
  });
  let over = false;
  ended.then(() => over = true);
  return {
    signal: (name) => signalGroup(terminal.pid, name),
    hangUp: () => {
      letGo();
      signalGroup(terminal.pid, "HUP");
      if (!over) (terminal as unknown as { destroy(): void }).destroy();
    },
    resize: (cols, rows) => {
      if (!over) terminal.resize(side(cols, size.cols), side(rows, size.rows));
    },
    ended,
  };
}

/**
 * What happens in a terminal before the program starts: it becomes the user's, and gets the client's modes. Words of stty
 * that a system does not know cost the others nothing.
 */
const SET_UP = `
if [ -n "$1" ]; then chown "$1" "$(tty)"; fi
if [ -n "$2" ]; then stty $2 2>/dev/null || for word in $2; do stty "$word" 2>/dev/null; done; fi
shift 2
exec "$@"`;

/** Arguments of {@linkcode SET_UP}, from its own name to the user's prefix. */
function setUp({ uid, prefix }: Account, modes: Uint8Array): string[] {
  return ["alknet", uid === undefined ? "" : `${uid}`, sttyArguments(modes).join(" "), ...prefix];
}

/** The user's home; where there is none, the root, as with sshd. */
function folderOf({ home }: Account): string {
  return existsSync(home) ? home : "/";
}

/** RFC 4254 §6.10: how it ended, then the end. */
function finish(channel: Ssh2Channel, code: number | null, signal: string | null): void {
  if (channel.destroyed) return;
  if (signal === null) channel.exit(code ?? 255);
  else channel.exit(signal.replace(/^SIG/, ""), false, "");
  channel.end();
  channel.resume();
}

function signalGroup(pid: number | undefined, name: string): void {
  if (pid === undefined || !SIGNALS.has(name)) return;
  try {
    process.kill(-pid, `SIG${name}`);
  } catch { /* it has gone */ }
}

function side(wanted: number, otherwise: number): number {
  return wanted > 0 ? Math.min(wanted, MAX_SIDE) : otherwise;
}

/** Numbers of signals on Linux and macOS that end programs; others are reported by number. */
function nameOf(signal: number): string {
  const names: Readonly<Record<number, string>> = {
    ...{ 1: "HUP", 2: "INT", 3: "QUIT", 4: "ILL", 6: "ABRT", 8: "FPE", 9: "KILL", 11: "SEGV", 13: "PIPE" },
    ...{ 14: "ALRM", 15: "TERM" },
  };
  return names[signal] ?? `${signal}`;
}
