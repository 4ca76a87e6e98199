/**
 * Parts of a content that no envelope has room for (msg.md §3.2).
 *
 * ```text
 * part: 01 | id 16 | index u16 | count u16, to 64 | bytes; all but the last fill their envelope
 * ```
 *
 * @module
 */
import { AlknetError, joined } from "@alknet/core/crypto";
import { readU16, u16 } from "../agreement/labels.ts";

/** What a part begins with. */
export const PART = 1;
/** Parts of a content. */
export const MOST_PARTS = 64;
/** Bytes of a content, parts joined: what a reader keeps for a writer who never ends. */
export const MOST_WHOLE = 96 * 1024;
/** Before the bytes. */
const HEAD = 21;

/** A part. */
export interface Part {
  /** 16 bytes, the same in all parts of a content. */
  readonly id: Uint8Array;
  /** From 0. */
  readonly index: number;
  /** How many there are. */
  readonly count: number;
  /** What is in it. */
  readonly bytes: Uint8Array;
}

/**
 * Cuts a content.
 *
 * @param id 16 bytes.
 * @param room Bytes that an envelope has room for.
 * @throws {AlknetError} `TOO_LONG`.
 */
export function cut(id: Uint8Array, whole: Uint8Array, room: number): Uint8Array[] {
  const each = room - HEAD;
  const count = Math.ceil(whole.byteLength / each);
  if (whole.byteLength > MOST_WHOLE || count > MOST_PARTS) throw tooLong(whole.byteLength);
  return Array.from({ length: count }, (_, index) => {
    const bytes = whole.subarray(index * each, (index + 1) * each);
    return joined(Uint8Array.of(PART), id, u16(index), u16(count), bytes);
  });
}

/** Throws `TOO_LONG` for a content that has too many bytes for all envelopes together. */
export function assertNotTooLong(whole: Uint8Array): void {
  if (whole.byteLength > MOST_WHOLE) throw tooLong(whole.byteLength);
}

/** Reads a part; nothing where it is none: without bytes, of more parts than may be, or behind their end. */
export function readPart(content: Uint8Array): Part | undefined {
  if (content[0] !== PART || content.byteLength <= HEAD) return undefined;
  const [index, count] = [readU16(content, 17), readU16(content, 19)];
  if (count > MOST_PARTS || index >= count) return undefined;
  return { id: content.slice(1, 17), index, count, bytes: content.slice(HEAD) };
}

function tooLong(length: number): AlknetError {
  return new AlknetError(
    "TOO_LONG",
    `a message of ${length} bytes, its particulars included, is too long: ${MOST_WHOLE} may be`,
  );
}
