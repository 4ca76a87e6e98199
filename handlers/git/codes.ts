/**
 * Codes with which streams of `alknet/git` are cut.
 *
 * @module
 */

/** Application codes of `alknet/git`. */
export const GitCode = {
  /** It was served. */
  DONE: 0,
  /** What came is not git's protocol. */
  PROTOCOL: 1,
  /** Not served to this client, or not now. */
  REFUSED: 2,
  /** It sent or took nothing for too long. */
  SLOW: 3,
  /** A fault of ours, or of the repository. */
  INTERNAL: 4,
  /** The node shuts down. */
  CANCELLED: 5,
} as const;
