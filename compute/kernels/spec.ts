/**
 * Kernels as data: what a row becomes once the types and the form of its operands are known, and before any language.
 *
 * A kernel reads its sizes, strides and values from a list of 32-bit words, so one kernel serves every size. The words are
 * laid out as the types below say; word 0 is always 0, where a shader gets NaN and the infinities from (rule N2).
 *
 * @module
 */
import type { DType } from "../values/dtype.ts";
import type { Expr } from "../table/expression.ts";

/**
 * How an operand is stepped through along the innermost dim: one by one, not at all, by a stride; or it is a word, its own
 * place (in i32, without a buffer), or free, to be read anywhere beyond its place.
 */
export type Stepping = "contiguous" | "broadcast" | "strided" | "value" | "place" | "free";

/** One operand of a kernel. */
export interface InputSpec {
  /** Its element type in the buffer. */
  readonly dtype: DType;
  /** How it is stepped through. */
  readonly stepping: Stepping;
}

/**
 * Each element of the output, in row-major order.
 *
 * Words: 0, total, extents, then per input that is not a `value`: offset and strides, then the values.
 */
export interface MapSpec {
  /** The family. */
  readonly kind: "map";
  /** Equal exactly for equal kernels. */
  readonly key: string;
  /** Number of dims after coalescing, from 1. */
  readonly rank: number;
  /** The operands. */
  readonly inputs: readonly InputSpec[];
  /** The result. */
  readonly body: Expr;
  /** All operands can be read four at a time: one dim, no stride, offsets that are multiples of 4. */
  readonly vector: boolean;
}

/**
 * Each output folds the reduced dims at its place in the kept dims.
 *
 * Words: 0, outputs, place of the first output, kept extents, reduced extents, offset, kept strides, reduced strides, and
 * how many elements the finished result is made of, as f32.
 */
export interface ReduceSpec {
  /** The family. */
  readonly kind: "reduce";
  /** Equal exactly for equal kernels. */
  readonly key: string;
  /** Number of kept dims, from 1. */
  readonly kept: number;
  /** Number of reduced dims, from 1. */
  readonly reduced: number;
  /** Type of the elements. */
  readonly dtype: DType;
  /** Which dim is contiguous, if one is: along it elements are read several at a time. */
  readonly lanes: "reduced" | "kept" | "none";
  /** What is folded of input 0. */
  readonly each: Expr;
  /** What folding starts from. */
  readonly identity: number;
  /** Inputs 0 and 1 as one. */
  readonly combine: Expr;
  /** The result from input 0, folded, and input 1, the count. */
  readonly finish: Expr;
}

/** A product of two matrices, which each target lays out as it likes. */
export interface MatmulSpec {
  /** The family. */
  readonly kind: "matmul";
  /** Equal exactly for equal kernels. */
  readonly key: string;
  /** What it does: copy an operand into the order of the inner kernel, or multiply. */
  readonly stage: "pack" | "multiply";
}

/** Any of them. */
export type KernelSpec = MapSpec | ReduceSpec | MatmulSpec;

/** A kernel with what it runs on. */
export interface Launch {
  /** The kernel. */
  readonly spec: KernelSpec;
  /** Words of the kernel. */
  readonly words: readonly number[];
  /** How many independent pieces of work: elements, outputs. */
  readonly items: number;
  /** About how many elements are read for each piece. */
  readonly weight: number;
}
