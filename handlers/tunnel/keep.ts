/**
 * A tunnel over one connection, and one that dials again.
 *
 * @module
 */
import { AlknetError, type Connection } from "@alknet/core/handler";
import { backOff } from "./back_off.ts";
import { Tunnel, type TunnelEvent, type TunnelOptions } from "./tunnel.ts";

/** What a tunnel that dials again tells beside the rest. */
export type KeptTunnelEvent =
  | TunnelEvent
  /** A session is there. */
  | { readonly event: "connected"; readonly transport: string }
  /** It is gone, or none came about; `retryMs` until the next attempt. */
  | { readonly event: "disconnected"; readonly reason: string; readonly retryMs: number };

/** Options of {@linkcode keepTunnel}. */
export interface KeepTunnelOptions extends Omit<TunnelOptions, "onEvent"> {
  /** Told of what happens. */
  readonly onEvent?: (event: KeptTunnelEvent) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Told of each connection while it lasts. */
  readonly onConnection?: (connection: Connection) => void;
  /** Waits between attempts. Default: the clock. */
  readonly wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** A tunnel, and the end of its one session. */
export interface OpenTunnel extends AsyncDisposable {
  /** The tunnel. */
  readonly tunnel: Tunnel;
  /** Resolves with the reason when the session is over. */
  readonly closed: Promise<string>;
}

/**
 * Opens a tunnel over an `alknet/ssh` connection; it ends with the connection.
 *
 * @throws {AlknetError} `BIND_FAILED`, `SSH_REFUSED`, `SSH_FAILED`: then nothing listens, and the connection is closed.
 */
export async function openTunnel(connection: Connection, options: TunnelOptions): Promise<OpenTunnel> {
  const tunnel = await Tunnel.listen(options);
  try {
    const { closed } = await tunnel.attach(connection);
    return { tunnel, closed, [Symbol.asyncDispose]: () => tunnel.close() };
  } catch (error) {
    await tunnel.close();
    throw error;
  }
}

/**
 * Keeps a tunnel until the signal: dials, and whenever the session is lost dials again, after one second and up to
 * thirty. Remote forwards are asked for again each time.
 *
 * @param dial Makes an `alknet/ssh` connection.
 * @param began Told of the tunnel before the first dial, for its figures.
 * @throws {AlknetError} `BIND_FAILED`; `SSH_REFUSED`, for who is refused once is refused again; what the first dial threw,
 * for what was never there is more likely mistyped than lost.
 */
export async function keepTunnel(
  dial: (signal: AbortSignal) => Promise<Connection>,
  options: KeepTunnelOptions,
  began?: (tunnel: Tunnel) => void,
): Promise<void> {
  const { signal, onEvent, onConnection, wait = waitFor } = options;
  await using tunnel = await Tunnel.listen(options);
  began?.(tunnel);
  let failures = 0;
  let everThere = false;
  while (!signal.aborted) {
    let reason: string;
    try {
      const connection = await dial(signal);
      onConnection?.(connection);
      const session = await tunnel.attach(connection);
      everThere = true;
      failures = 0;
      onEvent?.({ event: "connected", transport: connection.transport });
      const end = () => session.close();
      signal.addEventListener("abort", end, { once: true });
      if (signal.aborted) end();
      reason = await session.closed;
      signal.removeEventListener("abort", end);
    } catch (error) {
      if (signal.aborted) return;
      if (!everThere || (error instanceof AlknetError && error.code === "SSH_REFUSED")) throw error;
      reason = (error as Error).message;
    }
    if (signal.aborted) return;
    const retryMs = backOff(++failures);
    onEvent?.({ event: "disconnected", reason, retryMs });
    await wait(retryMs, signal);
  }
}

function waitFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done, { once: true });
  });
}
