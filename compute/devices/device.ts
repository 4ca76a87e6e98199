/**
 * What a device does for tensors: keeps buffers, runs kernels, gives bytes back.
 *
 * Everything but reading returns at once, and everything takes effect in the order in which it was asked for.
 *
 * @module
 */
import type { FoldLimits } from "../kernels/reduce.ts";
import type { Layout } from "../values/shape.ts";
import type { Launch } from "../kernels/spec.ts";

/** A buffer of a device; numbers are not used again. */
export type BufferId = number;

/** A matrix in a buffer; offset and strides in elements. */
export interface MatrixRef {
  /** Where. */
  readonly buffer: BufferId;
  /** Place of its first element. */
  readonly offset: number;
  /** From row to row. */
  readonly rowStride: number;
  /** From column to column. */
  readonly columnStride: number;
}

/** A product of f32 matrices. */
export interface Product {
  /** Where the result goes, row by row. */
  readonly out: BufferId;
  /** Place of its first element. */
  readonly outOffset: number;
  /** m×k. */
  readonly a: MatrixRef;
  /** k×n. */
  readonly b: MatrixRef;
  /** Rows of the result; not 0, as the other two. */
  readonly m: number;
  /** Columns of the result. */
  readonly n: number;
  /** What is summed over. */
  readonly k: number;
}

/** Elements of a source that are added where an index leads along a dim. */
export interface Collection {
  /** Shape of the index and of the source; none is 0. */
  readonly shape: readonly number[];
  /** Shape of the target, which lies row by row from its start. */
  readonly extents: readonly number[];
  /** The dim. */
  readonly dim: number;
  /** Where the index lies; i32. */
  readonly index: Layout;
  /** Where the source lies; f32. */
  readonly source: Layout;
}

/** A device. */
export interface Device extends AsyncDisposable {
  /** Which of the two targets. */
  readonly kind: "cpu" | "gpu";
  /** What it is called, for people. */
  readonly name: string;
  /** It says itself that it is made of software. */
  readonly fallback: boolean;
  /** How long a fold may be. */
  readonly foldLimits: FoldLimits;
  /** Bytes of the largest buffer. */
  readonly largestBuffer: number;
  /** A buffer of at least so many bytes; what is in it is not said. Undefined when there is no room. */
  allocate(bytes: number): BufferId | undefined;
  /** Gives a buffer back. */
  free(buffer: BufferId): void;
  /** Writes words to the start of a buffer. */
  write(buffer: BufferId, words: Uint32Array<ArrayBuffer>): void;
  /** Reads words; the one thing that is waited for. */
  read(buffer: BufferId, offset: number, count: number): Promise<Uint32Array<ArrayBuffer>>;
  /** A word, on a device that is done when a launch returns. */
  peek?(buffer: BufferId, place: number): number;
  /** Runs a kernel; the output is the first buffer. */
  launch(launch: Launch, buffers: readonly BufferId[]): void;
  /** Adds elements where an index leads, on a device that has a way of its own. */
  collect?(target: BufferId, index: BufferId, source: BufferId, collection: Collection): void;
  /** Multiplies; `temporary` lends a buffer until the end of the call. */
  multiply(product: Product, temporary: (bytes: number) => BufferId): void;
}
