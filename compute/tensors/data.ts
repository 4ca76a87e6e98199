/**
 * What a program has in its hands, as the elements of a tensor: numbers, lists of lists, typed arrays.
 *
 * @module
 */
import { type DType, encode, isInteger, typeOfNumber } from "../values/dtype.ts";
import { ComputeError } from "../values/errors.ts";
import { checkShape, MOST_DIMS, sizeOf } from "../values/shape.ts";

/** A number, or lists of them of equal length, to any depth that a shape has. */
export type Nested = number | boolean | readonly Nested[];
/** Elements that lie flat. */
export type Flat =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | BigInt64Array
  | BigUint64Array;

/** How the elements are meant. */
export interface DataOptions<D extends DType> {
  /** The shape; absent, that of the lists, or one dim. */
  readonly shape?: readonly number[];
  /** The type; absent, that of the array, and f32 for lists of numbers. */
  readonly dtype?: D;
}

/** Elements on their way to a device. */
export interface Elements {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly words: Uint32Array<ArrayBuffer>;
}

/**
 * Elements of what a program gives.
 *
 * @throws {ComputeError} `E_SHAPE` for lists of unequal length, and for a shape of another size; `E_VALUE` for an integer of 64
 * bits that the type does not hold.
 */
export function elementsOf(data: Nested | Flat, options: DataOptions<DType>): Elements {
  const { values, shape: own } = ArrayBuffer.isView(data)
    ? { values: data as Flat, shape: [data.length] }
    : flattened(data);
  const shape = checkShape("tensor", options.shape ?? own);
  if (sizeOf(shape) !== values.length) {
    throw new ComputeError(
      "E_SHAPE",
      "tensor",
      `${values.length} elements do not make shape [${shape}], which has ${sizeOf(shape)}`,
    );
  }
  const dtype = options.dtype ?? typeOfData(data);
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    return { dtype, shape, words: encode(narrowed(values, dtype), dtype) };
  }
  return { dtype, shape, words: encode(values, dtype) };
}

/** 64-bit integers as numbers, none of which is cut. */
function narrowed(values: BigInt64Array | BigUint64Array, dtype: DType): Float64Array {
  const [least, most] = dtype === "u32" ? [0n, 2n ** 32n - 1n] : [-(2n ** 31n), 2n ** 31n - 1n];
  return Float64Array.from(values as Iterable<bigint>, (value) => {
    if (isInteger(dtype) && (value < least || value > most)) {
      throw new ComputeError("E_VALUE", "tensor", `${value} does not fit ${dtype}; give another dtype`);
    }
    return Number(value);
  });
}

function typeOfData(data: Nested | Flat): DType {
  if (data instanceof Uint32Array || data instanceof BigUint64Array) return "u32";
  const whole = [Int32Array, Int16Array, Uint16Array, Int8Array, BigInt64Array];
  if (whole.some((type) => data instanceof type)) return "i32";
  if (data instanceof Uint8Array) return "bool";
  let first: unknown = data;
  while (Array.isArray(first)) first = first[0];
  return typeof first === "boolean" ? typeOfNumber(first) : "f32";
}

function flattened(data: Nested): { values: number[]; shape: number[] } {
  const shape: number[] = [];
  for (let level: unknown = data; Array.isArray(level) && shape.length <= MOST_DIMS; level = level[0]) {
    shape.push(level.length);
  }
  const values: number[] = [];
  const take = (part: Nested, depth: number): void => {
    const list = typeof part === "object" ? part : undefined;
    if ((list?.length ?? -1) !== (shape[depth] ?? -1)) {
      throw new ComputeError("E_SHAPE", "tensor", `lists in dim ${depth} have unequal lengths`);
    }
    if (list === undefined) values.push(Number(part));
    else for (const one of list) take(one, depth + 1);
  };
  take(data, 0);
  return { values, shape };
}
