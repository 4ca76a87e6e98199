/**
 * What became of a push (gitprotocol-pack, "Report Status"). Version 2 differs by options, of which there are none here.
 *
 * ```text
 * 000eunpack ok\n 0015ok refs/heads/b2\n 0000
 * ng refs/heads/main protected\n
 * ```
 *
 * @module
 */
import { FLUSH, pktLine } from "./pkt_line.ts";
import { Band, bandLines } from "./side_band.ts";

/** What became of a ref. */
export interface ReportedRef {
  /** Its name, as the client wrote it. */
  readonly name: string;
  /** Why it did not move. */
  readonly refused?: string;
}

/**
 * The bytes of a report.
 *
 * @param unpack `ok`, or why the pack was refused.
 * @param sideBand Whether it goes into band 1.
 */
export function reportBytes(
  unpack: string,
  refs: readonly ReportedRef[],
  sideBand: boolean,
): Uint8Array<ArrayBuffer>[] {
  const lines = [pktLine(`unpack ${unpack}`)];
  for (const { name, refused } of refs) {
    lines.push(pktLine(refused === undefined ? `ok ${name}` : `ng ${name} ${refused}`));
  }
  lines.push(FLUSH);
  if (!sideBand) return lines;
  const whole = new Uint8Array(lines.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const line of lines) {
    whole.set(line, at);
    at += line.byteLength;
  }
  return [...bandLines(Band.DATA, whole), FLUSH];
}
