/**
 * `alknet publish`: says once, in a signed packet, where this node is.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, withDefault } from "@optique/core/modifiers";
import { command, flag, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { RelayChoice } from "../../dns/publishing.ts";
import type { ConfiguredPkarr } from "../../pkarr/configured.ts";
import type { Action, Command } from "../../grammar/action.ts";
import { UsageError } from "../../terminal/output.ts";
import { isoSeconds, messageOf, ownKey, RELAY_OPTIONS, sendAll } from "../dns/packets.ts";

interface PublishOptions extends RelayChoice {
  readonly addresses: readonly string[];
  readonly iroh: boolean;
  readonly https: boolean;
  readonly private: boolean;
  readonly json: boolean;
}

/** `alknet publish`. */
export const publishCommand: Command = command(
  "publish",
  map(
    object({
      addresses: multiple(
        option("--address", string({ metavar: "HOST:PORT" }), {
          description: message`Where it is reached; may be given again. Default: as configured, else where it listens.`,
        }),
        { max: 8 },
      ),
      iroh: withDefault(flag("--iroh", { description: message`Have clients of iroh find it too.` }), false),
      https: withDefault(flag("--https", { description: message`Have browsers find it too.` }), false),
      private: withDefault(
        flag("--private", { description: message`Publish addresses too that mean something only nearby.` }),
        false,
      ),
      ...RELAY_OPTIONS,
    }),
    (options): Action => () => publish(options),
  ),
  {
    brief: message`Tell relays where this node is, once.`,
    description:
      message`Tell relays where this node is, once, in a packet that its key signs. A node with handlers.dns.pkarr.publish does so each hour.`,
  },
);

async function publish(options: PublishOptions): Promise<number> {
  const [{ configuredPkarr }, { relaysOf }, { nodeRecord, sendPacket, signNode }, { openZones }, key] = await Promise
    .all([
      import("../../pkarr/configured.ts"),
      import("../../dns/publishing.ts"),
      import("@alknet/handlers/dns"),
      import("../../dns/zones.ts"),
      ownKey(options),
    ]);
  using _key = key;
  const configured = await configuredPkarr(options);
  const relays = relaysOf(options, configured.relays);
  const addresses = await addressesOf(options, configured);
  using opened = await openZones(options);
  const { packets } = opened.store;
  const packet = signNode(key, packets, { addresses, alpns: [], iroh: options.iroh, https: options.https });
  const until = isoSeconds(nodeRecord(packet)!.expires);
  const count = `${addresses.length} ${addresses.length === 1 ? "address" : "addresses"}`;
  return await sendAll(packet, relays, (relay) => sendPacket(relay, packet, { key, packets }), {
    line: (sent) => `${count}, ${messageOf(sent).byteLength} bytes, until ${until}`,
    fields: { addresses, until },
    json: options.json,
  });
}

/** Those that were given, else those of the configuration, else where it says that it listens. */
async function addressesOf(options: PublishOptions, { publish, listen }: ConfiguredPkarr): Promise<string[]> {
  const [{ listenedAddresses, listenOf, writtenAddresses }, { DEFAULT_PORT }] = await Promise.all([
    import("../../pkarr/own_addresses.ts"),
    import("../../node/node.ts"),
  ]);
  const written = options.addresses.length > 0 || typeof publish !== "object" ? options.addresses : publish.addresses;
  const allowed = options.private || typeof publish === "object" && publish.private === true;
  if (written.length > 0) {
    try {
      return writtenAddresses(written, allowed);
    } catch (error) {
      if (!(error instanceof AlknetError)) throw error;
      throw new UsageError(error.code === "PRIVATE_ADDRESS" ? `${error.message} (--private)` : error.message);
    }
  }
  const found = listenedAddresses(listenOf(listen, DEFAULT_PORT).filter(({ port }) => port > 0), allowed);
  if (found.length > 0) return found.slice(0, 8);
  throw new UsageError("this node listens at no address that is reached from elsewhere; give --address, or --private");
}
