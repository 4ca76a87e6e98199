/**
 * Limits of fs, each with its reason. Times are milliseconds, sizes bytes.
 *
 * @module
 */

/** Limits of {@linkcode fs}. */
export interface FsLimits {
  /** A request; stock requesters send no longer ones. */
  readonly request: number;
  /** From a stream's start to the end of its request: what a slow requester gets. */
  readonly requestTime: number;
  /** Streams that one identity is served at a time: each has a file open and a piece of it in memory. */
  readonly streams: number;
  /** Streams that one address is served at a time without identity. */
  readonly anonymousStreams: number;
  /** Streams that are served at a time. */
  readonly nodeStreams: number;
  /** Without a requester taking a byte that is ready for it. */
  readonly writeStall: number;
  /** A blob that is pushed: what one of them takes of the disk. Up to 2^53-1. */
  readonly maxBlobSize: number;
  /** Streams of a connection that are told what changes of a blob: each looks at it some times a second. */
  readonly observers: number;
  /** Malformed requests of a connection, which is closed at the last. */
  readonly malformed: number;
  /** Files that one identity has open for writing at a time: each has up to 256 KiB in memory, or a file. */
  readonly sessions: number;
  /** Without a request to such a file, after which what was written is committed. */
  readonly sessionIdle: number;
  /** Blobs of branches that are got from other nodes at a time: each holds connections, and what came of it. */
  readonly fetches: number;
  /** From the read of a file whose blob is elsewhere to its last byte here. */
  readonly fetchTime: number;
}

/** The defaults. */
export const FS_LIMITS: FsLimits = Object.freeze({
  request: 1024 * 1024,
  requestTime: 10_000,
  streams: 64,
  anonymousStreams: 8,
  nodeStreams: 512,
  writeStall: 30_000,
  maxBlobSize: 2 ** 40,
  observers: 16,
  malformed: 8,
  sessions: 256,
  sessionIdle: 3_600_000,
  fetches: 16,
  fetchTime: 30_000,
});

/**
 * The defaults with some limits changed.
 *
 * @throws {RangeError} A limit is none of these, or not a positive whole number.
 */
export function fsLimitsWith(changes: Partial<FsLimits> = {}): FsLimits {
  for (const [name, value] of Object.entries(changes)) {
    if (!Object.hasOwn(FS_LIMITS, name)) {
      throw new RangeError(`fs limit ${name} is none; there are ${Object.keys(FS_LIMITS).join(", ")}`);
    }
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`fs limit ${name} is ${value}; it must be a positive whole number`);
    }
  }
  return Object.freeze({ ...FS_LIMITS, ...changes });
}
