/**
 * The operations that every node of the command offers, each with the scopes that it asks for.
 *
 * `node/info` is open to all; the rest asks for a scope of its own or for `admin`.
 *
 * @module
 */
import type { HandlerRegistration } from "@alknet/core/operations";
import { configOperations } from "./config.ts";
import { logOperations } from "./log.ts";
import { nodeOperations } from "./node.ts";
import type { RunningNode } from "./running_node.ts";
import { tokenOperations } from "./tokens.ts";

/** The built-in operations of a node. */
export function builtInOperations(node: RunningNode): HandlerRegistration[] {
  return [
    ...nodeOperations(node),
    ...configOperations(node),
    ...tokenOperations(node),
    ...logOperations(node),
  ];
}
