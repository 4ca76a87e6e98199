/**
 * Annotated tags, as far as walks read them.
 *
 * ```text
 * object <oid>\n
 * type commit\n
 * tag v1\n
 * ```
 *
 * @module
 */
import { corrupt } from "../errors.ts";
import type { Kind, Oid } from "./oid.ts";

/** What a tag is a tag of. */
export interface TagTarget {
  /** The object, which may be a tag itself. */
  readonly oid: Oid;
  /** What it is. */
  readonly kind: Kind;
}

/**
 * Reads a tag.
 *
 * @throws {AlknetError} `GIT_CORRUPT`: it names no object.
 */
export function parseTag(bytes: Uint8Array): TagTarget {
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, 128));
  const [, oid, kind] = /^object ([0-9a-f]{40})\ntype (commit|tree|blob|tag)\n/.exec(text) ?? [];
  if (oid === undefined) throw corrupt("a tag names no object");
  return { oid, kind: kind as Kind };
}
