/**
 * What the node can do: for fetches in version 2 (gitprotocol-v2, "Capability Advertisement"), for pushes with its refs
 * (gitprotocol-pack, "Reference Discovery").
 *
 * ```text
 * 000eversion 2\n 0017agent=alknet/0.1.0\n 0013ls-refs=unborn\n 000afetch\n 0017object-format=sha1\n 0000
 * 00b7<oid> refs/heads/main 00 "report-status … agent=alknet/0.1.0\n" 003f<oid> refs/heads/side\n 0000
 * ```
 *
 * @module
 */
import { FLUSH, pktLine } from "./pkt_line.ts";
import { PUSH_CAPABILITIES } from "./push_request.ts";

/** How the node calls itself. */
export const AGENT = "alknet/0.1.0";

const ZERO = "0".repeat(40);

/** The lines of the advertisement, in git's order. */
export function advertisement(): Uint8Array<ArrayBuffer>[] {
  const lines = ["version 2", `agent=${AGENT}`, "ls-refs=unborn", "fetch", "server-option", "object-format=sha1"];
  return [...lines.map((line) => pktLine(line)), FLUSH];
}

/** The lines of the advertisement for pushes. */
export function* pushAdvertisement(
  refs: Iterable<{ readonly name: string; readonly oid: string }>,
): Generator<Uint8Array<ArrayBuffer>> {
  const capabilities = `\0${[...PUSH_CAPABILITIES, `agent=${AGENT}`].join(" ")}`;
  let first = true;
  for (const { name, oid } of refs) {
    yield pktLine(`${oid} ${name}${first ? capabilities : ""}`);
    first = false;
  }
  if (first) yield pktLine(`${ZERO} capabilities^{}${capabilities}`);
  yield FLUSH;
}
