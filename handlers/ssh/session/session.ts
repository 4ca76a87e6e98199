/**
 * A session channel (RFC 4254 §6): environment, terminal, one program, its signals.
 *
 * @module
 */
import type { EventEmitter } from "node:events";
import { boundOutput } from "../protocol/channel_output.ts";
import { commandFor, type SshPolicy } from "../login/policy.ts";
import { type Program, startProgram, type Terminal } from "./program.ts";
import type { Ssh2Channel } from "../protocol/ssh2.ts";
import { programFor, type SshProgram, type SshProgramContext, startServedProgram } from "./served_program.ts";
import { startSubsystem, type SubsystemServer } from "./subsystem.ts";

/** What a client may set of a program's environment. */
const ENVIRONMENT = /^(?:LANG|LC_[A-Z_]+|COLORTERM|TERM_PROGRAM|TERM_PROGRAM_VERSION|GIT_PROTOCOL|NO_COLOR)$/;
/** Values are lines. */
const MAX_VALUE = 4096;
const MAX_VARIABLES = 64;

/** Options of {@linkcode serveSession}. */
export interface SessionOptions {
  /** What its client may do. */
  readonly policy: SshPolicy;
  /** Variables of every program of the session. */
  readonly env: Readonly<Record<string, string>>;
  /** Modes of the terminal that was asked for last, encoded. */
  readonly terminalModes: () => Uint8Array;
  /** Subsystems that its client may use, by name. */
  readonly subsystems: ReadonlyMap<string, SubsystemServer>;
  /** Programs of the node, which are asked before the policy is. */
  readonly programs: readonly SshProgram[];
  /** For whom they run. */
  readonly client: Pick<SshProgramContext, "identity" | "log" | "draining" | "identityProvider">;
  /** Told of a refusal, in a few words. */
  readonly refused: (what: string) => void;
  /** Told of each program. */
  readonly started: (program: Program) => void;
}

type Answer = (() => void) | undefined;

/** Serves the requests of a session. */
export function serveSession(session: EventEmitter, options: SessionOptions): void {
  const env: Record<string, string> = {};
  let terminal: Terminal | undefined;
  let program: Promise<Program> | undefined;

  session.on("env", (accept: Answer, reject: Answer, { key, val }: { key: string; val: string }) => {
    const fits = ENVIRONMENT.test(key) && val.length <= MAX_VALUE && !val.includes("\0");
    if (!fits || Object.keys(env).length >= MAX_VARIABLES) return reject?.();
    env[key] = val;
    accept?.();
  });
  session.on("pty", (accept: Answer, reject: Answer, asked: Terminal) => {
    if (!options.policy.shell && !options.policy.exec) return reject?.();
    const { cols, rows } = asked;
    const term = /^[\w.+-]{0,64}$/.test(asked.term) ? asked.term : "dumb";
    terminal = { term, cols, rows, modes: options.terminalModes() };
    accept?.();
  });
  session.on("window-change", (accept: Answer, _reject: Answer, { cols, rows }: Terminal) => {
    if (terminal) terminal = { ...terminal, cols, rows };
    program?.then((running) => running.resize(cols, rows));
    accept?.();
  });
  session.on("signal", (accept: Answer, _reject: Answer, { name }: { name: string }) => {
    program?.then((running) => running.signal(name));
    accept?.();
  });
  session.on("shell", (accept: () => Ssh2Channel, reject: Answer) => run(accept, reject, undefined));
  session.on("exec", (accept: () => Ssh2Channel, reject: Answer, { command }: { command: string }) => {
    const call = programFor(options.programs, command, options.client.identity);
    if (!call) return run(accept, reject, command);
    const running = startServedProgram(boundOutput(accept()), call, { ...options.client, env });
    program = Promise.resolve(running);
    watch(running);
  });
  session.on("subsystem", (accept: () => Ssh2Channel, reject: Answer, { name }: { name: string }) => {
    const serve = options.subsystems.get(name);
    if (!serve) {
      options.refused(name === "sftp" ? name : "subsystem");
      return reject?.();
    }
    const running = startSubsystem(boundOutput(accept()), serve);
    program = Promise.resolve(running);
    watch(running);
  });

  /** A client that disappears hangs up on what it has started. */
  function watch(running: Program): void {
    options.started(running);
    const gone = (): void => running.hangUp();
    session.once("close", gone);
    running.ended.then(() => session.off("close", gone));
  }

  function run(accept: () => Ssh2Channel, reject: Answer, asked: string | undefined): void {
    const allowed = commandFor(options.policy, asked);
    if (!allowed) {
      options.refused(asked === undefined ? "shell" : "command");
      return reject?.();
    }
    const channel = boundOutput(accept());
    const { command } = allowed;
    const isForced = asked !== undefined && command !== asked;
    const whole = { ...env, ...options.env, ...isForced ? { SSH_ORIGINAL_COMMAND: asked } : {} };
    channel.on("error", () => {});
    const { user } = options.policy;
    // Not the channel's own `close`: that one waits until everything has been read.
    let left = false;
    session.once("close", () => left = true);
    program = startProgram(channel, { command, env: whole, terminal, user });
    program.then((running) => {
      watch(running);
      if (left) running.hangUp();
    }, (error: Error) => {
      options.refused("user");
      channel.stderr.write(`cannot run: ${error.message}\r\n`);
      channel.exit(127);
      channel.end();
    });
  }
}
