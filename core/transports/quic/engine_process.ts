/**
 * One engine process: started, connected over a private socket, listened to, and ended.
 *
 * @module
 */
import { join } from "node:path";
import { AlknetError } from "../../errors.ts";
import type { LinkedConnection, SocketAddress } from "../../handler/connection.ts";
import type { Limits } from "../../limits/limits.ts";
import type { Ban } from "./bans.ts";
import { Bridge } from "./bridge.ts";
import type { EngineConfig, FailedEvent, RefusedEvent } from "./engine_config.ts";
import { readRecord, RECORD_SIZE } from "./engine/flight_recorder.ts";
import { hasLibc, mapShared, memoryFile, type SharedMap } from "./engine/libc.ts";
import { type Frame, jsonOf, Kind } from "./frames.ts";
import { SHARED_SIZE } from "./shared_ring.ts";

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
  /** When it last gave a sign of life, by `performance.now`. */
  aliveAt: number = performance.now();
  readonly #child: Deno.ChildProcess;
  readonly #record: Deno.FsFile | undefined;
  readonly #words: { text: string };
  readonly #stopped = Promise.withResolvers<void>();
  #culprit: string | undefined;
  #killed = false;
  #dismissed = false;
  #endTimer: ReturnType<typeof setTimeout> | undefined;

  private constructor(
    child: Deno.ChildProcess,
    bridge: Bridge,
    address: SocketAddress,
    record: Deno.FsFile | undefined,
    words: { text: string },
  ) {
    this.#child = child;
    this.bridge = bridge;
    this.address = address;
    this.#record = record;
    this.#words = words;
    this.exited = this.#wait();
  }

  /**
   * Starts an engine and waits until it listens.
   *
   * @param config How it is to run.
   * @param command The program and its first arguments.
   * @throws {AlknetError} What kept it from listening.
   */
  static async start(config: EngineConfig, command: string[], events: EngineEvents): Promise<EngineProcess> {
    // Nobody else may look in: the folder is the owner's alone, and the key goes over the socket, not over arguments.
    const folder = await Deno.makeTempDir({ prefix: "alknet-engine-" });
    const path = join(folder, "s");
    using listener = Deno.listen({ transport: "unix", path });
    const mode = Deno.build.os === "linux" && config.udp !== "node" ? "poll" : "events";
    const shared = mode === "poll" ? offerMemory() : undefined;
    const [program, ...args] = [...command, path, join(folder, "record"), mode, shared?.path ?? ""];
    const child = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
    const words = { text: "" };
    const heard = collect(child.stderr, words);
    const ready = Promise.withResolvers<SocketAddress>();
    ready.promise.catch(() => {});
    let engine: EngineProcess | undefined;
    const timer = setTimeout(() => {
      listener.close();
      ready.reject(new AlknetError("ENGINE_LOST", "the QUIC engine did not come up in time"));
    }, START_TIMEOUT);
    let bridge: Bridge | undefined;
    child.status.then(async ({ code, signal }) => {
      // What it said last, on either way, comes before the news of its end.
      await Promise.all([heard, bridge?.closed]);
      const how = signal ?? `exit code ${code}`;
      const said = words.text.trim().split("\n")[0];
      ready.reject(
        new AlknetError("ENGINE_LOST", `the QUIC engine ended at its start (${how})${said ? `: ${said}` : ""}`),
      );
    });
    try {
      const pipe = await Promise.race([listener.accept(), ready.promise]) as Deno.Conn;
      bridge = new Bridge(pipe, {
        alive: (refused) => {
          if (engine) engine.aliveAt = performance.now();
          events.counted(refused);
        },
        refused: events.refused,
        opened: ({ connection }) => events.opened(connection),
        control: (frame) => {
          if (frame.kind === Kind.STOPPED_ACCEPTING) engine!.#stopped.resolve();
          else announce(frame, ready);
        },
      }, shared?.map);
      bridge.command(Kind.CONFIG, 0, JSON.stringify(config));
      const address = await ready.promise;
      // Both sides have what was in the folder: it goes now, because a node that is killed removes nothing.
      const record = await Deno.open(join(folder, "record")).catch(() => undefined);
      await Deno.remove(folder, { recursive: true });
      return engine = new EngineProcess(child, bridge, address, record, words);
    } catch (error) {
      bridge?.close();
      kill(child);
      await child.status;
      await Deno.remove(folder, { recursive: true }).catch(() => {});
      throw error;
    } finally {
      clearTimeout(timer);
      shared?.close();
      if (!bridge) shared?.map.unmap();
    }
  }

  /** Process id. */
  get pid(): number {
    return this.#child.pid;
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

  /** After its end: what it wrote to standard error, shortened. */
  lastWords(): string {
    return this.#words.text.trim();
  }

  async #wait(): Promise<void> {
    const { signal } = await this.#child.status;
    clearTimeout(this.#endTimer);
    // The last frames may still be in the socket.
    await this.bridge.closed;
    const culprit = this.#record && await culpritOf(this.#record);
    // Killed by others, such as the operator or a system short of memory: whose packet it had in hand says nothing.
    if (signal !== "SIGKILL" || this.#killed) this.#culprit = culprit;
  }
}

/** Memory to share with an engine, where the system has it; without it everything goes over the socket. */
function offerMemory(): { path: string; map: SharedMap; close(): void } | undefined {
  if (!hasLibc()) return undefined;
  const file = memoryFile("alknet-engine");
  try {
    return { path: file.path, map: mapShared(file.path, SHARED_SIZE), close: () => file.close() };
  } catch {
    file.close();
  }
}

/** Passes the first news of an engine on to whoever waits for it to come up. */
function announce(frame: Frame, ready: PromiseWithResolvers<SocketAddress>): void {
  if (frame.kind === Kind.LISTENING) ready.resolve(jsonOf<SocketAddress>(frame.payload));
  if (frame.kind !== Kind.FAILED) return;
  const { code, message } = jsonOf<FailedEvent>(frame.payload);
  ready.reject(new AlknetError(code, message));
}

async function culpritOf(record: Deno.FsFile): Promise<string | undefined> {
  using file = record;
  const bytes = new Uint8Array(RECORD_SIZE);
  await file.read(bytes);
  return readRecord(bytes);
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
