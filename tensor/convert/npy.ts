/**
 * NumPy's `.npy`: what an array is, and its elements as tensors hold them (NEP 1).
 *
 * ```text
 * offset  size   content
 * 0       6      93 4e 55 4d 50 59
 * 6       2      version: major, minor
 * 8       2, 4   length of the header, little-endian; 4 bytes from version 2 on
 * 10, 12  …      header: a Python literal, {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
 * ```
 *
 * @module
 */
import { byteSize, type Dtype, DTYPES } from "../format/dtype.ts";
import { TensorError } from "../format/errors.ts";

/** An array of NumPy. */
export interface NumpyArray {
  /** Element type. */
  readonly dtype: Dtype;
  /** Extents, slowest first. */
  readonly shape: readonly number[];
  /** Elements row by row, little-endian; where they lie, if they lay so. */
  readonly data: Uint8Array;
}

const MAGIC = "934e554d5059";
/** NumPy's spelling of element types, its byte order aside. */
const DESCRIPTORS: Readonly<Record<string, Dtype>> = {
  b1: "BOOL",
  i1: "I8",
  u1: "U8",
  i2: "I16",
  u2: "U16",
  f2: "F16",
  i4: "I32",
  u4: "U32",
  f4: "F32",
  c8: "C64",
  f8: "F64",
  i8: "I64",
  u8: "U64",
};
const HEADER = /^\{'descr': '([<>|=])([a-z]\d+)', 'fortran_order': (True|False), 'shape': \(([\d, ]*)\), ?\}\s*$/;

/**
 * Reads an array.
 *
 * @throws {TensorError} `E_TRUNCATED`, `E_DTYPE` an element type that tensors have not, `E_JSON` a header of another form.
 */
export function readNpy(bytes: Uint8Array): NumpyArray {
  const wide = bytes[6] > 1;
  if (bytes.length < (wide ? 12 : 10) || bytes.subarray(0, 6).toHex() !== MAGIC) {
    throw new TensorError("E_TRUNCATED", "this is no .npy file");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const begin = wide ? 12 : 10;
  const end = begin + (wide ? view.getUint32(8, true) : view.getUint16(8, true));
  if (end > bytes.length) throw new TensorError("E_TRUNCATED", "the header of the .npy file is longer than the file");
  const [, order, kind, fortran, extents] = HEADER.exec(new TextDecoder().decode(bytes.subarray(begin, end))) ?? [];
  if (kind === undefined) {
    throw new TensorError("E_JSON", "the header of the .npy file is of another form than NumPy's");
  }
  const dtype = Object.hasOwn(DESCRIPTORS, kind) ? DESCRIPTORS[kind] : undefined;
  if (!dtype) throw new TensorError("E_DTYPE", `the .npy file holds ${kind}, which tensors have not`);
  const shape = extents.split(",").map((part) => part.trim()).filter((part) => part !== "").map(Number);
  const size = byteSize(dtype, shape);
  if (size !== bytes.length - end) {
    throw new TensorError(
      "E_SIZE_MISMATCH",
      `shape and dtype take ${size} bytes, the .npy file has ${bytes.length - end}`,
    );
  }
  const data = order === ">" ? swapped(bytes.subarray(end), DTYPES[dtype].unit) : bytes.subarray(end);
  return { dtype, shape, data: fortran === "True" ? rowMajor(data, shape, DTYPES[dtype].bits / 8) : data };
}

function swapped(data: Uint8Array, unit: number): Uint8Array {
  const copy = data.slice();
  for (let at = 0; at < copy.length; at += unit) copy.subarray(at, at + unit).reverse();
  return copy;
}

/** Column-major elements, row by row. */
function rowMajor(data: Uint8Array, shape: readonly number[], unit: number): Uint8Array {
  const rows = new Uint8Array(data.length);
  const strides: number[] = [];
  let stride = 1;
  for (const extent of shape) {
    strides.push(stride);
    stride *= extent;
  }
  const place = shape.map(() => 0);
  for (let to = 0; to < data.length; to += unit) {
    const from = place.reduce((sum, at, axis) => sum + at * strides[axis], 0) * unit;
    for (let i = 0; i < unit; i++) rows[to + i] = data[from + i];
    for (let axis = shape.length - 1; axis >= 0 && ++place[axis] === shape[axis]; axis--) place[axis] = 0;
  }
  return rows;
}
