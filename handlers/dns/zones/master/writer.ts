/**
 * Writing master files: a line a record, absolute names, TTL and class in each, so that lines may be taken out of it.
 *
 * @module
 */
import { formatType } from "../../codec/mnemonics.ts";
import { formatName } from "../../codec/name.ts";
import { formatRdata } from "../../codec/rdata_text.ts";
import type { ResourceRecord } from "../../codec/types.ts";

/** Characters of the pieces that {@linkcode writeMaster} gives, but for a line that is longer by itself. */
const PIECE = 64 * 1024;

/** A record as a line of a master file, without its end. */
export function formatRecord({ name, type, ttl, data }: ResourceRecord): string {
  return `${formatName(name)} ${ttl} IN ${formatType(type)} ${formatRdata(type, data)}`;
}

/** A master file, in pieces of whole lines. */
export function* writeMaster(records: Iterable<ResourceRecord>): Generator<string> {
  let piece = "";
  for (const record of records) {
    const line = `${formatRecord(record)}\n`;
    if (piece.length + line.length > PIECE && piece !== "") {
      yield piece;
      piece = "";
    }
    piece += line;
  }
  if (piece !== "") yield piece;
}
