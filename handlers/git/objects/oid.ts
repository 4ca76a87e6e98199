/**
 * Names of objects: SHA-1, written with 40 hex digits.
 *
 * @module
 */

/** The SHA-1 of an object, 40 lower-case hex digits. */
export type Oid = string;
/** What an object is. */
export type Kind = "commit" | "tree" | "blob" | "tag";

/** Bytes of an object id. */
export const OID_BYTES = 20;

const OID = /^[0-9a-f]{40}$/;

/** Whether text is the name of an object. */
export function isOid(text: string): boolean {
  return OID.test(text);
}
