/**
 * What `handlers.dns.pkarr` says: whose packets are kept, which relays are asked, and what this node says of itself.
 *
 * @module
 */
import { AlknetError, type Logger, type SocketAddress } from "@alknet/core/handler";
import type { NodeKey } from "@alknet/core/identity";
import {
  mdnsResponder,
  type MdnsResponderOptions,
  type OwnNode,
  type PacketStore,
  parseName,
  publisher,
  type RelayClient,
  type RelayMode,
} from "@alknet/handlers/dns";
import { listenedAddresses, writtenAddresses } from "../../pkarr/own_addresses.ts";
import { type RelayDial, relayOf } from "../../pkarr/relays.ts";
import type { PkarrConfig } from "./schema.ts";

/** Pkarr as a node does it. */
export interface ConfiguredPkarr {
  /** Whose packets are kept; absent: nobody's. */
  readonly mode: RelayMode | undefined;
  /** Who is asked and told. */
  readonly relays: readonly RelayClient[];
  /** Publishes where the node is, if it shall, until the stack is disposed of. */
  announce(stack: AsyncDisposableStack, packets: PacketStore, listening: Listening): void;
}

interface Listening {
  readonly addresses: readonly SocketAddress[];
  readonly alpns: readonly string[];
}

/** Milliseconds for a connection to a relay. */
const DIAL_TIME = 4000;

/**
 * Pkarr as it is configured; by default nothing is kept, asked or told.
 *
 * @throws {AlknetError} `INVALID_CONFIG`, with the member that is wrong.
 */
export function pkarrOf(
  config: PkarrConfig = {},
  { configFile, key, log }: { readonly configFile: string; readonly key: NodeKey; readonly log: Logger },
): ConfiguredPkarr {
  const { relay = "off", relays = [], origins = [], publish = false, iroh, https, mdns } = config;
  const at = <T>(path: string, read: () => T): T => orInvalid(configFile, path, read);
  const dial: RelayDial = async (address, alpn, transport, signal) => {
    const { connect } = await import("@alknet/core/dial");
    // Who is no node learns nothing of this one but what the packet says.
    const own = transport === "auto" ? key : undefined;
    return await connect(address, alpn, { transport, key: own, timeout: DIAL_TIME, signal });
  };
  const clients = relays.map((text, n) => at(`relays[${n}]`, () => relayOf(text, dial)));
  origins.forEach((origin, n) => at(`origins[${n}]`, () => parseName(origin)));
  const written = typeof publish === "object"
    ? at("publish.addresses", () => writtenAddresses(publish.addresses, publish.private ?? false))
    : undefined;
  return {
    mode: relay === "off" ? undefined : relay,
    relays: clients,
    announce(stack, packets, { addresses, alpns }) {
      if (mdns) answerNearby(stack, { nodeId: key.id, listening: addresses, log });
      if (publish === false) return;
      const browsers = https && alpns.includes("h2");
      if (https && !browsers) log.warn("handlers.dns.pkarr.https: this node serves no HTTP; browsers are told nothing");
      const node = (): OwnNode => {
        return { addresses: written ?? listenedAddresses(addresses, false), alpns, iroh, https: browsers };
      };
      if (node().addresses.length === 0) {
        log.warn("handlers.dns.pkarr.publish: no address that is reached from elsewhere; nothing is published");
      }
      stack.use(publisher({ key, packets, relays: clients, node, log }));
    },
  };
}

/** Answers on the node's own networks, where the port can be shared; else the node goes on without. */
function answerNearby(stack: AsyncDisposableStack, options: MdnsResponderOptions): void {
  const answering = mdnsResponder(options).catch((error) => {
    options.log.warn("handlers.dns.pkarr.mdns: {message}; nobody is answered", { message: (error as Error).message });
  });
  stack.defer(async () => (await answering)?.[Symbol.dispose]());
}

function orInvalid<T>(configFile: string, path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const { message } = cause as Error;
    throw new AlknetError("INVALID_CONFIG", `config ${configFile}: handlers.dns.pkarr.${path}: ${message}`, { cause });
  }
}
