/**
 * DNS by UDP, and again by TCP where an answer was cut (RFC 1035 §4.2). Nobody proves anything there.
 *
 * @module
 */
import { parseAddress } from "@alknet/core/address";
import { decodeMessage, encodeMessage, exchange, type Message } from "@alknet/handlers/dns";
import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";

/** Milliseconds after which a question is asked again. */
const AGAIN = 2000;

/**
 * Asks.
 *
 * @param signal Ends it.
 * @throws {Error} The network's.
 */
export async function askPlain(address: string, query: Message, signal: AbortSignal): Promise<Uint8Array> {
  const { host, port } = parseAddress(address);
  const answer = await byUdp(host, port, query, signal);
  return decodeMessage(answer).flags.tc ? await byTcp(host, port, query, signal) : answer;
}

async function byUdp(host: string, port: number, query: Message, signal: AbortSignal): Promise<Uint8Array> {
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  const bytes = encodeMessage(query);
  let timer: ReturnType<typeof setInterval> | undefined;
  try {
    return await new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      socket.on("error", reject);
      // Connected: what others send does not get here, and a port where nobody is says so.
      socket.connect(port, host, () => {
        const send = (): void => socket.send(bytes);
        send();
        timer = setInterval(send, AGAIN);
      });
      socket.on("message", (message) => {
        if (message.byteLength >= 12 && message.readUint16BE(0) === query.id) resolve(new Uint8Array(message));
      });
    });
  } finally {
    clearInterval(timer);
    socket.close();
  }
}

async function byTcp(hostname: string, port: number, query: Message, signal: AbortSignal): Promise<Uint8Array> {
  const connection = await Deno.connect({ hostname, port });
  const close = (): void => connection.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    return await exchange(connection, query, false);
  } finally {
    signal.removeEventListener("abort", close);
    if (!signal.aborted) connection.close();
  }
}
