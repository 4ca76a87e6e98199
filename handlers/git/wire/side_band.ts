/**
 * Side bands: data, progress and a fatal error in one stream of pkt-lines (gitprotocol-pack, "Packfile Data").
 *
 * ```text
 * 000d 01 PACK…   the length, the band, at most 65515 bytes
 * ```
 *
 * @module
 */
import { MAX_LINE, pktLine } from "./pkt_line.ts";

/** The bands. */
export const Band = { DATA: 1, PROGRESS: 2, FATAL: 3 } as const;

/** Most data of one line of `side-band-64k`. */
export const MAX_BAND = MAX_LINE - 5;

/** The same of `side-band`. */
export const SMALL_BAND = 995;

/** `0005` and band 1 without data, which says that the node is still at work. */
export const KEEPALIVE: Uint8Array<ArrayBuffer> = pktLine(new Uint8Array([Band.DATA]));

/** Data on a band, in as many lines as it takes. */
export function* bandLines(band: number, data: Uint8Array, most = MAX_BAND): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < data.byteLength; at += most) {
    const part = data.subarray(at, at + most);
    const line = new Uint8Array(part.byteLength + 1);
    line[0] = band;
    line.set(part, 1);
    yield pktLine(line);
  }
}

/** Text on a band. */
export function bandText(band: number, text: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(text).subarray(0, MAX_BAND - 1);
  const line = new Uint8Array(bytes.byteLength + 1);
  line[0] = band;
  line.set(bytes, 1);
  return pktLine(line);
}
