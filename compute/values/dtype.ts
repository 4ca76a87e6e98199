/**
 * Element types, how two of them meet, and the typed arrays that carry them (ops.md §1.2, §1.3).
 *
 * @module
 */
import { ComputeError } from "./errors.ts";

/** Element types that kernels compute with. Each takes four bytes in a buffer; a bool is 0 or 1 there. */
export type DType = "f32" | "i32" | "u32" | "bool";
/** All of them. */
export const DTYPES: readonly DType[] = ["f32", "i32", "u32", "bool"];
/** Bytes of one element in a buffer, whatever its type. */
export const ELEMENT_BYTES = 4;

/** The array that a tensor is read as; bool is a Uint8Array of 0 and 1. */
export type DataOf<D extends DType> = D extends "f32" ? Float32Array<ArrayBuffer>
  : D extends "i32" ? Int32Array<ArrayBuffer>
  : D extends "u32" ? Uint32Array<ArrayBuffer>
  : Uint8Array<ArrayBuffer>;

/** An operand's type; `weak` is that of a JavaScript number or a rank-0 tensor, which lifts a category but no width. */
export interface OperandType {
  /** Its element type. */
  readonly dtype: DType;
  /** Whether it only lifts the category. */
  readonly weak: boolean;
}

const CATEGORY: Readonly<Record<DType, number>> = { bool: 0, i32: 1, u32: 1, f32: 2 };

/**
 * The type in which operands meet: bool < integer < float.
 *
 * @param op Name of the operation, for the error.
 * @param operands Their types.
 * @throws {ComputeError} `E_DTYPE` for i32 with u32, which are to be cast explicitly.
 */
export function promote(op: string, operands: readonly OperandType[]): DType {
  const strong = operands.filter(({ weak }) => !weak);
  const whole = meet(op, operands.map(({ dtype }) => dtype), strong.length === 0);
  if (strong.length === 0) return whole;
  const firm = meet(op, strong.map(({ dtype }) => dtype), true);
  return CATEGORY[whole] > CATEGORY[firm] ? whole : firm;
}

/** Whether a type holds integers. */
export function isInteger(dtype: DType): boolean {
  return dtype === "i32" || dtype === "u32";
}

/** The type of a JavaScript number as an operand. */
export function typeOfNumber(value: number | boolean): DType {
  if (typeof value === "boolean") return "bool";
  return Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31 ? "i32" : "f32";
}

/** The 32 bits that stand for a value in a buffer or a parameter. */
export function bitsOf(value: number | boolean, dtype: DType): number {
  if (dtype === "bool") return value ? 1 : 0;
  if (dtype !== "f32") return saturated(Number(value), dtype) >>> 0;
  FLOAT[0] = Number(value);
  return WORD[0];
}

/** Four bytes an element, from whatever list of numbers, saturating as a cast does. */
export function encode(data: ArrayLike<number>, dtype: DType): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(data.length);
  if (dtype === "f32") new Float32Array(words.buffer).set(data);
  else if (data instanceof Int32Array || data instanceof Uint32Array) words.set(data);
  else for (let i = 0; i < data.length; i++) words[i] = bitsOf(data[i], dtype);
  if (dtype === "bool") { for (let i = 0; i < words.length; i++) words[i] = words[i] === 0 ? 0 : 1; }
  return words;
}

/** The array of a type over the words of a buffer. */
export function decode<D extends DType>(words: Uint32Array<ArrayBuffer>, dtype: D): DataOf<D> {
  if (dtype === "bool") return Uint8Array.from(words) as DataOf<D>;
  if (dtype === "u32") return words as DataOf<D>;
  const view = dtype === "f32" ? Float32Array : Int32Array;
  return new view(words.buffer, words.byteOffset, words.length) as DataOf<D>;
}

/**
 * Checks a name.
 *
 * @throws {ComputeError} `E_DTYPE`.
 */
export function asDType(op: string, name: string): DType {
  if ((DTYPES as readonly string[]).includes(name)) return name as DType;
  throw new ComputeError(
    "E_DTYPE",
    op,
    `elements of ${JSON.stringify(name.slice(0, 20))} cannot be computed with; ${DTYPES.join(", ")} can`,
  );
}

const FLOAT = new Float32Array(1);
const WORD = new Uint32Array(FLOAT.buffer);

function saturated(value: number, dtype: DType): number {
  if (Number.isNaN(value)) return 0;
  const [least, most] = dtype === "i32" ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1];
  return Math.trunc(Math.min(Math.max(value, least), most));
}

function meet(op: string, dtypes: readonly DType[], strict: boolean): DType {
  const top = Math.max(...dtypes.map((dtype) => CATEGORY[dtype]));
  const highest = dtypes.filter((dtype) => CATEGORY[dtype] === top);
  if (strict && new Set(highest).size > 1) {
    throw new ComputeError(
      "E_DTYPE",
      op,
      `operands are ${dtypes.join(" and ")}, which have no common type; cast one of them`,
    );
  }
  return highest[0];
}
