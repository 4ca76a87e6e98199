/**
 * Keys as names have them.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { parseNodeId } from "@alknet/core/identity";

/** The public key of a node id; nothing where the text is none. */
export function keyOf(nodeId: string): Uint8Array | undefined {
  try {
    return parseNodeId(nodeId);
  } catch (error) {
    if (error instanceof AlknetError) return undefined;
    throw error;
  }
}
