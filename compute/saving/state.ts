/**
 * States in files: tensors by name, as safetensors. One that has several names is written once; the others stand in the metadata, each
 * with the name that it is written under, as Python's `safetensors.torch.save_model` does it.
 *
 * @module
 */
import {
  decodeBf16,
  decodeF16,
  type Dtype,
  FileWriter,
  open,
  type Openable,
  type OpenOptions,
  planFile,
  type TensorArray,
  type TensorFile,
  type WriteOptions,
} from "@alknet/tensor";
import type { AnyModule, LoadOptions, LoadReport } from "../nn/module.ts";
import type { Flat } from "../tensors/data.ts";
import type { Tensor } from "../tensors/tensor.ts";
import type { DType } from "../values/dtype.ts";
import { ComputeError } from "../values/errors.ts";

/** A tensor of a file, in the host's memory. */
export interface HeldTensor {
  /** Extents. */
  readonly shape: readonly number[];
  /** The elements, row by row. */
  readonly data: Flat;
}

/** How {@linkcode saveState} goes. */
export interface SaveOptions extends Pick<WriteOptions, "sync" | "signal" | "progress"> {
  /** Strings to store beside the tensors; no key and no value may be a tensor's name. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What was in a file. */
export interface LoadedState {
  /** Tensors by name, those with several names under each. */
  readonly tensors: ReadonlyMap<string, HeldTensor>;
  /** What was stored beside them. */
  readonly metadata: ReadonlyMap<string, string>;
}

const DTYPES: Readonly<Record<DType, Dtype>> = { f32: "F32", i32: "I32", u32: "U32", bool: "BOOL" };
const FORMAT = "format";

/** Elements as tensors take them, apart from the file. */
const READERS: Readonly<Partial<Record<Dtype, (array: TensorArray) => Flat>>> = {
  F16: (array) => decodeF16(array as Float16Array),
  BF16: (array) => decodeBf16(array as Uint16Array),
  F32: copied,
  F64: copied,
  I8: copied,
  I16: copied,
  I32: copied,
  I64: copied,
  U8: copied,
  U16: copied,
  U32: copied,
  U64: copied,
  BOOL: copied,
};

/**
 * Writes tensors. The file gets its name when all is in it; each tensor is read from its device when its turn comes, so that none
 * may be written to before it is done.
 *
 * @param path The file; one of that name is replaced.
 * @throws {ComputeError} `E_BUFFER` for a tensor that is gone, `E_DEVICE`, `E_DEVICE_LOST`; the old file is there then.
 * @throws {TensorError} For names that a file cannot hold.
 */
export async function saveState(
  path: string | URL,
  state: ReadonlyMap<string, Tensor>,
  options: SaveOptions = {},
): Promise<void> {
  const names = new Map<Tensor, string>();
  const metadata: Record<string, string> = { [FORMAT]: "pt", ...options.metadata };
  const written = new Map<string, Tensor>();
  for (const [name, tensor] of state) {
    if (Object.hasOwn(metadata, name)) throw new RangeError(`${JSON.stringify(name)} is a key of the metadata`);
    const first = names.get(tensor);
    if (first !== undefined) metadata[name] = first;
    else {
      names.set(tensor, name);
      written.set(name, tensor);
    }
  }
  const alias = Object.entries(options.metadata ?? {}).find(([, value]) => state.has(value));
  if (alias) throw new RangeError(`${JSON.stringify(alias[1])} in the metadata would be read as a tensor's other name`);
  const plan = planFile(
    [...written].map(([name, { dtype, shape }]) => [name, { dtype: DTYPES[dtype], shape }] as const),
    { metadata },
  );
  await using file = await FileWriter.create(path, plan, options);
  for (const { name } of plan.entries) await file.put(name, await bytesOf(written.get(name)!));
  await file.commit();
}

/**
 * A copy of a state in the host's memory, for `Module.loadStateDict`: of the best model so far, or for a module of another engine.
 *
 * @throws {ComputeError} `E_BUFFER`, `E_DEVICE`, `E_DEVICE_LOST`.
 */
export async function heldState(state: ReadonlyMap<string, Tensor>): Promise<Map<string, HeldTensor>> {
  const tensors = [...new Set(state.values())];
  // All are asked for at once, so that they are of one moment.
  const all = await Promise.all(tensors.map((one) => bytesOf(one)));
  const held = new Map(tensors.map((one, i) => [one, { shape: one.shape, data: all[i] }] as const));
  return new Map([...state].map(([name, one]) => [name, held.get(one)!]));
}

/**
 * Reads tensors of a file of safetensors or metatensor into memory. Floats of 16 and 64 bits become f32, and small integers those
 * of 32 bits; where a module takes them up, their range is checked.
 *
 * @throws {TensorError} For what is no such file.
 * @throws {ComputeError} `E_DTYPE` for an element type that no tensor has.
 */
export async function loadState(from: Openable, options: OpenOptions = {}): Promise<LoadedState> {
  using file = await open(from, options);
  const { tensors, metadata } = stateOf(file);
  const copies = new Map([...new Set(tensors.values())].map((one) => [one, { shape: one.shape, data: one.data }]));
  return { tensors: new Map([...tensors].map(([name, one]) => [name, copies.get(one)!])), metadata };
}

/**
 * Reads a file into a module, tensor by tensor: beside it, one of them at most is in memory.
 *
 * @throws {TensorError} For what is no such file.
 * @throws {ComputeError} What {@linkcode loadState} and `Module.loadStateDict` refuse.
 */
export async function loadInto(module: AnyModule, from: Openable, options: LoadOptions = {}): Promise<LoadReport> {
  using file = await open(from);
  return module.loadStateDict(stateOf(file).tensors, options);
}

/** The state in an open file: each tensor is read when its data is asked for. */
export function stateOf(file: TensorFile): LoadedState {
  const tensors = new Map<string, HeldTensor>();
  for (const name of file.names()) {
    const { kind, dtype, shape } = file.info(name);
    if (kind !== "flat") continue;
    const read = READERS[dtype];
    if (read === undefined) {
      throw new ComputeError(
        "E_DTYPE",
        "load_state",
        `${JSON.stringify(name)} is of ${dtype}, which no tensor here is; convert the file`,
      );
    }
    tensors.set(name, {
      shape,
      get data() {
        return read(file.array(name));
      },
    });
  }
  const metadata = new Map<string, string>();
  for (const [key, value] of file.metadata) {
    const shared = tensors.has(key) ? undefined : tensors.get(value);
    if (shared && key !== FORMAT) tensors.set(key, shared);
    else metadata.set(key, value);
  }
  return { tensors, metadata };
}

async function bytesOf(tensor: Tensor): Promise<Flat> {
  const data = await tensor.read();
  return tensor.dtype === "bool" ? Uint8Array.from(data as Iterable<number>, Number) : data as Flat;
}

function copied(array: TensorArray): Flat {
  return (array as Flat).slice();
}
