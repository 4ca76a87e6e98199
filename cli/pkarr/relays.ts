/**
 * Relays of signed packets, as people write them: `https://…`, or the address of a node.
 *
 * @module
 */
import { parseAddress } from "@alknet/core/address";
import { AlknetError, type Connection } from "@alknet/core/handler";
import { MAX_PAYLOAD, type RelayClient, relayClient, type RelayWay } from "@alknet/handlers/dns";
import { Buffer } from "node:buffer";
import { requestOver } from "./request.ts";

/** Dials a relay: over TLS what the public knows by its certificate, anyhow a node, which is pinned. */
export type RelayDial = (
  address: string,
  alpn: string,
  transport: "tls" | "auto",
  signal: AbortSignal,
) => Promise<Connection>;

const HTTPS_PORT = 443;
const HTTP_ALPN = "http/1.1";

/**
 * The relay of a text.
 *
 * @throws {AlknetError} `INVALID_RELAY`: it is none.
 */
export function relayOf(text: string, dial: RelayDial): RelayClient {
  const way = /^[a-z]+:\/\//i.test(text) ? byUrl(text, dial) : byAddress(text, dial);
  return relayClient(way);
}

function byUrl(text: string, dial: RelayDial): RelayWay {
  const url = URL.parse(text);
  if (url?.protocol !== "https:") throw invalid(text, "a relay is https://… or NODEID@HOST:PORT");
  const { username, password, search, hash, hostname, port, pathname } = url;
  if (username + password + search + hash !== "") throw invalid(text, "neither user nor query stands in its URL");
  const address = `${hostname}:${port === "" ? HTTPS_PORT : port}`;
  const base = pathname.replace(/\/+$/, "");
  const ask = async (method: "GET" | "PUT", nodeId: string, body: Uint8Array | undefined, signal: AbortSignal) => {
    await using connection = await dial(address, HTTP_ALPN, "tls", signal);
    return await until(signal, connection, async () =>
      await requestOver(await connection.open(), {
        address,
        method,
        path: `${base}/${nodeId}`,
        body,
        maxBytes: MAX_PAYLOAD,
      }));
  };
  return {
    name: text,
    async get(nodeId, signal) {
      const { status, body } = await ask("GET", nodeId, undefined, signal);
      if (status === 200) return body;
      if (status === 404) return undefined;
      throw answered(status);
    },
    async put(nodeId, payload, signal) {
      const { status } = await ask("PUT", nodeId, payload, signal);
      if (status >= 200 && status < 300) return "stored";
      if (status === 409 || status === 412 || status === 428) return "older";
      throw answered(status);
    },
  };
}

function byAddress(text: string, dial: RelayDial): RelayWay {
  try {
    if (parseAddress(text).nodeId === undefined) throw invalid(text, "a relay is https://… or NODEID@HOST:PORT");
  } catch (error) {
    throw error instanceof AlknetError && error.code === "INVALID_RELAY" ? error : invalid(text, String(error));
  }
  const call = async (operation: string, input: Record<string, string>, signal: AbortSignal): Promise<unknown> => {
    const { CALL_ALPN, CallConnection, clientOf } = await import("@alknet/handlers/call");
    await using client = clientOf(new CallConnection(await dial(text, CALL_ALPN, "auto", signal)));
    return await client.call(operation, input, { signal });
  };
  return {
    name: text,
    async get(nodeId, signal) {
      try {
        const answer = await call("pkarr/resolve", { key: nodeId }, signal) as { payload?: unknown } | null;
        return new Uint8Array(Buffer.from(String(answer?.payload), "base64"));
      } catch (error) {
        // That there is no such operation has the same code: there is no packet either way.
        if ((error as AlknetError).code === "NOT_FOUND") return undefined;
        throw error;
      }
    },
    async put(nodeId, payload, signal) {
      try {
        await call("pkarr/publish", { key: nodeId, payload: Buffer.from(payload).toString("base64") }, signal);
        return "stored";
      } catch (error) {
        if ((error as AlknetError).code === "DNS_SERIAL") return "older";
        throw error;
      }
    },
  };
}

/** Runs until a signal closes the connection below. */
async function until<T>(signal: AbortSignal, connection: Connection, action: () => Promise<T>): Promise<T> {
  const close = (): void => connection.close(0, "");
  signal.addEventListener("abort", close, { once: true });
  try {
    return await action();
  } finally {
    signal.removeEventListener("abort", close);
  }
}

function answered(status: number): AlknetError {
  return new AlknetError("PKARR_RELAY", `it answers with status ${status}; does it take packets there?`);
}

function invalid(text: string, why: string): AlknetError {
  return new AlknetError("INVALID_RELAY", `${JSON.stringify(text)}: ${why}`);
}
