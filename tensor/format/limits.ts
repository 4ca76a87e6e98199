/**
 * Limits of the format, each with its reason.
 *
 * @module
 */

/** Limits of a reader; each default is the constant of the same meaning. */
export interface TensorLimits {
  /** Bytes of a header. Never above {@linkcode MAX_HEADER}. */
  readonly headerBytes: number;
  /** Entries of a header. */
  readonly entries: number;
  /** Bytes of the document's text. */
  readonly documentBytes: number;
  /** Nodes of the schema, references followed. */
  readonly schemaNodes: number;
  /** Bytes of a metadata value. */
  readonly metadataBytes: number;
  /** Bytes copied into memory by one read. Views of a mapped file do not count. */
  readonly readBytes: number;
  /** Bytes that reading every item of a blob may come to where rows overlap, if that is more than 16 × its data. */
  readonly blobBytes: number;
}

/** The cap that safetensors publishes; it bounds the time of parsing. */
export const MAX_HEADER = 100_000_000;
/** The first frame of a stream from a stranger. */
export const MAX_NETWORK_HEADER: number = 16 * 1024 * 1024;
/** Map size; a 100 MB header can hold about 1.3 million minimal entries. */
export const MAX_ENTRIES = 1_048_576;
/** Dimensions of a tensor. */
export const MAX_RANK = 64;
/** Depth of JSON. */
export const MAX_DEPTH = 64;
/** Bytes of a name. */
export const MAX_NAME = 65_535;
/** Bytes of the document and of a metadata value. */
export const MAX_DOCUMENT: number = 16 * 1024 * 1024;
/** Nodes of a schema. */
export const MAX_SCHEMA_NODES = 65_536;
/** How much larger than its data the items of a blob may be all together. */
export const AMPLIFICATION = 16;
/** What engines allow one buffer everywhere. */
export const MAX_READ: number = 2 ** 31 - 1;

/** Limits of a file. */
export const DEFAULT_LIMITS: TensorLimits = {
  headerBytes: MAX_HEADER,
  entries: MAX_ENTRIES,
  documentBytes: MAX_DOCUMENT,
  schemaNodes: MAX_SCHEMA_NODES,
  metadataBytes: MAX_DOCUMENT,
  readBytes: MAX_READ,
  blobBytes: 0,
};

/** How a reader judges: see {@linkcode OpenOptions.mode}. */
export type Mode = "compat" | "strict";
