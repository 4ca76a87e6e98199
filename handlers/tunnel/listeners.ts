/**
 * Listening at this end: for `-L` and for SOCKS.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { createServer, type Server, type Socket } from "node:net";
import { type Place, placeText } from "./forward.ts";

/** A listener at this end. */
export interface Listener {
  /** Where it listens, with the port that was free if 0 was asked for. */
  readonly place: Place;
  /** Takes no more connections. */
  close(): Promise<void>;
}

/**
 * Listens.
 *
 * @param accept Gets each connection, whose direction to us stays open when the other ends.
 * @throws {AlknetError} `BIND_FAILED`.
 */
export async function listen(place: Place, accept: (socket: Socket) => void): Promise<Listener> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
  try {
    await listening(server, place);
  } catch (cause) {
    const why = (cause as Error & { code?: string }).code ?? (cause as Error).message;
    throw new AlknetError("BIND_FAILED", `cannot listen on ${placeText(place)}: ${why}`, { cause });
  }
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    place: "path" in place ? place : { hostname: place.hostname, port },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function listening(server: Server, place: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve();
    });
    if ("path" in place) server.listen(place.path);
    else server.listen(place.port, place.hostname);
  });
}
