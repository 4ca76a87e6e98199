/**
 * The engine process: owns the UDP socket and all state of quiche, and serves one node over a private socket.
 *
 * On Linux it is one loop that sleeps in `poll` on the two sockets, in the one thread there is: nothing else is to be
 * done here, and no other way of waiting is as short. Elsewhere the same parts run on the event loop.
 *
 * @module
 */
import { AlknetError } from "../../../errors.ts";
import { Gate } from "../../../limits/gate.ts";
import type { SocketAddress } from "../../../handler/connection.ts";
import type { CertificateKeyPair } from "../../../identity/key_pair.ts";
import type { Limits } from "../../../limits/limits.ts";
import { type EngineConfig, HEARTBEAT_INTERVAL } from "../link/engine_config.ts";
import { acceptMemory } from "../link/engine_memory.ts";
import { type Frame, FrameReader, FrameWriter, jsonOf, Kind } from "../link/frames.ts";
import { ringsOf } from "../link/shared_ring.ts";
import { loadQuiche } from "./binding.ts";
import { EngineBridge, type EngineControl } from "./engine_bridge.ts";
import { FlightRecorder } from "../link/flight_recorder.ts";
import { dieWithParent } from "../linux/calls.ts";
import { hasLibc } from "../linux/call_table.ts";
import { connectPipe, type Pipe } from "./pipe.ts";
import { QuicSocket } from "./socket.ts";
import { bindUdp } from "./udp/udp.ts";
import type { UdpSocket } from "./udp/udp_socket.ts";

/** Options of {@linkcode main}, for tests that break the engine. */
export interface EngineOptions {
  /** Sees each datagram first. */
  readonly tap?: (datagram: Uint8Array, from: SocketAddress) => void;
}

/** Frames that may wait for the node before no more packets are read: a stalled node is not to fill the memory. */
const MAX_BACKLOG = 64 * 1024 * 1024;

/**
 * Runs an engine until its node ends or tells it to.
 *
 * @param args Path of the node's socket, how to wait, path of memory to share.
 */
export async function main(args: readonly string[], options: EngineOptions = {}): Promise<void> {
  const [socketPath, mode, memoryPath = ""] = args;
  surviveTerminal();
  if (hasLibc()) dieWithParent();
  const pipe = await connectPipe(socketPath, mode === "poll" ? "poll" : "events");
  const memory = acceptMemory(memoryPath);
  const engine = new Engine(pipe, memory && new FlightRecorder(memory.record), options);
  if (memory && mode === "poll") engine.share(memory.rings);
  await engine.run();
}

class Engine implements EngineControl {
  readonly #pipe: Pipe;
  readonly #recorder: FlightRecorder | undefined;
  readonly #options: EngineOptions;
  readonly #in = new FrameReader();
  readonly #out = new FrameWriter();
  readonly #bridge = new EngineBridge(this.#out);
  #gate: Gate | undefined;
  #socket: QuicSocket | undefined;
  #udp: UdpSocket | undefined;
  #heartbeatAt = 0;
  /** Refusals that the node knows of. */
  readonly #told = new Map<string, number>();
  #ending = false;

  constructor(pipe: Pipe, recorder: FlightRecorder | undefined, options: EngineOptions) {
    this.#pipe = pipe;
    this.#recorder = recorder;
    this.#options = options;
  }

  async run(): Promise<void> {
    try {
      await this.#start(await this.#config());
    } catch (error) {
      const code = error instanceof AlknetError ? error.code : "INTERNAL";
      this.#out.writeJson(Kind.FAILED, 0, { code, message: messagesOf(error) });
      this.#pipe.write(this.#out);
      // It may still be on its way: the node ends this once it knows.
      do await this.#pipe.wait(undefined, HEARTBEAT_INTERVAL); while (this.#pipe.read(this.#in, () => {}));
      return;
    }
    await this.#loop();
    this.#udp?.close();
    this.#pipe.close();
  }

  /** Puts long payloads into memory that the node has too. */
  share(memory: Uint8Array<ArrayBuffer>): void {
    const rings = ringsOf(memory, "engine");
    this.#in.ring = rings.in;
    this.#out.ring = rings.out;
    this.#out.write(Kind.SHARING);
  }

  stopAccepting(): void {
    this.#gate?.close();
    this.#out.write(Kind.STOPPED_ACCEPTING);
  }

  shutDown(reason: string): void {
    this.#socket?.close(0, reason);
    this.#ending = true;
  }

  adjustLimits(limits: Limits): void {
    this.#gate?.adjust(limits);
  }

  adjustCertificate(certificate: CertificateKeyPair): void {
    this.#socket?.adjustCertificate(certificate);
  }

  ban(address: string, ms: number): void {
    this.#socket?.ban(address, ms);
  }

  /** Waits for the first frame, which says how to run. */
  async #config(): Promise<EngineConfig> {
    let config: EngineConfig | undefined;
    while (!config) {
      this.#recorder?.turn();
      await this.#pipe.wait(undefined, HEARTBEAT_INTERVAL);
      const open = this.#pipe.read(this.#in, (frame) => {
        if (frame.kind === Kind.CONFIG) config = jsonOf<EngineConfig>(frame.payload);
      });
      if (!open) throw new AlknetError("CONNECTION_CLOSED", "the node ended before it said how to run");
    }
    return config;
  }

  async #start(config: EngineConfig): Promise<void> {
    const quiche = await loadQuiche();
    const { address, reusePort, udp: implementation, limits, datagramSize, alpns, profiles } = config;
    this.#udp = await bindUdp(address, { implementation, reusePort });
    const gate = new Gate(limits, {
      onRefused: (source, reason) => this.#bridge.refused({ address: source, reason }),
    });
    this.#gate = gate;
    this.#socket = new QuicSocket({
      quiche,
      udp: this.#udp,
      recorder: this.#recorder,
      tap: this.#options.tap,
      onWork: () => {},
      server: {
        alpns,
        limits,
        datagramSize,
        profiles,
        gate,
        accept: (session, facts) => this.#bridge.accept(session, facts),
        onAbuse: ({ hostname }, reason) => {
          gate.note(hostname, reason);
          this.#beat();
        },
      },
    });
    this.#out.writeJson(Kind.LISTENING, 0, this.#udp.address);
  }

  /** A sign of life, with what was refused since the last one. */
  #beat(): void {
    const refused: Record<string, number> = {};
    for (const [reason, count] of this.#gate!.refused) {
      const more = count - (this.#told.get(reason) ?? 0);
      if (more > 0) refused[reason] = more;
      this.#told.set(reason, count);
    }
    if (Object.keys(refused).length > 0) this.#out.writeJson(Kind.HEARTBEAT, 0, refused);
    else this.#out.write(Kind.HEARTBEAT);
  }

  async #loop(): Promise<void> {
    const socket = this.#socket!;
    const udp = this.#udp!;
    const obey = (frame: Frame) => this.#bridge.obey(frame, this);
    let more = false;
    while (!this.#ending) {
      const now = socket.now();
      this.#recorder?.turn();
      if (now >= this.#heartbeatAt) {
        this.#heartbeatAt = now + HEARTBEAT_INTERVAL;
        this.#beat();
      }
      this.#pipe.write(this.#out);
      const stalled = this.#out.length > MAX_BACKLOG;
      const due = Math.min(socket.nextDeadline, this.#heartbeatAt) - now;
      const ready = await this.#pipe.wait(stalled ? undefined : udp, more ? 0 : Math.max(0, Math.ceil(due)));
      if (!this.#pipe.read(this.#in, obey)) return;
      more = socket.turn(ready);
    }
  }
}

/** The messages of an error and its causes: the chain itself does not cross to the node. */
function messagesOf(error: unknown): string {
  const parts: string[] = [];
  for (let at = error; at !== undefined && parts.length < 5; at = at instanceof Error ? at.cause : undefined) {
    const message = at instanceof Error ? at.message : String(at);
    if (!parts.some((part) => part.includes(message))) parts.push(message);
  }
  return parts.join(" <- ");
}

/** An interrupt at the terminal reaches every process of the group; what becomes of the engine is the node's to say. */
function surviveTerminal(): void {
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) Deno.addSignalListener(signal, () => {});
}

if (import.meta.main) await main(Deno.args);
