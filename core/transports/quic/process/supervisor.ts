/**
 * Keeps QUIC engines running: starts them, watches them, replaces those that hang or die, and refuses who caused it.
 *
 * quiche 0.18.0 can be brought into an endless loop within one native call (CVE-2025-7054). Nothing in the same process
 * can end that, so the engine is a process of its own and this is what ends it. The node, its other transports and the
 * handlers go on; the engine's connections end with a clear reason.
 *
 * @module
 */
import { AlknetError } from "../../../errors.ts";
import type { LinkedConnection, SocketAddress } from "../../../handler/connection.ts";
import type { CertificateKeyPair } from "../../../identity/key_pair.ts";
import type { Limits } from "../../../limits/limits.ts";
import { foreign, logger } from "../../../log.ts";
import type { TlsProfiles } from "../../tls_profile.ts";
import type { Listener, ListenRequest } from "../../transport.ts";
import { Bans } from "./bans.ts";
import { beEngineIfStartedAsOne, engineCommand } from "./engine_command.ts";
import type { EngineConfig } from "../link/engine_config.ts";
import { EngineProcess } from "./engine_process.ts";

/** How engines are supervised. */
export interface SupervisorOptions {
  /** Engine processes that share the port. */
  readonly engines: number;
  /** Longest UDP payload to send. */
  readonly datagramSize?: number;
  /** How UDP is done. */
  readonly udp?: EngineConfig["udp"];
  /** Silence after which an engine is taken for hung, in milliseconds. Default 4000: replaced within six seconds. */
  readonly hangTimeout?: number;
  /** Length of a first ban, in milliseconds. Default 60 000. */
  readonly firstBan?: number;
  /** The engine's module, for tests that break it. Default: the engine's own. */
  readonly module?: string;
}

const log = logger("quic", "supervisor");
const HANG_TIMEOUT = 4000;
const FIRST_BAN = 60_000;
/** Between looks at the heartbeats, in milliseconds. */
const WATCH_INTERVAL = 500;
/** Before an engine that died young is started again, in milliseconds; doubles up to the maximum. */
const RESTART_DELAY = 100;
const MAX_RESTART_DELAY = 5000;
/** An engine that lived this long, in milliseconds, did not die of how it was started. */
const GROWN_UP = 10_000;

/** The engines of one listening address. */
export class Supervisor implements Listener {
  readonly transport = "quic";
  readonly #request: ListenRequest;
  readonly #options: SupervisorOptions;
  readonly #bans: Bans;
  readonly #engines = new Set<EngineProcess>();
  readonly #lives: Promise<void>[] = [];
  readonly #watch: ReturnType<typeof setInterval>;
  readonly #ending = Promise.withResolvers<void>();
  #address: SocketAddress;
  #limits: Limits;
  #profiles: TlsProfiles;
  #accepting = true;
  #closed = false;
  #looked = performance.now();

  private constructor(request: ListenRequest, options: SupervisorOptions) {
    this.#request = request;
    this.#options = options;
    this.#bans = new Bans(options.firstBan ?? FIRST_BAN);
    this.#address = request.address;
    this.#limits = request.limits;
    this.#profiles = request.profiles;
    this.#watch = setInterval(() => this.#look(), WATCH_INTERVAL);
  }

  /**
   * Starts the engines.
   *
   * @throws {AlknetError} `BIND_FAILED` and whatever else keeps an engine from running.
   */
  static async start(request: ListenRequest, options: SupervisorOptions): Promise<Supervisor> {
    await beEngineIfStartedAsOne();
    const supervisor = new Supervisor(request, options);
    try {
      // One after another: the first one picks the port that the others share.
      for (let n = 0; n < options.engines; n++) {
        const engine = await supervisor.#spawn();
        supervisor.#lives.push(supervisor.#keep(engine));
      }
    } catch (error) {
      await supervisor.close();
      throw error;
    }
    return supervisor;
  }

  get address(): SocketAddress {
    return this.#address;
  }

  /** Process ids of the engines, for operators and tests. */
  get pids(): number[] {
    return [...this.#engines].map((engine) => engine.pid);
  }

  adjustLimits(limits: Limits): void {
    this.#limits = limits;
    for (const engine of this.#engines) engine.adjustLimits(limits);
  }

  adjustCertificate(certificate: CertificateKeyPair): void {
    this.#profiles = { ...this.#profiles, public: certificate };
    for (const engine of this.#engines) engine.adjustCertificate(certificate);
  }

  async stopAccepting(): Promise<void> {
    this.#accepting = false;
    await Promise.all([...this.#engines].map((engine) => engine.stopAccepting()));
  }

  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      clearInterval(this.#watch);
      this.#ending.resolve();
      for (const engine of this.#engines) engine.shutDown("shutdown");
    }
    await Promise.all(this.#lives);
  }

  /** Runs one engine after another until the end. */
  async #keep(first: EngineProcess): Promise<void> {
    let engine = first;
    let delay = RESTART_DELAY;
    while (true) {
      const born = performance.now();
      await engine.exited;
      this.#engines.delete(engine);
      if (this.#closed) return engine.bridge.end({ by: "local", code: 0, reason: "shutdown" });
      this.#bury(engine);
      delay = performance.now() - born > GROWN_UP ? RESTART_DELAY : Math.min(2 * delay, MAX_RESTART_DELAY);
      const next = await this.#respawn(delay);
      if (!next) return;
      engine = next;
    }
  }

  #bury(engine: EngineProcess): void {
    const culprit = engine.culprit();
    log.error("engine {pid} stopped ({how}); its connections are lost, another one starts", {
      pid: engine.pid,
      how: foreign(engine.lastWords()),
    });
    const error = new AlknetError("ENGINE_LOST", "the QUIC engine stopped and is being replaced");
    engine.bridge.end({ by: "error", error });
    // The system spreads remotes over the sockets by their order, which the end of one changes: packets would go to engines
    // that do not know their connections, and those die in silence. Better all at once, and said.
    if (!engine.dismissed) { for (const other of this.#engines) other.dismiss(); }
    if (culprit === undefined) return;
    const ban = this.#bans.add(culprit);
    log.warn("{address} is refused for {seconds} s: the engine was working on its packet", {
      address: ban.address,
      seconds: Math.ceil(ban.ms / 1000),
    });
    this.#request.gate.note(culprit, "banned");
  }

  async #respawn(firstDelay: number): Promise<EngineProcess | undefined> {
    let delay = firstDelay;
    while (!this.#closed) {
      await pause(delay, this.#ending.promise);
      if (this.#closed) return;
      try {
        return await this.#spawn();
      } catch (error) {
        log.error("engine does not start: {error}", { error: foreign((error as Error).message) });
        delay = Math.min(2 * delay, MAX_RESTART_DELAY);
      }
    }
  }

  async #spawn(): Promise<EngineProcess> {
    const { alpns, gate } = this.#request;
    const { datagramSize, udp, engines } = this.#options;
    const config: EngineConfig = {
      address: this.#address,
      reusePort: engines > 1,
      alpns,
      profiles: this.#profiles,
      limits: this.#limits,
      datagramSize,
      udp,
    };
    const engine = await EngineProcess.start(config, engineCommand(this.#options.module), {
      opened: (connection) => this.#opened(connection),
      refused: ({ address, reason }) => gate.note(address, reason, { counted: true }),
      counted: (refused) => {
        for (const [reason, times] of Object.entries(refused)) gate.count(reason, times);
      },
    });
    this.#address = engine.address;
    this.#engines.add(engine);
    for (const ban of this.#bans.current()) engine.ban(ban);
    if (!this.#accepting) engine.stopAccepting();
    if (this.#closed) engine.shutDown("shutdown");
    return engine;
  }

  /** The engine has counted the connection by itself; here it counts beside those of the other transports. */
  #opened(connection: LinkedConnection): void {
    const admission = this.#request.gate.admit(connection.remoteAddress.hostname, { handshake: false });
    if (typeof admission === "string") return connection.close(0x102, "limit");
    connection.closed.then(() => admission.release());
    this.#request.onConnection(connection);
  }

  /** Kills engines that have given no sign of life. A look that comes late says more about this process than of them. */
  #look(): void {
    const now = performance.now();
    const late = now - this.#looked > 4 * WATCH_INTERVAL;
    this.#looked = now;
    for (const engine of this.#engines) {
      if (late) engine.excuse();
      if (!engine.hangs(this.#options.hangTimeout ?? HANG_TIMEOUT)) continue;
      log.error("engine {pid} hangs", { pid: engine.pid });
      engine.kill();
    }
  }
}

/** Waits, but no longer than until `end`. */
async function pause(ms: number, end: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([end, new Promise<void>((resolve) => timer = setTimeout(resolve, ms))]);
  clearTimeout(timer);
}
