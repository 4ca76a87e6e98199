/**
 * What an identity may do over SFTP.
 *
 * @module
 */

/** Files that someone is served. */
export interface SftpPolicy {
  /** The folder that is the root of all paths, or what else an {@linkcode OpenStore} makes of it. */
  readonly root: string;
  /**
   * Whether nothing may be made, changed or removed.
   *
   * @default {false}
   */
  readonly readOnly?: boolean;
}
