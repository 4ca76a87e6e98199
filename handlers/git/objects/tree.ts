/**
 * Trees (git's own layout): entries without anything between them.
 *
 * ```text
 * "100644 name" 00 <20 bytes>   mode in octal, a space, the name, NUL, the object
 * ```
 *
 * @module
 */
import { corrupt } from "../errors.ts";
import { type Oid, OID_BYTES } from "./oid.ts";

/** One entry. */
export interface TreeEntry {
  /** The mode: a tree is 0o40000, a commit of another repository 0o160000. */
  readonly mode: number;
  /** The name; each byte is one character, so that any name has exactly one. */
  readonly name: string;
  /** What it names. */
  readonly oid: Oid;
}

/** The mode of a tree. */
export const TREE_MODE = 0o40000;
/** The mode of a commit that another repository holds. */
export const GITLINK_MODE = 0o160000;

/**
 * The entries, in order.
 *
 * @throws {AlknetError} `GIT_CORRUPT`: the bytes are no tree.
 */
export function parseTree(bytes: Uint8Array): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    let mode = 0;
    for (; bytes[at] !== 0x20; at++) {
      const digit = bytes[at] - 0x30;
      if (!(digit >= 0 && digit <= 7) || mode > 0o7777777) throw corrupt("a tree has a mode that is none");
      mode = mode * 8 + digit;
    }
    const end = bytes.indexOf(0, at);
    if (end < 0 || end + 1 + OID_BYTES > bytes.byteLength) throw corrupt("a tree ends inside of an entry");
    const oid = bytes.subarray(end + 1, end + 1 + OID_BYTES).toHex();
    entries.push({ mode, name: nameOf(bytes, at + 1, end), oid });
    at = end + 1 + OID_BYTES;
  }
  return entries;
}

/** One character a byte. Names are short, so that a decoder would cost more than it decodes. */
function nameOf(bytes: Uint8Array, start: number, end: number): string {
  let name = "";
  for (let i = start; i < end; i++) name += String.fromCharCode(bytes[i]);
  return name;
}
