/**
 * Repositories elsewhere, as a mirror asks them.
 *
 * @module
 */
import { AlknetError, type Connection, foreign } from "@alknet/core/handler";
import type { PktReader } from "../wire/pkt_line.ts";

/** A repository elsewhere, which answers one question after another. Disposing it ends the connection. */
export interface Remote extends AsyncDisposable {
  /** Where it is, as messages name it: `HOST:PORT`. */
  readonly host: string;
  /** What it says of itself first; to be read to its flush. */
  advertised(): Promise<PktReader>;
  /** Asks. The answer is to be read to its flush before the next question. */
  ask(question: Uint8Array<ArrayBuffer>): Promise<PktReader>;
}

/** How repositories elsewhere are reached. */
export interface MirrorWays {
  /** Dials `alknet/git` of a node. Without it `alknet://` is not followed. */
  dial?(address: string, signal: AbortSignal): Promise<Connection>;
  /** What proves who asks at `HOST:PORT`: a token, or `user:password`. */
  credential?(host: string): Promise<string | undefined>;
  /** Asks over HTTPS. Default: the runtime's own `fetch`. */
  fetch?: typeof globalThis.fetch;
}

/** What a repository elsewhere did wrong, or said: `MIRROR_FAILED`. */
export function remoteFault(host: string, why: string, options?: ErrorOptions): AlknetError {
  return new AlknetError("MIRROR_FAILED", `${host}: ${foreign(why)}`, options);
}
