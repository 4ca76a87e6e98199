/**
 * A device that computes in float64, for checking gradients (compute.md §11): kernels are evaluated, one element after the other.
 *
 * Elements are written and read in 32 bits, as on the others; between, they keep 64.
 *
 * @module
 */
import type { Launch, MapSpec, ReduceSpec } from "../../kernels/spec.ts";
import type { DType } from "../../values/dtype.ts";
import { ELEMENT_BYTES } from "../../values/dtype.ts";
import type { BufferId, Device, MatrixRef, Product } from "../device.ts";
import { asType, evaluator, valueOf, wordOf } from "./evaluate.ts";

interface Memory {
  /** Elements, once something was computed into it. */
  readonly values: Float64Array;
  /** Their type; before, they are words. */
  dtype: DType | undefined;
}

/** Float64, one thread, no kernels. */
export class ReferenceDevice implements Device {
  /** It is done when a launch returns, as the CPU. */
  readonly kind = "cpu";
  /** What it is called. */
  readonly name = "reference, float64";
  /** It stands in for nothing. */
  readonly fallback = false;
  /** Sums in one go. */
  readonly foldLimits = { inLanes: 2 ** 30, oneByOne: 2 ** 30 };
  /** Bytes. */
  readonly largestBuffer: number = 2 ** 28;
  readonly #memories = new Map<BufferId, Memory>();
  #made = 0;

  /** See {@linkcode Device.allocate}. */
  allocate(bytes: number): BufferId {
    this.#memories.set(++this.#made, { values: new Float64Array(Math.ceil(bytes / ELEMENT_BYTES)), dtype: undefined });
    return this.#made;
  }

  /** See {@linkcode Device.free}. */
  free(buffer: BufferId): void {
    this.#memories.delete(buffer);
  }

  /** See {@linkcode Device.write}. */
  write(buffer: BufferId, words: Uint32Array<ArrayBuffer>): void {
    const memory = this.#memory(buffer);
    memory.values.set(words);
    memory.dtype = undefined;
  }

  /** See {@linkcode Device.read}. */
  read(buffer: BufferId, offset: number, count: number): Promise<Uint32Array<ArrayBuffer>> {
    return Promise.resolve(Uint32Array.from({ length: count }, (_, i) => this.peek(buffer, offset + i)));
  }

  /** See {@linkcode Device.peek}. */
  peek(buffer: BufferId, place: number): number {
    const { values, dtype } = this.#memory(buffer);
    return dtype === undefined ? values[place] : wordOf(values[place], dtype);
  }

  /** See {@linkcode Device.launch}. */
  launch({ spec, words }: Launch, buffers: readonly BufferId[]): void {
    const [out, ...sources] = buffers.map((buffer) => this.#memory(buffer));
    if (spec.kind === "map") map(spec, words, out, sources);
    else if (spec.kind === "reduce") reduce(spec, words, out, sources[0]);
    else throw new TypeError("a product is no launch here");
  }

  /** See {@linkcode Device.multiply}. */
  multiply({ out, outOffset, a, b, m, n, k }: Product): void {
    const to = this.#memory(out);
    const [left, right] = [a, b].map((one) => this.#matrix(one));
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let l = 0; l < k; l++) sum += left(i, l) * right(l, j);
        to.values[outOffset + i * n + j] = sum;
      }
    }
    to.dtype = "f32";
  }

  /** Nothing is left open. */
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  #matrix({ buffer, offset, rowStride, columnStride }: MatrixRef): (row: number, column: number) => number {
    const memory = this.#memory(buffer);
    return (row, column) => elementOf(memory, offset + row * rowStride + column * columnStride, "f32");
  }

  #memory(buffer: BufferId): Memory {
    const memory = this.#memories.get(buffer);
    if (memory === undefined) throw new RangeError(`buffer ${buffer} does not exist`);
    return memory;
  }
}

function elementOf({ values, dtype }: Memory, place: number, as: DType): number {
  return dtype === undefined ? valueOf(values[place], as) : values[place];
}

function map({ rank, inputs, body }: MapSpec, words: readonly number[], out: Memory, sources: readonly Memory[]): void {
  const total = words[1];
  const extents = words.slice(2, 2 + rank);
  let word = 2 + rank;
  let buffer = 0;
  const seen = inputs.map(({ dtype, stepping }) => {
    if (stepping === "value") return { dtype, stepping, offset: 0, strides: [] as readonly number[] };
    const [offset, ...strides] = words.slice(word, word + 1 + rank);
    word += 1 + rank;
    return { dtype, stepping, offset, strides, memory: stepping === "place" ? undefined : sources[buffer++] };
  });
  const numbers = seen.map(({ dtype, stepping }) => stepping === "value" ? valueOf(words[word++], dtype) : 0);
  const run = evaluator(body);
  const places = new Array<number>(inputs.length).fill(0);
  const load = (index: number, beyond: number): number => {
    const { memory, dtype } = seen[index];
    return elementOf(memory!, places[index] + beyond, dtype);
  };
  const results = new Float64Array(total);
  for (let item = 0; item < total; item++) {
    const at = placeOf(item, extents);
    const given = seen.map(({ dtype, stepping, offset, strides, memory }, i) => {
      if (stepping === "value") return numbers[i];
      places[i] = strides.reduce((sum, stride, dim) => sum + stride * at[dim], offset);
      if (stepping === "place") return places[i];
      return stepping === "free" ? 0 : elementOf(memory!, places[i], dtype);
    });
    results[item] = run(given, load);
  }
  out.values.set(results);
  out.dtype = body.dtype;
}

function reduce(spec: ReduceSpec, words: readonly number[], out: Memory, source: Memory): void {
  const { kept: k, reduced: r, dtype } = spec;
  let word = 1;
  const take = (count: number): readonly number[] => words.slice(word, word += count);
  const [outputs, place] = take(2);
  const [keptExtents, extents] = [take(k), take(r)];
  const [offset] = take(1);
  const [keptStrides, strides] = [take(k), take(r)];
  const count = valueOf(take(1)[0], "f32");
  const [each, combine, finish] = [spec.each, spec.combine, spec.finish].map(evaluator);
  const none = (): number => 0;
  const size = extents.reduce((a, b) => a * b, 1);
  const results = new Float64Array(outputs);
  for (let output = 0; output < outputs; output++) {
    const at = placeOf(output, keptExtents);
    const from = keptStrides.reduce((sum, stride, dim) => sum + stride * at[dim], offset);
    let folded = asType(spec.identity, spec.each.dtype);
    for (let item = 0; item < size; item++) {
      const inner = placeOf(item, extents);
      const element = elementOf(source, strides.reduce((sum, stride, dim) => sum + stride * inner[dim], from), dtype);
      folded = combine([folded, each([element], none)], none);
    }
    results[output] = finish([folded, count], none);
  }
  out.values.set(results, place);
  out.dtype = spec.finish.dtype;
}

function placeOf(index: number, extents: readonly number[]): number[] {
  const place = new Array<number>(extents.length);
  let rest = index;
  for (let dim = extents.length - 1; dim >= 0; dim--) {
    place[dim] = rest % extents[dim];
    rest = Math.floor(rest / extents[dim]);
  }
  return place;
}
