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

/** What is known of how a tensor was made, for gradients. */
export interface GraphNode {
  /** The operation, or `leaf`. */
  readonly op: string;
  /** One more holds it. */
  hold(): void;
  /** One holds it no more; with the last, what it saved goes. */
  drop(): void;
}

/**
 * How a view goes back: to the same elements in another shape, to dims in their order, to the sum of what was repeated, to a part
 * of a dim; or by a function.
 */
export type Inverse =
  | "reshape"
  | "expand"
  | { readonly permute: readonly number[] }
  | { readonly dim: number; readonly start: number; readonly step: number }
  | ((g: Tensor) => Tensor);

/** How an operation of one's own goes back: from the gradient of the result and the values that were saved. */
export type GradientRule = (
  g: Tensor,
  saved: readonly Tensor[],
  wanted: readonly boolean[],
) => readonly (Tensor | undefined)[];

/** How {@linkcode Tensor.backward} goes. */
export interface BackwardOptions {
  /** Keep what was saved, for another time. Default that of `createGraph`. */
  readonly retainGraph?: boolean;
  /** Record what is computed on the way, for gradients of gradients. Default false. */
  readonly createGraph?: boolean;
}

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
  /** Adds elements to a fresh tensor where an index leads; false where the device has no way of its own. */
  collect(to: Tensor, dim: number, index: Tensor, source: Tensor): boolean;
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
  /** Another handle of the same elements; without an inverse, no gradient passes. */
  view(of: Tensor, op: string, layout: Layout, inverse?: Inverse): Tensor;
  /**
   * Runs a function that is not recorded, whose gradient a rule gives; the rule computes with tensors, and may itself be recorded.
   *
   * @param needs Of the operands and, behind them, the result: which the rule reads, by index.
   */
  withGradient<T extends Tensor>(
    op: string,
    operands: readonly Tensor[],
    run: () => T,
    needs: readonly number[],
    rule: GradientRule,
  ): T;
  /** Asks for gradients of a tensor, or no longer. */
  require(of: Tensor, wanted: boolean): void;
  /** Goes back from results to leaves, whose gradients grow. */
  backward(roots: readonly Tensor[], gradients: readonly (Tensor | undefined)[], options: BackwardOptions): void;
  /** Gradients of results, by tensors that they were made from. */
  gradients(
    roots: readonly Tensor[],
    of: readonly Tensor[],
    options: BackwardOptions & { readonly gradients?: readonly (Tensor | undefined)[] },
  ): (Tensor | undefined)[];
  /** Has a function see the gradient of a tensor; what is given back ends that. */
  hook(of: Tensor, see: (gradient: Tensor) => Tensor | void): Disposable;
  /** Writes elements over those that are there, of a tensor or of the host's. */
  write(to: Tensor, from: Tensor | Nested | Flat, force: boolean): void;
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
  #node: GraphNode | undefined;
  #grad: Tensor | undefined;

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

  /** What made it, where gradients are asked for. */
  get node(): GraphNode | undefined {
    return this.#node;
  }

  /** Whether gradients are asked for, of it or of what it was made from. */
  get requiresGrad(): boolean {
    return this.#node !== undefined;
  }

  /**
   * Asks for gradients of a tensor that was made from none that asks.
   *
   * @throws {ComputeError} `E_DTYPE` for a type other than f32, `E_GRAPH` for what an operation made.
   */
  set requiresGrad(wanted: boolean) {
    this.storageFor("requires_grad");
    this.#runner.require(this, wanted);
  }

  /** What {@linkcode Tensor.backward} collected, which goes with the tensor; undefined before. */
  get grad(): Tensor | undefined {
    return this.#grad;
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
    this.clearGrad();
    this.track(undefined);
  }

  /** Holds what made it; of engines. */
  track(node: GraphNode | undefined): void {
    node?.hold();
    this.#node?.drop();
    this.#node = node;
  }

  /** Takes a gradient, in place of the one before, which is disposed of; of engines. */
  collect(grad: Tensor | undefined): void {
    this.#grad?.dispose();
    this.#grad = grad;
  }

  /** Disposes of the gradient that was collected. */
  clearGrad(): void {
    this.collect(undefined);
  }

  /**
   * Goes back to the leaves that it was made from and adds to the {@linkcode Tensor.grad} of each.
   *
   * @param gradient What comes from beyond, of its shape; 1 by default for one element.
   * @throws {ComputeError} `E_GRAPH` where nothing asks for gradients or the graph was used up, `E_SHAPE`, `E_VERSION` where a
   * value that is needed was written to.
   */
  backward(gradient?: Tensor, options: BackwardOptions = {}): void {
    this.storageFor("backward");
    this.#runner.backward([this], [gradient], options);
  }

  /** The same elements, and no gradient passes. */
  detach(): Tensor<D> {
    return this.#view("detach", this.#layout);
  }

  /**
   * Has a function see each gradient of it before it goes on; one that it gives back goes on in its place.
   *
   * @returns Ends that when it is disposed of.
   * @throws {ComputeError} `E_GRAPH` where no gradient is asked for.
   */
  onGradient(see: (gradient: Tensor) => Tensor | void): Disposable {
    this.storageFor("on_gradient");
    return this.#runner.hook(this, see);
  }

  /**
   * Writes elements over its own, for all that share them. It lies in its buffer one after the other, from the first.
   *
   * @param from As many elements: a tensor, or what the host has.
   * @param options `force` writes over values that a gradient needs, which that one then refuses with `E_VERSION`.
   * @throws {ComputeError} `E_VERSION` where a gradient needs them, `E_GRAPH` for a tensor that gradients are asked of, outside of
   * noGrad; `E_SHAPE`, `E_DTYPE`.
   */
  write(from: Tensor | Nested | Flat, options: { readonly force?: boolean } = {}): void {
    this.storageFor("write");
    this.#runner.write(this, from, options.force ?? false);
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
    const layout = { shape: at.map((dim) => shape[dim]), strides: at.map((dim) => strides[dim]), offset };
    return this.#view("permute", layout, { permute: at });
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
    const layout = {
      shape: shape.with(at, count),
      strides: strides.with(at, strides[at] * step),
      offset: count === 0 ? offset : offset + start * strides[at],
    };
    return this.#view("slice", layout, { dim: at, start, step });
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
      return this.#view("reshape", { ...contiguous(checked), offset: this.#layout.offset }, "reshape");
    }
    using copy = this.#runner.copy(this);
    return copy.reshape(...checked) as Tensor<D>;
  }

  /** A copy whose elements lie one after the other. */
  clone(): Tensor<D> {
    this.storageFor("clone");
    return this.#runner.copy(this) as Tensor<D>;
  }

  #view(op: string, layout: Layout, inverse?: Inverse): Tensor<D> {
    this.storageFor(op);
    return this.#runner.view(this, op, layout, inverse) as Tensor<D>;
  }
}
