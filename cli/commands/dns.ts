/**
 * `alknet dns`: the zones of the node, and their records.
 *
 * @module
 */
import { or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { command } from "@optique/core/primitives";
import type { Command } from "../grammar/action.ts";
import { recordCommand } from "./dns/record.ts";
import { zoneCommand } from "./dns/zone.ts";

/** `alknet dns …`. */
export const dnsCommand: Command = command("dns", or(zoneCommand, recordCommand), {
  brief: message`Zones of this node, and their records.`,
});
