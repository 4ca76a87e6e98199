/**
 * `alknet dns`: the zones of the node, their records, and questions to any server.
 *
 * @module
 */
import { or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { command } from "@optique/core/primitives";
import type { Command } from "../grammar/action.ts";
import { publishCommand, resolveCommand } from "./dns/packets.ts";
import { queryCommand } from "./dns/query.ts";
import { recordCommand } from "./dns/record.ts";
import { zoneCommand } from "./dns/zone.ts";

/** `alknet dns …`. */
export const dnsCommand: Command = command(
  "dns",
  or(zoneCommand, recordCommand, queryCommand, publishCommand, resolveCommand),
  {
    brief: message`Zones of this node, their records, signed packets, and questions to any server.`,
  },
);
