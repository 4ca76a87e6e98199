/**
 * A client of relays: what comes is verified, whatever it comes from, and nothing is waited for long.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { parseNodeId } from "@alknet/core/identity";
import { SignedPacket } from "./signed_packet.ts";

/** A way to a relay; it carries payloads and looks into none. */
export interface RelayWay {
  /** Which relay, for people. */
  readonly name: string;
  /** The payload of a key, of 1072 bytes at most; nothing where the relay has none. */
  get(nodeId: string, signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** Sends a payload; `older` where the relay has a newer one. */
  put(nodeId: string, payload: Uint8Array, signal: AbortSignal): Promise<"stored" | "older">;
}

/** A relay. */
export interface RelayClient {
  /** Which one, for people. */
  readonly name: string;
  /**
   * The packet of a key, verified.
   *
   * @throws {PkarrInvalidError} `PKARR_INVALID`: it has something else.
   * @throws {AlknetError} `PKARR_RELAY`: it does not answer, or not as a relay.
   */
  get(nodeId: string, signal?: AbortSignal): Promise<SignedPacket | undefined>;
  /**
   * Sends a packet.
   *
   * @throws {AlknetError} `PKARR_RELAY`.
   */
  put(packet: SignedPacket, signal?: AbortSignal): Promise<"stored" | "older">;
}

/** Options of {@linkcode relayClient}. */
export interface RelayClientOptions {
  /** Milliseconds for one question. Default 5000. */
  readonly timeout?: number;
  /** Milliseconds since 1970. Default: the system's. */
  readonly now?: () => number;
}

const TIMEOUT = 5000;

/** Makes a client of a way. */
export function relayClient(way: RelayWay, { timeout = TIMEOUT, now }: RelayClientOptions = {}): RelayClient {
  const { name } = way;
  const within = async <T>(signal: AbortSignal | undefined, ask: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const late = AbortSignal.timeout(timeout);
    try {
      return await ask(signal ? AbortSignal.any([signal, late]) : late);
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      const why = late.aborted ? `it did not answer within ${timeout} ms` : (cause as Error).message;
      throw new AlknetError("PKARR_RELAY", `relay ${name}: ${why}`, { cause });
    }
  };
  return {
    name,
    async get(nodeId, signal) {
      const publicKey = parseNodeId(nodeId);
      const payload = await within(signal, (signal) => way.get(nodeId, signal));
      return payload && SignedPacket.fromRelayPayload(publicKey, payload, { now });
    },
    put: (packet, signal) => within(signal, (signal) => way.put(packet.nodeId, packet.toRelayPayload(), signal)),
  };
}
