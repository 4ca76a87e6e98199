/**
 * What is said to threads that hash, and by them.
 *
 * @module
 */
import type { HashedSubtree } from "../outboard.ts";

/** A subtree to be hashed. */
export interface ToHashThread {
  /** The file, the same each time. */
  readonly path: string;
  /** Its first group. */
  readonly first: number;
  /** Groups. */
  readonly groups: number;
  /** Bytes. */
  readonly length: number;
  /** Whether it is all of the blob. */
  readonly isRoot: boolean;
}

/** That the thread has begun, what came of a subtree, or why nothing did. */
export type FromHashThread = "ready" | HashedSubtree | { readonly failed: string };
