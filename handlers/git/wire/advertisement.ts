/**
 * What the node can do, in version 2 (gitprotocol-v2, "Capability Advertisement").
 *
 * ```text
 * 000eversion 2\n 0017agent=alknet/0.1.0\n 0013ls-refs=unborn\n 000afetch\n 0017object-format=sha1\n 0000
 * ```
 *
 * @module
 */
import { FLUSH, pktLine } from "./pkt_line.ts";

/** How the node calls itself. */
export const AGENT = "alknet/0.1.0";

/** The lines of the advertisement, in git's order. */
export function advertisement(): Uint8Array<ArrayBuffer>[] {
  const lines = ["version 2", `agent=${AGENT}`, "ls-refs=unborn", "fetch", "server-option", "object-format=sha1"];
  return [...lines.map((line) => pktLine(line)), FLUSH];
}
