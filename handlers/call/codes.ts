/**
 * Close and reset codes of the call protocol.
 *
 * @module
 */

/** Codes by what they mean. */
export const CallCode = {
  /** Done: nothing was wrong. */
  NORMAL: 0,
  /** A frame of an impossible length, or one that stopped halfway. */
  INVALID_FRAME: 1,
  /** A body that is no envelope. */
  NOT_AN_ENVELOPE: 2,
  /** The peer asks and does not read the answers. */
  UNREAD: 3,
  /** More frames are under way at once than there is room for. */
  TOO_MUCH: 4,
} as const;
