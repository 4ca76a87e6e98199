/**
 * What the format refuses, by code.
 *
 * @module
 */

/**
 * Codes of {@linkcode TensorError}: those of the conformance table, in its order of checks, and those of the library's
 * own: `E_NAME` (a name that no file may hold, or that this one does not), `E_MISSING` (a field that an old file lacks
 * and that has no default), `E_LOSSY` and `E_BREAKING` (an edit of a schema that needs a converter), `E_CHANGED` (the source is another than when it was opened) and `E_CLOSED` (used after it
 * was closed).
 */
export type TensorErrorCode =
  | "E_TRUNCATED"
  | "E_HEADER_TOO_LARGE"
  | "E_HEADER_LENGTH"
  | "E_UTF8"
  | "E_JSON"
  | "E_DUPLICATE_KEY"
  | "E_LIMIT"
  | "E_METADATA"
  | "E_ENTRY"
  | "E_DTYPE"
  | "E_NUMBER"
  | "E_UNSAFE_INT"
  | "E_RANK"
  | "E_OVERFLOW"
  | "E_SUBBYTE"
  | "E_OFFSET_ORDER"
  | "E_OUT_OF_BOUNDS"
  | "E_SIZE_MISMATCH"
  | "E_OVERLAP"
  | "E_HOLE"
  | "E_TRAILING"
  | "E_DOC_TWICE"
  | "E_DOC_JSON"
  | "E_DOC_MEMBER"
  | "E_DOC_VERSION"
  | "E_DOC_ENDIAN"
  | "E_DOC_REF"
  | "E_KIND"
  | "E_LAYOUT"
  | "E_SCHEMA"
  | "E_SCHEMA_CYCLE"
  | "E_STRICT"
  | "E_ACCESS"
  | "E_AMPLIFY"
  | "E_DIGEST"
  | "E_FRAME"
  | "E_NAME"
  | "E_MISSING"
  | "E_LOSSY"
  | "E_BREAKING"
  | "E_CHANGED"
  | "E_CLOSED";

/** Where in a file it was. */
export interface TensorErrorPlace {
  /** The entry or tensor. */
  readonly tensor?: string;
  /** The field of the header, the document or a record. */
  readonly field?: string;
  /** The bytes, from and to, relative to the data region. */
  readonly offsets?: readonly [number, number];
  /** What it came from. */
  readonly cause?: unknown;
}

/** The longest name a message repeats, in characters: a hostile one may have 65 535 bytes. */
const SHOWN_NAME = 80;

/**
 * What a file, a stream or a schema is refused for. Programs read the `code`, people the message, which names the tensor,
 * the field and the offsets. Mistakes of a programmer stay TypeError and RangeError.
 */
export class TensorError extends Error {
  /** The class, as it stands before the message. */
  override readonly name = "TensorError";
  /** Which of the refusals it is. */
  readonly code: TensorErrorCode;
  /** The entry or tensor, where it is one. */
  readonly tensor?: string;
  /** The field of the header, the document or a record. */
  readonly field?: string;
  /** The bytes, from and to, relative to the data region. */
  readonly offsets?: readonly [number, number];

  /**
   * A refusal.
   *
   * @param code Which.
   * @param message What was wrong, and what to do.
   * @param place Where.
   */
  constructor(
    code: TensorErrorCode,
    message: string,
    place: TensorErrorPlace = {},
  ) {
    super(located(message, place), { cause: place.cause });
    this.code = code;
    this.tensor = place.tensor;
    this.field = place.field;
    this.offsets = place.offsets;
  }
}

/** A name as messages show it: quoted, control characters escaped, the middle of a long one left out. */
export function shown(name: string): string {
  if (name.length <= SHOWN_NAME) return JSON.stringify(name);
  return JSON.stringify(
    `${name.slice(0, SHOWN_NAME / 2)}…${name.slice(-SHOWN_NAME / 2)}`,
  );
}

function located(
  message: string,
  { tensor, field, offsets }: TensorErrorPlace,
): string {
  const parts = [
    tensor === undefined ? "" : `tensor ${shown(tensor)}`,
    field === undefined || field === "" ? "" : `field ${shown(field)}`,
    offsets === undefined ? "" : `bytes ${offsets[0]} to ${offsets[1]}`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? message : `${parts.join(", ")}: ${message}`;
}
