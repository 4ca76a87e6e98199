/**
 * One engine process: started, connected over a private socket, listened to, and ended.
 *
 * @module
 */
import { join } from "node:path";
import { AlknetError } from "../../../errors.ts";
import type { LinkedConnection, SocketAddress } from "../../../handler/connection.ts";
import type { CertificateKeyPair } from "../../../identity/key_pair.ts";
import type { Limits } from "../../../limits/limits.ts";
import type { Ban } from "./bans.ts";
import { Bridge } from "./bridge.ts";
import { ENGINE_ARGUMENT, type EngineConfig, type FailedEvent, type RefusedEvent } from "../link/engine_config.ts";
import { readRecord, readTurns } from "../link/flight_recorder.ts";
import { type EngineMemory, offerMemory } from "../link/engine_memory.ts";
import { type Frame, jsonOf, Kind } from "../link/frames.ts";

/** What an engine reports. */
export interface EngineEvents {
  /** A connection whose handshake is complete. */
  opened(connection: LinkedConnection): void;
  /** A newcomer was refused, or a connection closed for abuse. */
  refused(event: RefusedEvent): void;
  /** So many newcomers were refused since the last report, by reason. */
  counted(refused: Readonly<Record<string, number>>): void;
}

/** Time for an engine to come up, in milliseconds; a cold start compiles its modules. */
const START_TIMEOUT = 30_000;
/** Time for an engine to end when it is told to, in milliseconds. */
const END_TIMEOUT = 1000;
/** What is kept of what an engine writes to standard error, in characters. */
const LAST_WORDS = 500;

/** A running engine. */
export class EngineProcess {
  /** Where it listens. */
  readonly address: SocketAddress;
  /** Its frames. */
  readonly bridge: Bridge;
  /** Resolves when the process is gone. */
  readonly exited: Promise<void>;
  readonly #child: Deno.ChildProcess;
  #memory: EngineMemory | undefined;
  readonly #words: { text: string };
  readonly #stopped = Promise.withResolvers<void>();
  /** When it last gave a sign of life, and what its count of turns was then. */
  #aliveAt = performance.now();
  #turns = 0;
  #suspected = false;
  #culprit: string | undefined;
  #ending = "";
  #killed = false;
  #dismissed = false;
  #endTimer: ReturnType<typeof setTimeout> | undefined;

  private constructor(
    child: Deno.ChildProcess,
    bridge: Bridge,
    address: SocketAddress,
    memory: EngineMemory | undefined,
    words: { text: string },
  ) {
    this.#child = child;
    this.bridge = bridge;
    this.address = address;
    this.#memory = memory;
    this.#words = words;
    this.exited = this.#wait();
  }

  /**
   * Starts an engine and waits until it listens. Where it does not, nothing is left of it.
   *
   * @param config How it is to run.
   * @param command The program and its first arguments.
   * @throws {AlknetError} What kept it from listening: `NO_TRANSPORT` where there is no place for its socket, or where the
   * program is no engine.
   */
  static async start(config: EngineConfig, command: string[], events: EngineEvents): Promise<EngineProcess> {
    const folder = await privateFolder();
    const offered = offerMemory();
    const { promise: ready, ...settle } = Promise.withResolvers<SocketAddress>();
    ready.catch(() => {});
    const words = { text: "" };
    let timer: ReturnType<typeof setTimeout> | undefined;
    let child: Deno.ChildProcess | undefined;
    let bridge: Bridge | undefined;
    let engine: EngineProcess | undefined;
    try {
      const path = join(folder, "s");
      using listener = listenAt(path);
      const mode = Deno.build.os === "linux" && config.udp !== "node" ? "poll" : "events";
      child = spawn([...command, path, mode, offered?.path ?? ""]);
      const heard = collect(child.stderr, words);
      timer = setTimeout(() => {
        listener.close();
        settle.reject(notUp(command, "the QUIC engine did not come up in time"));
      }, START_TIMEOUT);
      child.status.then(async (status) => {
        // What it said last, on either way, comes before the news of its end.
        await Promise.all([heard, bridge?.closed]);
        const said = words.text.trim().split("\n")[0];
        const message = `the QUIC engine ended at its start (${endingOf(status)})${said ? `: ${said}` : ""}`;
        settle.reject(bridge ? new AlknetError("ENGINE_LOST", message) : notUp(command, message));
      });
      const pipe = await Promise.race([listener.accept(), ready]) as Deno.Conn;
      bridge = new Bridge(pipe, {
        alive: () => engine?.excuse(),
        counted: events.counted,
        refused: events.refused,
        opened: ({ connection }) => events.opened(connection),
        control: (frame) => {
          if (frame.kind === Kind.STOPPED_ACCEPTING) engine!.#stopped.resolve();
          else announce(frame, settle);
        },
      }, offered?.memory.rings);
      bridge.command(Kind.CONFIG, 0, JSON.stringify(config));
      const address = await ready;
      return engine = new EngineProcess(child, bridge, address, offered?.memory, words);
    } catch (error) {
      bridge?.close();
      if (child) kill(child);
      await child?.status;
      await bridge?.closed;
      offered?.memory[Symbol.dispose]();
      throw error;
    } finally {
      clearTimeout(timer);
      // Both sides have what they met by: it goes now, because a node that is killed removes nothing.
      offered?.withdraw();
      await Deno.remove(folder, { recursive: true }).catch(() => {});
    }
  }

  /** Process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /**
   * Looks whether it hangs: for so many milliseconds its loop has not gone on and nothing has come from it. Where there is
   * no record to look into, it is asked twice: what it said may wait in the pipe, behind what this process was doing.
   */
  hangs(timeout: number): boolean {
    const turns = this.#memory ? readTurns(this.#memory.record) : 0;
    if (turns !== this.#turns) this.excuse();
    this.#turns = turns;
    if (performance.now() - this.#aliveAt < timeout) return false;
    if (this.#memory || this.#suspected) return true;
    this.#suspected = true;
    return false;
  }

  /** Takes it for alive now. */
  excuse(): void {
    this.#aliveAt = performance.now();
    this.#suspected = false;
  }

  /** Takes no newcomers; resolves once that holds, or the engine does not answer. */
  async stopAccepting(): Promise<void> {
    this.bridge.command(Kind.STOP_ACCEPTING, 0, "");
    let timer: ReturnType<typeof setTimeout> | undefined;
    // One that hangs takes nobody in either.
    const hangs = new Promise<void>((resolve) => timer = setTimeout(resolve, END_TIMEOUT));
    await Promise.race([this.#stopped.promise, this.exited, hangs]);
    clearTimeout(timer);
  }

  /** Holds to these limits of admission from now on. */
  adjustLimits(limits: Limits): void {
    this.bridge.command(Kind.LIMITS, 0, JSON.stringify(limits));
  }

  /** Shows newcomers this certificate of the public profile from now on. */
  adjustCertificate(certificate: CertificateKeyPair): void {
    this.bridge.command(Kind.CERTIFICATE, 0, JSON.stringify(certificate));
  }

  /** Refuses an address for a while. */
  ban({ address, ms }: Ban): void {
    this.bridge.command(Kind.BAN, ms, address);
  }

  /** Closes its connections and ends it, by force if it does not end soon. */
  shutDown(reason: string): void {
    this.bridge.command(Kind.SHUT_DOWN, 0, reason);
    this.#endTimer ??= setTimeout(() => this.kill(), END_TIMEOUT);
  }

  /** Ends it by force. */
  kill(): void {
    this.#killed = true;
    kill(this.#child);
  }

  /** Whether it was ended for no fault of its own. */
  get dismissed(): boolean {
    return this.#dismissed;
  }

  /** Ends it by force, for no fault of its own. */
  dismiss(): void {
    this.#dismissed = true;
    kill(this.#child);
  }

  /** After its end: the address whose packet it was working on. */
  culprit(): string | undefined {
    return this.#culprit;
  }

  /** After its end: signal or exit code, what it wrote to standard error, shortened, and what went wrong on this side. */
  lastWords(): string {
    const { fault } = this.bridge;
    const own = fault === undefined ? "" : `what it said could not be used: ${fault}`;
    return [this.#ending, own, this.#words.text.trim()].filter((part) => part !== "").join(": ");
  }

  async #wait(): Promise<void> {
    const status = await this.#child.status;
    clearTimeout(this.#endTimer);
    this.#ending = endingOf(status);
    // The last frames may still be in the socket.
    await this.bridge.closed;
    const culprit = this.#memory && readRecord(this.#memory.record);
    this.#memory?.[Symbol.dispose]();
    this.#memory = undefined;
    // Ended by others, such as the operator, a system short of memory, or a fault on this side: whose packet it had in hand
    // says nothing.
    const byOthers = status.signal === "SIGKILL" && !this.#killed || this.bridge.fault !== undefined;
    if (!byOthers) this.#culprit = culprit;
  }
}

/**
 * A folder that nobody else may look into: the key goes over a socket in it, not over arguments.
 *
 * @throws {AlknetError} `NO_TRANSPORT`.
 */
async function privateFolder(): Promise<string> {
  try {
    return await Deno.makeTempDir({ prefix: "alknet-engine-" });
  } catch (cause) {
    throw noPlace(cause);
  }
}

function listenAt(path: string): Deno.UnixListener {
  try {
    return Deno.listen({ transport: "unix", path });
  } catch (cause) {
    throw noPlace(cause);
  }
}

function noPlace(cause: unknown): AlknetError {
  const how = "TMPDIR names another folder for it";
  const message = `QUIC has no place for its engine's socket: ${(cause as Error).message}; ${how}`;
  return new AlknetError("NO_TRANSPORT", message, { cause });
}

function spawn([program, ...args]: string[]): Deno.ChildProcess {
  try {
    return new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
  } catch (cause) {
    const message = `the QUIC engine cannot be started: ${(cause as Error).message}`;
    throw new AlknetError("ENGINE_LOST", message, { cause });
  }
}

/** An engine that never came to its socket: the program may be one that is no engine when it is started as one. */
function notUp(command: readonly string[], message: string): AlknetError {
  if (!command.includes(ENGINE_ARGUMENT)) return new AlknetError("ENGINE_LOST", message);
  const how = `with ${ENGINE_ARGUMENT} as first argument this program must come to listen() or to the engine's main()`;
  return new AlknetError("NO_TRANSPORT", `${message}; ${how}`);
}

function endingOf({ code, signal }: Deno.CommandStatus): string {
  return signal ?? `exit code ${code}`;
}

/** Passes the first news of an engine on to whoever waits for it to come up. */
function announce(
  frame: Frame,
  ready: Omit<PromiseWithResolvers<SocketAddress>, "promise">,
): void {
  if (frame.kind === Kind.LISTENING) ready.resolve(jsonOf<SocketAddress>(frame.payload));
  if (frame.kind !== Kind.FAILED) return;
  const { code, message } = jsonOf<FailedEvent>(frame.payload);
  ready.reject(new AlknetError(code, message));
}

/** Keeps the end of what an engine says on standard error. */
async function collect(stderr: ReadableStream<Uint8Array>, words: { text: string }): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stderr) words.text = (words.text + decoder.decode(chunk)).slice(-LAST_WORDS);
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch { /* it has ended by itself */ }
}
