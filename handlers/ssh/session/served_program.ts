/**
 * Programs that are served within the node, without a process and without a shell: the commands of other handlers.
 *
 * @module
 */
import { foreign, type Identity, type IdentityProvider, type Logger } from "@alknet/core/handler";
import type { Ssh2Channel } from "../protocol/ssh2.ts";
import { streamsOf } from "./channel_streams.ts";
import type { Program } from "./program.ts";
import { wordsOf } from "./words.ts";

/** What a program reads and writes. */
export interface SshProgramStreams {
  /** What the client sends. It ends where the client ends it, and errors when the client disappears. */
  readonly stdin: ReadableStream<Uint8Array>;
  /** What the client is sent: a write is done when the client's window has taken it. Its end goes out with the exit code. */
  readonly stdout: WritableStream<Uint8Array>;
  /** The same for standard error. */
  readonly stderr: WritableStream<Uint8Array>;
}

/** For whom a program runs. */
export interface SshProgramContext {
  /** Who has logged in. */
  readonly identity?: Identity;
  /** Variables that the client has set, as far as they were let through: `GIT_PROTOCOL`, `LANG`. */
  readonly env: Record<string, string>;
  /** Aborted when the client has gone, or has sent a signal that ends programs. */
  readonly signal: AbortSignal;
  /** Aborted when the node begins to shut down: what was asked is still answered, and nothing else is waited for. */
  readonly draining: AbortSignal;
  /** Tagged with the connection. */
  readonly log: Logger;
  /** Says whose a key is. */
  readonly identityProvider: IdentityProvider;
}

/** A command that the node itself answers. */
export interface SshProgram {
  /** What messages call it. */
  readonly name: string;
  /**
   * Whether a command is one of its own. It is asked before the policy of the identity is, and decides by itself who may
   * do what.
   *
   * @param command Its words; at least one.
   */
  matches(command: readonly string[], identity?: Identity): boolean;
  /**
   * Answers a command. What it rejects with is logged, and costs the client an exit code of 255.
   *
   * @returns The exit code, 0 to 255.
   */
  run(command: readonly string[], streams: SshProgramStreams, context: SshProgramContext): Promise<number>;
}

/** A program, and the words of the command that is its. */
export interface ProgramCall {
  readonly program: SshProgram;
  readonly command: readonly string[];
}

/** Exit code of what failed, and of what gives none. */
const FAILED = 255;
/** Signals that end programs; others say nothing to one that is no process. */
const ENDING: ReadonlySet<string> = new Set(["HUP", "INT", "KILL", "PIPE", "QUIT", "TERM"]);

/** The first program whose command it is. A line that has no words is no program's. Throws what `matches` throws. */
export function programFor(
  programs: readonly SshProgram[],
  line: string,
  identity: Identity | undefined,
): ProgramCall | undefined {
  if (programs.length === 0) return;
  const command = wordsOf(line);
  if (!command || command.length === 0) return;
  const program = programs.find((one) => one.matches(command, identity));
  return program && { program, command };
}

/** Runs a program on a channel, which it ends. */
export function startServedProgram(
  channel: Ssh2Channel,
  { program, command }: ProgramCall,
  context: Omit<SshProgramContext, "signal">,
): Program {
  channel.on("error", () => {});
  const aborting = new AbortController();
  const { readable: stdin, writable: stdout, stderr, flushed, passOver, cut } = streamsOf(channel);
  const answer = async (): Promise<number> => {
    try {
      return await program.run(command, { stdin, stdout, stderr }, { ...context, signal: aborting.signal });
    } catch (error) {
      if (aborting.signal.aborted) return FAILED;
      const { name } = program;
      const message = foreign(String((error as Error | undefined)?.message));
      context.log.error("the program {name} failed: {message}", { name, message });
      await new Promise((resolve) => channel.stderr.write(`${name}: failed at the node\n`, resolve));
      return FAILED;
    }
  };
  const run = async (): Promise<void> => {
    const code = await answer();
    await flushed();
    passOver();
    if (channel.destroyed) return;
    channel.exit(Number.isInteger(code) && code >= 0 && code <= FAILED ? code : FAILED);
    channel.end();
  };
  return {
    signal: (name) => {
      if (ENDING.has(name)) aborting.abort(new Error(`the client has sent ${name}`));
    },
    hangUp: () => {
      aborting.abort(new Error("the client has gone"));
      cut();
    },
    resize: () => {},
    ended: run(),
  };
}
