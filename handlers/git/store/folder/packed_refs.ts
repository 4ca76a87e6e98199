/**
 * `packed-refs` (gitrepository-layout): many refs in one file, with what annotated tags point at.
 *
 * ```text
 * # pack-refs with: peeled fully-peeled sorted \n
 * <oid> refs/tags/v1\n
 * ^<oid>\n              what the tag before is a tag of
 * ```
 *
 * @module
 */
import { corrupt } from "../../errors.ts";
import type { Oid } from "../../objects/oid.ts";

/** A ref as it is packed. */
export interface PackedRef {
  /** Its full name. */
  readonly name: string;
  /** What it points at. */
  readonly oid: Oid;
  /** What the tag it points at is a tag of, in the end. */
  readonly peeled?: Oid;
  /** Whether the file says that, where it says nothing, there is nothing. */
  readonly peelKnown: boolean;
}

/**
 * Reads the file.
 *
 * @throws {AlknetError} `GIT_CORRUPT`: a line is none.
 */
export function parsePackedRefs(text: string): PackedRef[] {
  const refs: PackedRef[] = [];
  let fullyPeeled = false;
  let peeled = false;
  for (const [number, line] of text.split("\n").entries()) {
    if (line === "") continue;
    if (line.startsWith("#")) {
      fullyPeeled = / fully-peeled /.test(`${line} `);
      peeled = / peeled /.test(`${line} `);
      continue;
    }
    if (/^\^[0-9a-f]{40}$/.test(line) && refs.length > 0) {
      refs[refs.length - 1] = { ...refs[refs.length - 1], peeled: line.slice(1), peelKnown: true };
      continue;
    }
    const [, oid, name] = /^([0-9a-f]{40}) (\S.*)$/.exec(line) ?? [];
    if (oid === undefined) throw corrupt(`packed-refs has no ref in line ${number + 1}`);
    refs.push({ name, oid, peelKnown: fullyPeeled || (peeled && name.startsWith("refs/tags/")) });
  }
  return refs;
}
