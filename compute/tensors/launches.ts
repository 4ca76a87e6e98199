/**
 * What an engine has its device do: results are made, kernels planned and launched into them.
 *
 * @module
 */
import type { Device } from "../devices/device.ts";
import { type Operand as PlannedOperand, planMap } from "../kernels/map.ts";
import { planReduce } from "../kernels/reduce.ts";
import type { Forward } from "../table/expression.ts";
import type { ReduceOp } from "../table/spec.ts";
import { type DType, ELEMENT_BYTES } from "../values/dtype.ts";
import { contiguous, type Layout } from "../values/shape.ts";
import type { Buffers, Storage } from "./buffers.ts";
import { planProduct } from "./products.ts";
import type { Tensor } from "./tensor.ts";

/** A new tensor, whose elements are written next. */
export type Make = (op: string, dtype: DType, layout: Layout) => Tensor;

/** The launches of one engine. */
export class Launches {
  readonly #device: Device;
  readonly #buffers: Buffers;
  readonly #make: Make;

  /** Over a device and its buffers. */
  constructor(device: Device, buffers: Buffers, make: Make) {
    this.#device = device;
    this.#buffers = buffers;
    this.#make = make;
  }

  /** Maps elements by a tree. */
  map(
    op: string,
    shape: readonly number[],
    operands: readonly PlannedOperand[],
    types: readonly DType[],
    forward: Forward,
    sources: readonly (Storage | undefined)[],
  ): Tensor {
    const launch = planMap(shape, operands, types, forward);
    const dtype = launch.spec.kind === "map" ? launch.spec.body.dtype : "f32";
    const result = this.#make(op, dtype, contiguous(shape));
    const out = result.storageFor(op);
    if (out) this.#device.launch(launch, [out.buffer, ...sources.map((storage) => storage!.buffer)]);
    return result;
  }

  /** One value throughout. */
  filled(op: string, shape: readonly number[], dtype: DType, value: number): Tensor {
    return this.map(op, shape, [{ dtype, value }], [dtype], (x) => x, []);
  }

  #foldOfNothing(row: ReduceOp, dtype: DType, shape: readonly number[]): Tensor {
    const accumulator = row.each({ kind: "input", dtype, index: 0 }).dtype;
    return this.filled(row.name, shape, accumulator, row.finish ? NaN : row.identity(accumulator));
  }

  /** Folds elements by a row. */
  fold(
    row: ReduceOp,
    x: Tensor,
    dims: readonly number[],
    shape: readonly number[],
    source: Storage | undefined,
  ): Tensor {
    const { name } = row;
    const steps = x.size === 0 ? [] : planReduce(row, x.dtype, x.layout, dims, this.#device.foldLimits);
    if (steps.length === 0) return this.#foldOfNothing(row, x.dtype, shape);
    const result = this.#make(name, steps.at(-1)!.dtype, contiguous(shape));
    using lent = new DisposableStack();
    let from = source!;
    for (const { launches, size } of steps.slice(0, -1)) {
      const to = lent.adopt(
        this.#buffers.take(name, size * ELEMENT_BYTES),
        (storage) => this.#buffers.release(storage),
      );
      for (const launch of launches) this.#device.launch(launch, [to.buffer, from.buffer]);
      from = to;
    }
    const out = result.storageFor(name)!;
    for (const launch of steps.at(-1)!.launches) this.#device.launch(launch, [out.buffer, from.buffer]);
    return result;
  }

  /** Multiplies matrices. */
  product(a: Tensor, b: Tensor, left: Storage | undefined, right: Storage | undefined): Tensor<"f32"> {
    const { shape, m, n, k, pairs } = planProduct(a.layout, b.layout);
    if (k === 0) return this.filled("matmul", shape, "f32", 0) as Tensor<"f32">;
    const result = this.#make("matmul", "f32", contiguous(shape)) as Tensor<"f32">;
    const out = result.storageFor("matmul");
    if (out === undefined) return result;
    let place = 0;
    for (const pair of pairs) {
      using lent = new DisposableStack();
      const temporary = (bytes: number): number =>
        lent.adopt(this.#buffers.take("matmul", bytes), (storage) => this.#buffers.release(storage)).buffer;
      const product = {
        out: out.buffer,
        outOffset: place,
        a: { ...pair.a, buffer: left!.buffer },
        b: { ...pair.b, buffer: right!.buffer },
        m,
        n,
        k,
      };
      this.#device.multiply(product, temporary);
      place += m * n;
    }
    return result;
  }

  /** Adds where an index leads, if the device has a way. */
  collect(
    dim: number,
    [to, index, source]: readonly [Tensor, Tensor, Tensor],
    storages: readonly (Storage | undefined)[],
  ): boolean {
    const [target, by, from] = storages;
    if (!this.#device.collect || !target || !by || !from || to.shape.length === 0) return false;
    const { shape } = source;
    const collection = { shape, extents: to.shape, dim, index: index.layout, source: source.layout };
    this.#device.collect(target.buffer, by.buffer, from.buffer, collection);
    return true;
  }
}
