/**
 * Files of tensors and of records made of typed fields: metatensor, a strict superset of safetensors.
 *
 * **Opening.** {@linkcode open} costs the header, whatever the size of the file; every claim of the header is checked before
 * a byte of data is trusted. Data is mapped where the system and the permissions allow it (Linux and macOS, `--allow-ffi`),
 * else read by position. {@linkcode TensorFile} has flat tensors (`tensor`, `array`, `slice`), records (`records`,
 * `column`) and items of any length (`blobs`).
 *
 * **Writing.** {@linkcode write} takes sizes first and data in one pass, and gives the file its name at the end.
 *
 * **Lifetimes.** A file is held by `using`. Views of a mapped file are empty when it is closed: their methods and those of
 * a `DataView` throw, an index gives `undefined`. What is written into a view stays in this process and never reaches the
 * file. A file that another program shortens while it is mapped ends this process when a view of the lost part is
 * touched, as in any program that maps files; writers that rename, as these do, never shorten one.
 *
 * **Errors.** What a file is refused for is a {@linkcode TensorError} with a stable `code`; a wrong call is a TypeError or
 * RangeError.
 *
 * @example
 * ```ts
 * import { open, write } from "@alknet/tensor";
 * import assert from "node:assert/strict";
 *
 * const path = await Deno.makeTempFile({ suffix: ".safetensors" });
 * await write(path, { bias: { dtype: "F32", shape: [3], data: new Float32Array([1, 2, 3]) } });
 * using file = await open(path);
 * assert.equal(file.array("bias")[1], 2);
 * await Deno.remove(path);
 * ```
 *
 * @module
 */
export {
  type BigKind,
  blobs,
  choice,
  type FieldOptions,
  list,
  longText,
  octets,
  records,
  rows,
  scalar,
  type ScalarOf,
  struct,
  tensor,
  text,
  texts,
} from "./author/fields.ts";
export { type FileLayout, fileLayout, type LayoutEntry } from "./author/file_layout.ts";
export { type NumpyArray, readNpy } from "./convert/npy.ts";
export { readNpz } from "./convert/npz.ts";
export { diff, type Edit, EDIT_CLASSES, type EditClass, type SchemaDiff, widens } from "./evolve/diff.ts";
export { type Converters, migrate } from "./evolve/migrate.ts";
export type { BlobEncoding, BlobTensor, StructTensor, TensorDocument } from "./format/document.ts";
export { type Dtype, type DtypeArrays, type DtypeInfo, DTYPES, type TensorArray } from "./format/dtype.ts";
export { TensorError, type TensorErrorCode, type TensorErrorPlace } from "./format/errors.ts";
export { decodeBf16, decodeF16, encodeBf16, encodeF16 } from "./format/half.ts";
export type { Entry } from "./format/entry.ts";
export type { Header } from "./format/header.ts";
export {
  type ArrayLayout,
  Budget,
  type EnumLayout,
  type Field,
  type FieldRow,
  fieldsOf,
  type IndirectKind,
  type IndirectLayout,
  type Layout,
  layoutOf,
  type ScalarKind,
  type ScalarLayout,
  type Sized,
  type StructLayout,
  type TensorLayout,
  type TextLayout,
  type UnionLayout,
} from "./format/layout.ts";
export { DEFAULT_LIMITS, type Mode, type TensorLimits } from "./format/limits.ts";
export type { Json, JsonObject } from "./format/scanner.ts";
export { type Kind, KINDS, Schema } from "./format/schema.ts";
export { Blobs } from "./read/blobs.ts";
export { type Tensor, TensorFile, type TensorInfo } from "./read/file.ts";
export { open, type Openable, type OpenOptions, openSync } from "./read/open.ts";
export { Records } from "./read/records.ts";
export type { SliceRange } from "./read/slice.ts";
export type { Advice, SeekableReader } from "./read/source.ts";
export { type EntryPlan, type FilePlan, planFile, type PlanOptions } from "./write/plan.ts";
export {
  encode,
  FileWriter,
  type TensorData,
  type TensorsToWrite,
  type TensorToWrite,
  write,
  type WriteOptions,
} from "./write/write.ts";
export { ByteReader } from "./stream/byte_reader.ts";
export { decodeFrame, encodeFrame, type Frame } from "./stream/frame.ts";
export { type ReceiveOptions, receivePipe, type Sink, TensorReceiver } from "./stream/receive.ts";
export {
  everyEntry,
  type RangeRequest,
  sendHeader,
  type SendOptions,
  sendPipe,
  sendRanges,
  type StreamOpener,
} from "./stream/send.ts";
export { append } from "./write/append.ts";
export type { Static, TObject, TProperties, TSchema, TUnsafe } from "typebox";
