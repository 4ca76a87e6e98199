/**
 * Options and arguments that the commands of `alknet fs` share.
 *
 * @module
 */
import { message } from "@optique/core/message";
import { argument } from "@optique/core/primitives";
import type { Parser } from "@optique/core/parser";
import { string } from "@optique/core/valueparser";
import { configOption, jsonFlag } from "../../grammar/arguments.ts";
import { reachOptions } from "../../reaching/reach.ts";

const { address: _, ...reach } = reachOptions();

/** What each of them takes. */
export const SHARED = { ...reach, config: configOption(), json: jsonFlag() };

/** `PLACE`. */
export function placeArgument(): Parser<"sync", string, unknown> {
  return argument(string({ metavar: "PLACE" }), {
    description: message`BRANCH:/PATH here, ADDRESS/BRANCH:/PATH at another node, BRANCH@VERSION:/PATH as it was.`,
  });
}

/** `BRANCH`. */
export function branchArgument(
  metavar: "BRANCH" | "FROM" | "INTO" | "A" | "B" = "BRANCH",
): Parser<"sync", string, unknown> {
  return argument(string({ metavar }), {
    description: message`A branch: main, or ADDRESS/main at another node.`,
  });
}
