/**
 * NumPy, asked for what an operation should give, and how near a result has to be (ops.md §1.6).
 *
 * @module
 */
import { deepEqual, ok } from "node:assert/strict";
import type { DType, Engine, Tensor } from "@alknet/compute";
import { type Peer, startPeer } from "../support/python.ts";

/** Elements as tests hold them. */
export type Elements = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;
/** What NumPy is given or gives. */
export interface NumpyArray {
  readonly data: Elements;
  readonly shape: readonly number[];
}
/** Tolerance classes of f32; `P` is that of functions near their poles, `N` of attention, `S` and `M` are fixed bounds for sums of a few normal numbers. */
export type ToleranceClass = "E" | "R" | "D" | "A" | "T" | "G" | "L" | "P" | "S" | "M" | "N";

const BOUNDS: Readonly<Record<ToleranceClass, readonly [relative: number, absolute: number]>> = {
  E: [0, 0],
  R: [1.2e-7, 0],
  D: [4e-7, 1e-38],
  A: [2e-6, 1e-6],
  T: [1e-5, 1e-5],
  G: [2e-5, 1e-5],
  L: [1e-5, 2e-6],
  P: [1e-4, 1e-5],
  S: [2e-6, 2e-6],
  M: [4e-6, 4e-6],
  N: [2e-5, 2e-6],
};
/** Below this, values of f32 count as 0 (rule N5). */
const SUBNORMAL = 2 ** -126;

const CODES = {
  float32: ["f4", Float32Array],
  float64: ["f8", Float64Array],
  int32: ["i4", Int32Array],
  uint32: ["u4", Uint32Array],
  bool: ["?", Uint8Array],
} as const;

/** A running NumPy. */
export class Numpy implements AsyncDisposable {
  readonly #peer: Peer = startPeer("numpy_peer.py");

  /** The value of a Python expression over arrays; `np` is NumPy. */
  async ask(code: string, arrays: Readonly<Record<string, NumpyArray>> = {}): Promise<NumpyArray> {
    const given = Object.fromEntries(
      Object.entries(arrays).map(([name, { data, shape }]) => {
        const [dtype] = Object.values(CODES).find(([, type]) => data instanceof type)!;
        return [name, { dtype, shape, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength).toBase64() }];
      }),
    );
    const answer = await this.#peer.ask<{ error?: string; dtype: keyof typeof CODES; shape: number[]; data: string }>({
      code,
      arrays: given,
    });
    if (answer.error) throw new Error(`${code}: ${answer.error}`);
    const bytes = Uint8Array.fromBase64(answer.data);
    return { data: new CODES[answer.dtype][1](bytes.buffer), shape: answer.shape };
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer[Symbol.asyncDispose]();
  }
}

/** Fails unless a tensor has the shape and, within the class, the elements. */
export async function near(
  tensor: Tensor,
  wanted: NumpyArray,
  tolerance: ToleranceClass | ((index: number) => number),
  title: string,
): Promise<void> {
  deepEqual([...tensor.shape], [...wanted.shape], `${title}: shape`);
  const got = await tensor.read();
  const wrong: string[] = [];
  for (let i = 0; i < got.length; i++) {
    const [a, b] = [Number(got[i]), Number(wanted.data[i])];
    const [relative, absolute] = typeof tolerance === "string" ? BOUNDS[tolerance] : [0, tolerance(i)];
    if (!close(a, b, relative, absolute)) wrong.push(`${i}: ${a}, not ${b}`);
  }
  ok(wrong.length === 0, `${title}: ${wrong.length} of ${got.length} are wrong; ${wrong.slice(0, 4).join("; ")}`);
}

function close(got: number, wanted: number, relative: number, absolute: number): boolean {
  if (Number.isNaN(wanted)) return Number.isNaN(got);
  if (!Number.isFinite(Math.fround(wanted))) return got === Math.fround(wanted);
  const [a, b] = [got, wanted].map((value) => Math.abs(value) < SUBNORMAL ? 0 : value);
  return Math.abs(a - b) <= absolute + relative * Math.abs(b);
}

/** A tensor of an array. */
export function onto(engine: Engine, { data, shape }: NumpyArray, dtype?: DType): Tensor {
  const own: DType = data instanceof Int32Array
    ? "i32"
    : data instanceof Uint32Array
    ? "u32"
    : data instanceof Uint8Array
    ? "bool"
    : "f32";
  return engine.tensor(data as Float32Array, { shape, dtype: dtype ?? own });
}
