/**
 * The element types of tensors: their order when writing, their bits, and the typed arrays that show them.
 *
 * @module
 */

/** An element type as headers spell it. */
export type Dtype =
  | "BOOL"
  | "F4"
  | "F6_E2M3"
  | "F6_E3M2"
  | "U8"
  | "I8"
  | "F8_E5M2"
  | "F8_E4M3"
  | "F8_E8M0"
  | "F8_E4M3FNUZ"
  | "F8_E5M2FNUZ"
  | "I16"
  | "U16"
  | "F16"
  | "BF16"
  | "I32"
  | "U32"
  | "F32"
  | "C64"
  | "F64"
  | "I64"
  | "U64";

/** The typed array of each element type. What JavaScript has no number for stays bytes, or words for `BF16`. */
export interface DtypeArrays {
  /** 0 is false, all else true. */
  readonly BOOL: Uint8Array<ArrayBuffer>;
  /** Two elements a byte, the first in the low bits. */
  readonly F4: Uint8Array<ArrayBuffer>;
  /** Packed bits, little-endian. */
  readonly F6_E2M3: Uint8Array<ArrayBuffer>;
  /** Packed bits, little-endian. */
  readonly F6_E3M2: Uint8Array<ArrayBuffer>;
  /** Bytes. */
  readonly U8: Uint8Array<ArrayBuffer>;
  /** Signed bytes. */
  readonly I8: Int8Array<ArrayBuffer>;
  /** Bits of an 8-bit float. */
  readonly F8_E5M2: Uint8Array<ArrayBuffer>;
  /** Bits of an 8-bit float. */
  readonly F8_E4M3: Uint8Array<ArrayBuffer>;
  /** Scale exponents. */
  readonly F8_E8M0: Uint8Array<ArrayBuffer>;
  /** Bits of an 8-bit float. */
  readonly F8_E4M3FNUZ: Uint8Array<ArrayBuffer>;
  /** Bits of an 8-bit float. */
  readonly F8_E5M2FNUZ: Uint8Array<ArrayBuffer>;
  /** Signed 16-bit integers. */
  readonly I16: Int16Array<ArrayBuffer>;
  /** Unsigned 16-bit integers. */
  readonly U16: Uint16Array<ArrayBuffer>;
  /** Half floats. */
  readonly F16: Float16Array<ArrayBuffer>;
  /** The upper halves of 32-bit floats; see `decodeBf16`. */
  readonly BF16: Uint16Array<ArrayBuffer>;
  /** Signed 32-bit integers. */
  readonly I32: Int32Array<ArrayBuffer>;
  /** Unsigned 32-bit integers. */
  readonly U32: Uint32Array<ArrayBuffer>;
  /** Floats. */
  readonly F32: Float32Array<ArrayBuffer>;
  /** Pairs: real, imaginary. */
  readonly C64: Float32Array<ArrayBuffer>;
  /** Doubles. */
  readonly F64: Float64Array<ArrayBuffer>;
  /** Signed 64-bit integers. */
  readonly I64: BigInt64Array<ArrayBuffer>;
  /** Unsigned 64-bit integers. */
  readonly U64: BigUint64Array<ArrayBuffer>;
}

/** A typed array that shows a tensor. */
export type TensorArray = DtypeArrays[Dtype];

/** What is known of an element type. */
export interface DtypeInfo {
  /** Place in the order of writing: higher first. */
  readonly rank: number;
  /** Bits of an element. */
  readonly bits: number;
  /** Bytes that a view's offset must be a multiple of. */
  readonly unit: number;
  /** Makes the view. `length` counts elements of the array. */
  readonly view: (
    buffer: ArrayBuffer,
    offset: number,
    length: number,
  ) => TensorArray;
}

/** The element types, by rank. */
export const DTYPES: Readonly<Record<Dtype, DtypeInfo>> = {
  BOOL: { rank: 0, bits: 8, unit: 1, view: bytes },
  F4: { rank: 1, bits: 4, unit: 1, view: bytes },
  F6_E2M3: { rank: 2, bits: 6, unit: 1, view: bytes },
  F6_E3M2: { rank: 3, bits: 6, unit: 1, view: bytes },
  U8: { rank: 4, bits: 8, unit: 1, view: bytes },
  I8: {
    rank: 5,
    bits: 8,
    unit: 1,
    view: (buffer, offset, length) => new Int8Array(buffer, offset, length),
  },
  F8_E5M2: { rank: 6, bits: 8, unit: 1, view: bytes },
  F8_E4M3: { rank: 7, bits: 8, unit: 1, view: bytes },
  F8_E8M0: { rank: 8, bits: 8, unit: 1, view: bytes },
  F8_E4M3FNUZ: { rank: 9, bits: 8, unit: 1, view: bytes },
  F8_E5M2FNUZ: { rank: 10, bits: 8, unit: 1, view: bytes },
  I16: {
    rank: 11,
    bits: 16,
    unit: 2,
    view: (buffer, offset, length) => new Int16Array(buffer, offset, length),
  },
  U16: { rank: 12, bits: 16, unit: 2, view: words },
  F16: {
    rank: 13,
    bits: 16,
    unit: 2,
    view: (buffer, offset, length) => new Float16Array(buffer, offset, length),
  },
  BF16: { rank: 14, bits: 16, unit: 2, view: words },
  I32: {
    rank: 15,
    bits: 32,
    unit: 4,
    view: (buffer, offset, length) => new Int32Array(buffer, offset, length),
  },
  U32: {
    rank: 16,
    bits: 32,
    unit: 4,
    view: (buffer, offset, length) => new Uint32Array(buffer, offset, length),
  },
  F32: { rank: 17, bits: 32, unit: 4, view: floats },
  C64: { rank: 18, bits: 64, unit: 4, view: floats },
  F64: {
    rank: 19,
    bits: 64,
    unit: 8,
    view: (buffer, offset, length) => new Float64Array(buffer, offset, length),
  },
  I64: {
    rank: 20,
    bits: 64,
    unit: 8,
    view: (buffer, offset, length) => new BigInt64Array(buffer, offset, length),
  },
  U64: {
    rank: 21,
    bits: 64,
    unit: 8,
    view: (buffer, offset, length) => new BigUint64Array(buffer, offset, length),
  },
};

/** Whether a text is an element type. Case matters. */
export function isDtype(text: string): text is Dtype {
  return Object.hasOwn(DTYPES, text);
}

/** Bits of all elements beyond which no file can hold them. */
const MOST_BITS = 2 ** 56;

/**
 * Bytes of a tensor.
 *
 * @returns The bytes, or why there is no such number.
 */
export function byteSize(
  dtype: Dtype,
  shape: readonly number[],
): number | "E_OVERFLOW" | "E_SUBBYTE" {
  const { bits } = DTYPES[dtype];
  let product = 1;
  for (const extent of shape) {
    product *= extent;
    if (product === 0) return 0;
    if (product * bits > MOST_BITS) return "E_OVERFLOW";
  }
  return product * bits % 8 === 0 ? product * bits / 8 : "E_SUBBYTE";
}

/** A view of bytes that lie where the element type needs them; see {@linkcode isAligned}. */
export function viewAs(
  dtype: Dtype,
  data: Uint8Array<ArrayBuffer>,
): TensorArray {
  const { unit, view } = DTYPES[dtype];
  return view(data.buffer, data.byteOffset, data.byteLength / unit);
}

/** Whether bytes lie where a view of the element type may begin. */
export function isAligned(dtype: Dtype, data: Uint8Array): boolean {
  return data.byteOffset % DTYPES[dtype].unit === 0;
}

function bytes(
  buffer: ArrayBuffer,
  offset: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer, offset, length);
}

function words(
  buffer: ArrayBuffer,
  offset: number,
  length: number,
): Uint16Array<ArrayBuffer> {
  return new Uint16Array(buffer, offset, length);
}

function floats(
  buffer: ArrayBuffer,
  offset: number,
  length: number,
): Float32Array<ArrayBuffer> {
  return new Float32Array(buffer, offset, length);
}
