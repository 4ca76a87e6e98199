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

const encoder = new TextEncoder();

/** Bytes of a line before its data. */
export const BAND_HEAD = 5;

/** Most data of one line of `side-band-64k`. */
export const MAX_BAND = MAX_LINE - BAND_HEAD;

/** The same of `side-band`. */
export const SMALL_BAND = 995;

/** `0005` and band 1 without data, which says that the node is still at work. */
export const KEEPALIVE: Uint8Array<ArrayBuffer> = pktLine(new Uint8Array([Band.DATA]));

/** Writes the beginning of a line that has its data behind it: how long it is, and which band. */
export function writeBandHead(line: Uint8Array, band: number): void {
  encoder.encodeInto(line.byteLength.toString(16).padStart(4, "0"), line);
  line[4] = band;
}

/** Data on a band, in as many lines as it takes. */
export function* bandLines(band: number, data: Uint8Array, most = MAX_BAND): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < data.byteLength; at += most) {
    const part = data.subarray(at, at + most);
    const line = new Uint8Array(BAND_HEAD + part.byteLength);
    writeBandHead(line, band);
    line.set(part, BAND_HEAD);
    yield line;
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
