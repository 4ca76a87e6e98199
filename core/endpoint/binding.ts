/**
 * Binding: an address becomes a listener for each transport, all on one port number.
 *
 * @module
 */
import { AlknetError } from "../errors.ts";
import type { SocketAddress } from "../handler/connection.ts";
import { logger } from "../log.ts";
import type { QuicListenOptions } from "../transports/quic/quic.ts";
import { alpnsFor } from "../transports/tls_profile.ts";
import type { Listener, ListenRequest } from "../transports/transport.ts";

/** What is the same for every address. */
export interface BindOptions extends Omit<ListenRequest, "address"> {
  /** Transports to listen on. */
  readonly transports: readonly ("quic" | "tls")[];
  /** How the QUIC engine runs. */
  readonly quic?: QuicListenOptions;
}

const log = logger("endpoint");
/** Tries to find a port that is free for both UDP and TCP. */
const PORT_ATTEMPTS = 16;

/**
 * Listens on an address with every transport. With port 0, tries again when the port of the one is taken for the other.
 * All are up when it resolves; none is when it rejects.
 *
 * @throws {AlknetError} `BIND_FAILED`, or a code of TLS setup.
 */
export async function bind(address: SocketAddress, options: BindOptions): Promise<Listener[]> {
  for (let attempt = 1;; attempt++) {
    const bound: Listener[] = [];
    try {
      for (const transport of options.transports) {
        const listener = await listenWith(transport, bound[0]?.address ?? address, options);
        if (listener) bound.push(listener);
      }
      return bound;
    } catch (error) {
      for (const listener of bound) await listener.close();
      const taken = error instanceof AlknetError && error.code === "BIND_FAILED";
      if (!taken || address.port !== 0 || bound.length === 0 || attempt >= PORT_ATTEMPTS) throw error;
    }
  }
}

/** Starts one transport. QUIC is left out, and said so, where the machine has no binary of it and TLS can stand in. */
async function listenWith(
  transport: "quic" | "tls",
  address: SocketAddress,
  { transports, quic, ...rest }: BindOptions,
): Promise<Listener | undefined> {
  const request: ListenRequest = { ...rest, address, alpns: alpnsFor(transport, rest.alpns) };
  // Nothing to offer over it, so nothing to bind.
  if (request.alpns.length === 0) return;
  if (transport === "tls") return (await import("../transports/tls/tls.ts")).listenTls(request);
  try {
    const { listenQuic } = await import("../transports/quic/quic.ts");
    return await listenQuic(request, quic);
  } catch (error) {
    if (transports.length === 1 || !(error instanceof AlknetError) || error.code !== "NO_TRANSPORT") throw error;
    log.warn("serving TCP and TLS alone: {reason}", { reason: error.message });
  }
}
