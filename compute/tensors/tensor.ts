/**
 * A tensor: a handle of elements on a device, and views that share them. Elements come to the host when they are read and
 * at no other time.
 *
 * @module
 */
import type { DataOf, DType } from "../values/dtype.ts";
import { ComputeError } from "../values/errors.ts";
import { checkShape, contiguous, dimOf, isContiguous, type Layout, sizeOf } from "../values/shape.ts";
import type { Forward } from "../table/expression.ts";
import type { Storage } from "./buffers.ts";
import type { DataOptions, Flat, Nested } from "./data.ts";

/** What an operation takes: a tensor, or a number, which is weak (ops.md §1.3). */
export type Operand = Tensor | number | boolean;

/** How a fold goes. */
export interface FoldOptions {
  /** The dims that are folded; absent, all. */
  readonly dim?: number | readonly number[];
  /** Folded dims stay, with an extent of 1. Default false. */
  readonly keepdim?: boolean;
}

/** What a scope gives its function. */
export interface Scope {
  /** Lets a tensor outlive the scope. */
  keep<T extends Tensor>(tensor: T): T;
}

/**
 * An operand of {@linkcode Runner.kernel}: a tensor, which broadcasts; its elements in another layout, which may be `free` to be
 * read anywhere; a number of a type; or the place that a layout gives, in i32.
 */
export type KernelOperand =
  | Tensor
  | { readonly tensor: Tensor; readonly layout: Layout; readonly free?: boolean }
  | { readonly value: number; readonly dtype: DType }
  | { readonly place: Layout };

/** What tensors ask of the engine that made them. */
export interface Runner {
  /** Which target, and what that is called. */
  readonly device: { readonly kind: "cpu" | "gpu"; readonly name: string; readonly fallback: boolean };
  /** Runs a tree over operands; each element of the result is computed from those at its place. */
  kernel(op: string, shape: readonly number[], operands: readonly KernelOperand[], forward: Forward): Tensor;
  /** A new tensor. */
  tensor<D extends DType = "f32">(data: Nested | Flat, options?: DataOptions<D>): Tensor<D>;
  /** Runs a function and disposes of the tensors that were made meanwhile, but for those kept. */
  scope<T>(run: (scope: Scope) => T): T;
  /** The first word of a tensor, on a device that is done when a launch returns; else undefined. */
  peek(of: Tensor): number | undefined;
  /** Runs a row that maps elements. */
  map(name: string, operands: readonly Operand[]): Tensor;
  /** Runs a row that folds elements. */
  reduce(name: string, x: Tensor, options?: FoldOptions): Tensor;
  /** Multiplies matrices. */
  matmul(a: Tensor, b: Tensor): Tensor<"f32">;
  /** Elements in another type. */
  cast<D extends DType>(x: Tensor, dtype: D): Tensor<D>;
  /** A tensor is no longer used. */
  disposed(tensor: Tensor, storage: Storage | undefined): void;
  /** Another handle of the same elements. */
  view(of: Tensor, op: string, layout: Layout): Tensor;
  /** The same elements one after the other in a buffer of their own. */
  copy(of: Tensor): Tensor;
  /** Elements as the host has them. */
  read(of: Tensor): Promise<DataOf<DType>>;
}

/** Elements of one type in a shape. It is held by `using`, or until {@linkcode Tensor.dispose}. */
export class Tensor<D extends DType = DType> implements Disposable {
  /** Number of the handle; no two of an engine are equal. */
  readonly id: number;
  /** Type of the elements. */
  readonly dtype: D;
  /** What made it: the name of an operation. */
  readonly made: string;
  readonly #layout: Layout;
  readonly #runner: Runner;
  #storage: Storage | undefined;
  #live = true;

  /** Made by an engine. A tensor without elements has no storage. */
  constructor(runner: Runner, id: number, made: string, dtype: D, layout: Layout, storage: Storage | undefined) {
    this.#runner = runner;
    this.id = id;
    this.made = made;
    this.dtype = dtype;
    this.#layout = layout;
    this.#storage = storage;
  }

  /** Extent of each dim. */
  get shape(): readonly number[] {
    return this.#layout.shape;
  }

  /** Where the elements lie in the buffer. */
  get layout(): Layout {
    return this.#layout;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.#layout.shape);
  }

  /** The engine that it belongs to. */
  get runner(): Runner {
    return this.#runner;
  }

  /** Whether it was disposed. */
  get isDisposed(): boolean {
    return !this.#live;
  }

  /**
   * The buffer.
   *
   * @throws {ComputeError} `E_BUFFER` when it was disposed.
   */
  storageFor(op: string): Storage | undefined {
    if (!this.#live) {
      throw new ComputeError("E_BUFFER", op, `tensor ${this.id} of ${this.made} [${this.shape}] was disposed`);
    }
    return this.#storage;
  }

  /**
   * The elements, in row-major order.
   *
   * @throws {ComputeError} `E_BUFFER` when it was disposed, `E_DEVICE` when the device failed before.
   */
  read(): Promise<DataOf<D>> {
    this.storageFor("read");
    return this.#runner.read(this) as Promise<DataOf<D>>;
  }

  /** Gives up the handle; its buffer goes when no view is left. Twice is harmless. */
  dispose(): void {
    if (!this.#live) return;
    this.#live = false;
    const storage = this.#storage;
    this.#storage = undefined;
    this.#runner.disposed(this, storage);
  }

  /** See {@linkcode Tensor.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /**
   * A view with its dims in another order.
   *
   * @throws {ComputeError} `E_DIM` when the dims are not each of its own once.
   */
  permute(...dims: number[]): Tensor<D> {
    const at = dims.map((dim) => dimOf("permute", dim, this.shape));
    if (at.length !== this.shape.length || new Set(at).size !== at.length) {
      throw new ComputeError("E_DIM", "permute", `[${dims}] must name each dim of shape [${this.shape}] once`);
    }
    const { shape, strides, offset } = this.#layout;
    return this.#view("permute", {
      shape: at.map((dim) => shape[dim]),
      strides: at.map((dim) => strides[dim]),
      offset,
    });
  }

  /** A view with two dims exchanged, by default the last two. */
  transpose(one = -2, other = -1): Tensor<D> {
    const dims = this.shape.map((_, dim) => dim);
    const [a, b] = [dimOf("transpose", one, this.shape), dimOf("transpose", other, this.shape)];
    if (dims.length > 0) [dims[a], dims[b]] = [b, a];
    return this.permute(...dims);
  }

  /**
   * A view of some elements of one dim, as Python's `start:stop:step`.
   *
   * @param options `step` may be negative and not 0; `stop` absent goes to the end, or to the start for a negative step.
   * @throws {ComputeError} `E_DIM`, or `E_SHAPE` for a step of 0.
   */
  slice(dim: number, options: { start?: number; stop?: number; step?: number } = {}): Tensor<D> {
    const at = dimOf("slice", dim, this.shape);
    const { step = 1 } = options;
    const extent = this.shape[at] ?? 1;
    if (!Number.isInteger(step) || step === 0) {
      throw new ComputeError("E_SHAPE", "slice", `step ${step} must be a whole number other than 0`);
    }
    if (this.shape.length === 0) throw new ComputeError("E_DIM", "slice", "a tensor without dims has no slices");
    const [least, most] = step > 0 ? [0, extent] : [-1, extent - 1];
    const place = (value: number | undefined, otherwise: number): number =>
      value === undefined ? otherwise : Math.min(Math.max(value < 0 ? value + extent : value, least), most);
    const start = place(options.start, step > 0 ? least : most);
    const stop = place(options.stop, step > 0 ? most : least);
    const { shape, strides, offset } = this.#layout;
    const count = Math.max(0, Math.ceil((stop - start) / step));
    return this.#view("slice", {
      shape: shape.with(at, count),
      strides: strides.with(at, strides[at] * step),
      offset: count === 0 ? offset : offset + start * strides[at],
    });
  }

  /**
   * The same elements in another shape: a view where they lie one after the other, else a copy.
   *
   * @param shape One extent may be −1, for what is left.
   * @throws {ComputeError} `E_SHAPE` when the number of elements differs.
   */
  reshape(...shape: number[]): Tensor<D> {
    const known = sizeOf(shape.filter((extent) => extent !== -1));
    if (shape.includes(-1) && known === 0) {
      throw new ComputeError("E_SHAPE", "reshape", `-1 in [${shape}] could be any extent beside a 0; name it`);
    }
    const whole = shape.map((extent) => extent === -1 ? this.size / known : extent);
    if (
      shape.filter((extent) => extent === -1).length > 1 || sizeOf(whole) !== this.size ||
      whole.some((extent) => !Number.isInteger(extent))
    ) {
      throw new ComputeError(
        "E_SHAPE",
        "reshape",
        `shape [${this.shape}] of ${this.size} elements does not make [${shape}]`,
      );
    }
    const checked = checkShape("reshape", whole);
    if (isContiguous(this.#layout)) {
      return this.#view("reshape", { ...contiguous(checked), offset: this.#layout.offset });
    }
    using copy = this.#runner.copy(this);
    return copy.reshape(...checked) as Tensor<D>;
  }

  /** A copy whose elements lie one after the other. */
  clone(): Tensor<D> {
    this.storageFor("clone");
    return this.#runner.copy(this) as Tensor<D>;
  }

  #view(op: string, layout: Layout): Tensor<D> {
    this.storageFor(op);
    return this.#runner.view(this, op, layout) as Tensor<D>;
  }
}
