/**
 * Asking the machines of one's own networks where a node is, by multicast DNS (RFC 6762 §5.1): one question from a port of
 * one's own, which is answered to it alone.
 *
 * @module
 */
import { formatSocketAddress } from "@alknet/core/address";
import { formatIp } from "@alknet/core/handler";
import type { RemoteInfo, Socket } from "node:dgram";
import { decodeMessage } from "../codec/decode.ts";
import { encodeMessage } from "../codec/encode.ts";
import { DnsMalformedError } from "../codec/errors.ts";
import { nameOf, sameName } from "../codec/name.ts";
import { CLASS_IN, type DnsName, type Message, Type } from "../codec/types.ts";
import type { DiscoveryProvider, Found } from "../discovery/discover.ts";
import { MAX_ADDRESSES } from "../discovery/node_record.ts";
import { sleep } from "../discovery/sleep.ts";
import { isOnLink, type Link, linksOfFour, ownLinks } from "./links.ts";
import { boundSocket, GROUP, PORT, serviceOf, TOP } from "./names.ts";

/** Options of {@linkcode mdnsProvider}. */
export interface MdnsOptions {
  /** The port that is asked. Default 5353. */
  readonly port?: number;
  /** The links of this machine. Default: those that it has. */
  readonly links?: () => readonly Link[];
}

/** Milliseconds for which answers are waited for, and after which it is asked once more: datagrams are lost. */
const [PATIENCE, AGAIN] = [1500, 1050];
/** Answers that are looked at. */
const MOST_ANSWERS = 32;

/**
 * The networks that this machine is in. What comes from elsewhere, or tells of elsewhere, is not heard.
 */
export function mdnsProvider({ port = PORT, links = ownLinks }: MdnsOptions = {}): DiscoveryProvider {
  return {
    name: "mdns",
    delay: 0,
    async *find(nodeId, signal) {
      const service = serviceOf(nodeId);
      const all = links();
      const found: Found[] = [];
      let news = Promise.withResolvers<void>();
      const tell = (): void => {
        news.resolve();
        news = Promise.withResolvers();
      };
      const stop = new AbortController();
      const ended = AbortSignal.any([signal, stop.signal]);
      let done = false;
      const sockets: Socket[] = [];
      let left = MOST_ANSWERS;
      const asking = (async () => {
        await Promise.all(
          linksOfFour(all).map(async (link) => {
            // An address may be gone by now; others are there.
            const socket = await boundSocket(link.address, 0, false).catch(() => undefined);
            if (!socket) return;
            sockets.push(socket);
            const near = all.filter(({ name }) => name === link.name);
            const id = crypto.getRandomValues(new Uint16Array(1))[0];
            socket.on("error", () => {});
            socket.on("message", (bytes: Uint8Array, from: RemoteInfo) => {
              if (from.port !== port || !isOnLink(link, from.address) || left-- <= 0) return;
              const addresses = addressesIn(bytes, id, service, near);
              if (addresses.length === 0) return;
              found.push({ addresses, source: "mdns" });
              tell();
            });
            send(socket, question(id, service), port);
          }),
        );
        await sleep(AGAIN, ended);
        // What is said twice is dialled once.
        for (const socket of sockets) send(socket, question(0, service), port);
        await sleep(PATIENCE - AGAIN, ended);
      })().catch(() => {}).finally(() => {
        done = true;
        tell();
      });
      try {
        while (true) {
          const { promise } = news;
          if (found.length > 0) yield found.shift()!;
          else if (done) return;
          else await promise;
        }
      } finally {
        stop.abort();
        await asking;
        for (const socket of sockets) socket.close();
      }
    },
  };
}

function send(socket: Socket, bytes: Uint8Array, port: number): void {
  // A network that takes none is as one where nobody answers.
  socket.send(bytes, port, GROUP, () => {});
}

function question(id: number, name: DnsName): Uint8Array {
  const flags = { aa: false, tc: false, rd: false, ra: false, ad: false, cd: false };
  const asked = { name, type: Type.SRV, class: CLASS_IN | TOP };
  const none = { answer: [], authority: [], additional: [] };
  return encodeMessage({ id, response: false, opcode: 0, rcode: 0, flags, question: asked, ...none });
}

/** The addresses that an answer has for a service and that are on the same networks; none where it is no answer. */
function addressesIn(bytes: Uint8Array, id: number, service: DnsName, links: readonly Link[]): string[] {
  const answer = messageIn(bytes);
  if (!answer?.response || answer.rcode !== 0 || (answer.id !== id && answer.id !== 0)) return [];
  const records = [...answer.answer, ...answer.additional].filter(({ class: of, ttl }) =>
    (of & ~TOP) === CLASS_IN && ttl > 0
  );
  const services = records.filter(({ name, type }) => type === Type.SRV && sameName(name, service));
  const found = services.flatMap(({ data }) => {
    const port = data[4] << 8 | data[5];
    const host = nameOf(data.subarray(6));
    const ofHost = records.filter(({ name, type }) => (type === Type.A || type === Type.AAAA) && sameName(name, host));
    return ofHost.map(({ data }) => formatIp({ bytes: Uint8Array.from(data) }))
      .filter((address) => port > 0 && links.some((link) => isOnLink(link, address)))
      .map((hostname) => formatSocketAddress({ hostname, port }));
  });
  return [...new Set(found)].slice(0, MAX_ADDRESSES);
}

function messageIn(bytes: Uint8Array): Message | undefined {
  try {
    return decodeMessage(bytes);
  } catch (error) {
    if (error instanceof DnsMalformedError) return undefined;
    throw error;
  }
}
