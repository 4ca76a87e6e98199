/**
 * Whose zones the commands `alknet dns zone` and `record` work on: options that they share.
 *
 * @module
 */
import { parseTarget } from "@alknet/core/address";
import { type Message, message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { Parser } from "@optique/core/parser";
import { option } from "@optique/core/primitives";
import { checked, configOption, jsonFlag } from "../grammar/arguments.ts";
import { type ReachOptions, reachOptions } from "../reaching/reach.ts";
import type { ZonesChoice } from "./zones.ts";

/** What the shared options say. */
export interface PlaceOptions extends ZonesChoice, Omit<ReachOptions, "address" | "home"> {
  /** The node whose zones are meant; without one those of the home folder. */
  readonly node?: string;
  /** Print one JSON object a line. */
  readonly json: boolean;
}

/** The parsers behind {@linkcode PlaceOptions}. */
export type PlaceParsers = { readonly [Name in keyof PlaceOptions]-?: Parser<"sync", PlaceOptions[Name], unknown> };

const NODE_TEXT: Message =
  message`Work on the zones of this node, by its operations: [NODEID@]HOST:PORT, or NODEID. Default: on those of the home folder.`;

/** `--node ADDRESS`. */
export function nodeOption(description: Message = NODE_TEXT): Parser<"sync", string | undefined, unknown> {
  return optional(option("--node", checked("ADDRESS", "localhost:4433", parseTarget), { description }));
}

/** Parsers of the shared options, to spread into a command's own. */
export function placeOptions(): PlaceParsers {
  const { address: _, ...reach } = reachOptions();
  return { node: nodeOption(), config: configOption(), json: jsonFlag(), ...reach };
}
