/**
 * The QUIC transport: listening, with the engine in a process of its own or in this one, and dialling.
 *
 * @module
 */
import type { Listener, ListenRequest } from "../transport.ts";
import { Driver } from "./dialling/driver.ts";
import { loadQuiche } from "./engine/binding.ts";
import { bindUdp } from "./engine/udp/udp.ts";
import { QuicConnection } from "./connection/quic_connection.ts";
import { Supervisor } from "./process/supervisor.ts";

export { dialQuic, type QuicDialOptions } from "./dialling/dial.ts";

/** How the QUIC engine runs. */
export interface QuicListenOptions {
  /** `process`: in processes of its own, watched and replaced when it hangs or dies. Default. */
  readonly engine?: "process" | "in-process";
  /** Engine processes that share the port; more than one needs Linux. Default 1. */
  readonly engines?: number;
  /** Longest UDP payload to send, in bytes. Default: tens of kilobytes on loopback, 1350 elsewhere. */
  readonly datagramSize?: number;
  /** How UDP is done. Default: the fastest way there is here. */
  readonly udp?: "auto" | "linux" | "node";
  /** Silence after which an engine is taken for hung, in milliseconds. Default 4000. */
  readonly hangTimeout?: number;
  /** Length of a first ban, in milliseconds; each further one is twice as long. Default 60 000. */
  readonly firstBan?: number;
  /** The engine's module, for tests that break it. */
  readonly module?: string;
}

/**
 * Listens for QUIC.
 *
 * @throws {AlknetError} `BIND_FAILED`, or `NO_TRANSPORT` where the platform has no binary.
 */
export async function listenQuic(request: ListenRequest, options: QuicListenOptions = {}): Promise<Listener> {
  const { engine = "process", engines = 1 } = options;
  // Windows has no Unix sockets that Deno could serve; there the engine runs in this process.
  if (engine === "in-process" || Deno.build.os === "windows") return await listenInProcess(request, options);
  return await Supervisor.start(request, { ...options, engines });
}

async function listenInProcess(request: ListenRequest, options: QuicListenOptions): Promise<Listener> {
  const quiche = await loadQuiche();
  const udp = await bindUdp(request.address, { implementation: options.udp });
  const { alpns, profiles, gate, limits, onConnection } = request;
  const driver = new Driver({
    quiche,
    udp,
    server: {
      alpns,
      limits,
      datagramSize: options.datagramSize,
      profiles,
      gate,
      accept: (session, facts) => {
        const connection = new QuicConnection(facts, session);
        onConnection(connection.connection);
        return connection;
      },
      onAbuse: ({ hostname }, reason) => gate.note(hostname, reason),
    },
  });
  return {
    transport: "quic",
    address: udp.address,
    // The gate is the endpoint's own here.
    adjustLimits: () => {},
    adjustCertificate: (certificate) => driver.socket.adjustCertificate(certificate),
    // The gate is closed by then: newcomers are refused, those that run go on.
    stopAccepting: () => Promise.resolve(),
    close: () => driver.close("shutdown"),
  };
}
