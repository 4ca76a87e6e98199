/**
 * Contents of groups as they are kept: with who wrote them, which the envelope said (msg.md §3.2).
 *
 * @module
 */
import { b64, bytesOf } from "./bytes.ts";
import { type Content, formatContent } from "./content.ts";

/** What is kept beside a content. */
export interface Marks {
  /** Ed25519 of who wrote it. */
  readonly from?: Uint8Array;
  /** Whether its writer has another list of members. */
  readonly differs?: boolean;
}

/** A content with marks. What comes out of an envelope is formatted anew before it is kept, and so has none. */
export function formatMarked(content: Content, { from, differs }: Marks): Uint8Array {
  const json = JSON.parse(new TextDecoder().decode(formatContent(content)));
  return new TextEncoder().encode(JSON.stringify({ ...json, from: from && b64(from), differs }));
}

/** The marks of what was kept. */
export function readMarks(kept: Uint8Array): Marks {
  const { from, differs } = JSON.parse(new TextDecoder().decode(kept));
  return { from: bytesOf(from, 32), differs: differs === true };
}
