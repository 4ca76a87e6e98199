/**
 * An engine: one device, the tensors on it, and what runs operations on them.
 *
 * @module
 */
import type { Device } from "../devices/device.ts";
import type { Operand as PlannedOperand } from "../kernels/map.ts";
import type { Forward } from "../table/expression.ts";
import { FOLDS, MAPS } from "../table/table.ts";
import { asDType, type DataOf, decode, type DType, ELEMENT_BYTES } from "../values/dtype.ts";
import { ComputeError } from "../values/errors.ts";
import { checkShape, contiguous, dimOf, expand, isContiguous, type Layout, sizeOf } from "../values/shape.ts";
import { goBack } from "./autograd/backward.ts";
import type { Node, Saved } from "./autograd/node.ts";
import { Tape, type TapeHost } from "./autograd/tape.ts";
import type { Buffers, BufferStats, Storage } from "./buffers.ts";
import { type DataOptions, elementsOf, type Flat, type Nested } from "./data.ts";
import { type LiveTensor, Register } from "./leaks.ts";
import { Launches } from "./launches.ts";
import { prepare } from "./operands.ts";
import {
  type BackwardOptions,
  type FoldOptions,
  type GradientRule,
  type Inverse,
  type KernelOperand,
  type Operand,
  type Runner,
  type Scope,
  Tensor,
} from "./tensor.ts";
import { overwrite } from "./writing.ts";

/** Most elements of a result or an operand where places are computed with: they are 32-bit numbers of bytes. */
const MOST_PLACES = 2 ** 29;
/** Tensors that one kernel reads: WebGPU guarantees a shader eight buffers, of which one is the result. */
const MOST_SOURCES = 7;

/** A device and its tensors; {@linkcode openEngine} opens one. */
export class Engine implements Runner, AsyncDisposable {
  readonly #device: Device;
  readonly #buffers: Buffers;
  readonly #register: Register;
  readonly #launches: Launches;
  readonly #scopes: Set<Tensor>[] = [];
  readonly #host: TapeHost = {
    runner: this,
    revive: (saved, own) => this.#revive(saved, own),
    release: (storage) => this.#release(storage),
    follow: (tensor, node) => void (node.leaf || this.#register.follow(tensor, node)),
    unscope: (tensor) => this.#unscope(tensor),
  };
  readonly #tape: Tape = new Tape(this.#host);
  #made = 0;
  #closed = false;

  /** An engine over a device and its buffers. */
  constructor(device: Device, buffers: Buffers) {
    this.#device = device;
    this.#buffers = buffers;
    this.#register = new Register(buffers);
    this.#launches = new Launches(device, buffers, (op, dtype, layout) => this.#make(op, dtype, layout));
  }

  /** Which target it computes on, and what that is called. */
  get device(): { readonly kind: "cpu" | "gpu"; readonly name: string; readonly fallback: boolean } {
    const { kind, name, fallback } = this.#device;
    return { kind, name, fallback };
  }

  /**
   * A tensor of given elements.
   *
   * @throws {ComputeError} `E_SHAPE`, `E_DTYPE`, `E_LIMIT`, `E_OOM`.
   */
  tensor<D extends DType = "f32">(data: Nested | Flat, options: DataOptions<D> = {}): Tensor<D> {
    if (options.dtype !== undefined) asDType("tensor", options.dtype);
    const { dtype, shape, words } = elementsOf(data, options);
    const made = this.#make("tensor", dtype as D, contiguous(shape));
    const storage = made.storageFor("tensor");
    if (storage) this.#device.write(storage.buffer, words);
    return made;
  }

  /** A tensor of one value throughout. */
  full<D extends DType = "f32">(
    shape: readonly number[],
    value: number | boolean,
    options: { dtype?: D } = {},
  ): Tensor<D> {
    const dtype = asDType("full", options.dtype ?? (typeof value === "boolean" ? "bool" : "f32"));
    return this.#launches.filled("full", checkShape("full", shape), dtype, Number(value)) as Tensor<D>;
  }

  /** A tensor of zeros. */
  zeros<D extends DType = "f32">(shape: readonly number[], options: { dtype?: D } = {}): Tensor<D> {
    return this.full(shape, 0, options);
  }

  /** A tensor of ones. */
  ones<D extends DType = "f32">(shape: readonly number[], options: { dtype?: D } = {}): Tensor<D> {
    return this.full(shape, 1, options);
  }

  /**
   * Runs a row of the table that maps elements, by its name; the functions of this module do so by theirs.
   *
   * @throws {ComputeError} `E_DTYPE`, `E_SHAPE`, `E_BUFFER`, `E_LIMIT`, `E_OOM`.
   */
  map(name: string, operands: readonly Operand[]): Tensor {
    const row = MAPS.get(name);
    if (row === undefined) throw new RangeError(`there is no operation ${JSON.stringify(name)}`);
    if (operands.length !== row.arity) {
      throw new TypeError(`${name} takes ${row.arity} operands, not ${operands.length}`);
    }
    const sources = this.#sources(name, operands.filter((operand) => operand instanceof Tensor));
    const { shape, types, operands: planned } = prepare(row, operands);
    const result = this.#launches.map(name, shape, planned, types, row.forward, sources);
    return this.#tape.kept(result, (tape) => tape.mapped(row, result, operands, types));
  }

  /**
   * Runs a tree over operands, which the functions of this module are made of. Each element of the result is computed from
   * those at its place; a free operand is read from that place on. Trees are made by `@alknet/compute/expression`; they are
   * trusted: what one reads beyond a free operand's elements is not said.
   *
   * @throws {ComputeError} `E_BUFFER`, `E_LIMIT`, `E_OOM`.
   */
  kernel(op: string, shape: readonly number[], operands: readonly KernelOperand[], forward: Forward): Tensor {
    const tensors = operands.flatMap((one) => one instanceof Tensor ? [one] : "tensor" in one ? [one.tensor] : []);
    if (tensors.length > MOST_SOURCES) {
      throw new ComputeError(
        "E_LIMIT",
        op,
        `${tensors.length} tensors are too many for one kernel; ${MOST_SOURCES} are possible`,
      );
    }
    const sources = this.#sources(op, tensors);
    const planned = operands.map((one): PlannedOperand => {
      if (one instanceof Tensor) return { dtype: one.dtype, layout: expand(one.layout, shape) };
      if ("place" in one) return { dtype: "i32", place: one.place };
      return "tensor" in one ? { dtype: one.tensor.dtype, layout: one.layout, free: one.free } : one;
    });
    const places = planned.some((one) => "place" in one || ("free" in one && one.free));
    const largest = Math.max(sizeOf(shape), ...tensors.map(({ size }) => size));
    if (places && largest > MOST_PLACES) {
      throw new ComputeError("E_LIMIT", op, `${largest} elements are more than the ${MOST_PLACES} that have places`);
    }
    const result = this.#launches.map(
      op,
      checkShape(op, shape),
      planned,
      planned.map(({ dtype }) => dtype),
      forward,
      sources,
    );
    return this.#tape.kept(result, (tape) => tape.kerneled(op, result, operands, forward));
  }

  /** See {@linkcode Runner.collect}. */
  collect(to: Tensor, dim: number, index: Tensor, source: Tensor): boolean {
    return this.#launches.collect(dim, [to, index, source], this.#sources(to.made, [to, index, source]));
  }

  /** See {@linkcode Runner.peek}. */
  peek(of: Tensor): number | undefined {
    const [storage] = this.#sources("peek", [of]);
    return storage && this.#device.peek?.(storage.buffer, of.layout.offset);
  }

  /**
   * Runs a row that folds elements, by its name.
   *
   * @throws {ComputeError} `E_DIM` for a dim that does not exist or occurs twice, `E_SHAPE` where nothing is folded and
   * that has no value, and those of {@linkcode Engine.map}.
   */
  reduce(name: string, x: Tensor, { dim, keepdim = false }: FoldOptions = {}): Tensor {
    const row = FOLDS.get(name);
    if (row === undefined) throw new RangeError(`there is no operation ${JSON.stringify(name)}`);
    if (!row.dtypes.includes(x.dtype)) {
      throw new ComputeError("E_DTYPE", name, `takes ${row.dtypes.join(", ")}, not ${x.dtype}; cast the operand`);
    }
    const [source] = this.#sources(name, [x]);
    const all = x.shape.map((_, index) => index);
    const dims = dim === undefined ? all : [dim].flat().map((one) => dimOf(name, one, x.shape));
    if (new Set(dims).size !== dims.length) {
      throw new ComputeError("E_DIM", name, `dims [${dim}] of shape [${x.shape}] name one twice`);
    }
    const shape = x.shape.flatMap((extent, index) => dims.includes(index) ? (keepdim ? [1] : []) : [extent]);
    const count = dims.reduce((product, one) => product * (x.shape[one] ?? 1), 1);
    if (count === 0 && row.refusesNothing) {
      throw new ComputeError(
        "E_SHAPE",
        name,
        `shape [${x.shape}] has no elements along dim ${dims.join(", ")}, and nothing has no ${name}`,
      );
    }
    const result = this.#launches.fold(row, x, dims, shape, source);
    return this.#tape.kept(result, (tape) => tape.folded(name, result, x, x.shape.length === 0 ? [] : dims));
  }

  /**
   * The product of two matrices, of a matrix and a vector, or of stacks of matrices, which broadcast. Operands are f32.
   *
   * @throws {ComputeError} `E_SHAPE`, `E_DTYPE`, and those of {@linkcode Engine.map}.
   */
  matmul(a: Tensor, b: Tensor): Tensor<"f32"> {
    const [left, right] = this.#sources("matmul", [a, b]);
    for (const { dtype } of [a, b]) {
      if (dtype !== "f32") throw new ComputeError("E_DTYPE", "matmul", `takes f32, not ${dtype}; cast the operand`);
    }
    const result = this.#launches.product(a, b, left, right);
    return this.#tape.kept(result, (tape) => tape.multiplied(result, a, b));
  }

  /** Elements in another type: floats saturate and NaN becomes 0, integers wrap (ops.md §13). */
  cast<D extends DType>(x: Tensor, dtype: D): Tensor<D> {
    asDType("cast", dtype);
    const sources = this.#sources("cast", [x]);
    const result = this.#launches.map("cast", x.shape, [x], [dtype], (value) => value, sources) as Tensor<D>;
    return this.#tape.kept(result, (tape) => x.dtype === "f32" && tape.viewed("cast", result, x, "reshape"));
  }

  /**
   * Runs a function and disposes of the tensors that were made meanwhile, but for those kept.
   *
   * @param run Not asynchronous: what is made while it waits could be another's.
   * @throws {TypeError} When it returns a promise.
   */
  scope<T>(run: (scope: Scope) => T): T {
    const made = new Set<Tensor>();
    const around = this.#scopes.at(-1);
    this.#scopes.push(made);
    try {
      const result = run({
        keep: (tensor) => {
          if (made.delete(tensor)) around?.add(tensor);
          return tensor;
        },
      });
      if (result instanceof Promise) throw new TypeError("a scope cannot wait; read tensors behind it");
      return result;
    } finally {
      this.#scopes.pop();
      for (const tensor of made) tensor.dispose();
    }
  }

  /** Tensors that are alive, oldest first: what a program has not disposed of. */
  tensors(): LiveTensor[] {
    return this.#register.list();
  }

  /** What buffers are in use. */
  stats(): BufferStats {
    return this.#buffers.stats();
  }

  /** Gives back buffers that are kept for later. */
  trim(): void {
    this.#buffers.trim();
  }

  /** Closes the device; tensors of it are of no use afterwards. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#device[Symbol.asyncDispose]();
  }

  /** See {@linkcode Runner.disposed}. */
  disposed(tensor: Tensor, storage: Storage | undefined): void {
    this.#register.remove(tensor);
    this.#unscope(tensor);
    if (storage) this.#release(storage);
  }

  /** See {@linkcode Runner.view}. */
  view(of: Tensor, op: string, layout: Layout, inverse?: Inverse): Tensor {
    const [storage] = this.#sources(op, [of]);
    if (storage) storage.holders++;
    const result = this.#handle(op, of.dtype, layout, storage);
    return this.#tape.kept(result, (tape) => op !== "detach" && tape.viewed(op, result, of, inverse));
  }

  /** See {@linkcode Runner.copy}. */
  copy(of: Tensor): Tensor {
    const result = this.#launches.map(
      "clone",
      of.shape,
      [of],
      [of.dtype],
      (value) => value,
      this.#sources("clone", [of]),
    );
    return this.#tape.kept(result, (tape) => tape.viewed("clone", result, of, "reshape"));
  }

  /** See {@linkcode Runner.withGradient}. */
  withGradient<T extends Tensor>(
    op: string,
    operands: readonly Tensor[],
    run: () => T,
    needs: readonly number[],
    rule: GradientRule,
  ): T {
    return this.#tape.ruled(op, operands, run, needs, rule);
  }

  /** See {@linkcode Runner.require}. */
  require(of: Tensor, wanted: boolean): void {
    this.#tape.require(of, wanted);
  }

  /** See {@linkcode Runner.backward}. */
  backward(roots: readonly Tensor[], gradients: readonly (Tensor | undefined)[], options: BackwardOptions): void {
    this.#sources("backward", [...roots, ...gradients.filter((one) => one !== undefined)]);
    goBack(this.#host, roots, gradients, options);
  }

  /** See {@linkcode Runner.gradients}. */
  gradients(
    roots: readonly Tensor[],
    of: readonly Tensor[],
    options: BackwardOptions & { readonly gradients?: readonly (Tensor | undefined)[] },
  ): (Tensor | undefined)[] {
    const { gradients = [] } = options;
    this.#sources("grad", [...roots, ...of, ...gradients.filter((one) => one !== undefined)]);
    return goBack(this.#host, roots, gradients, options, of.map(({ node }) => node as Node | undefined));
  }

  /** See {@linkcode Runner.hook}. */
  hook(of: Tensor, see: (gradient: Tensor) => Tensor | void): Disposable {
    return this.#tape.hook(of, see);
  }

  /** See {@linkcode Runner.write}. */
  write(to: Tensor, from: Tensor | Nested | Flat, force: boolean): void {
    this.#sources("write", from instanceof Tensor ? [to, from] : [to]);
    overwrite(this, this.#device, to, from, force);
  }

  /** See {@linkcode Runner.read}. */
  async read(of: Tensor): Promise<DataOf<DType>> {
    if (of.size === 0) return decode(new Uint32Array(0), of.dtype);
    using copy = isContiguous(of.layout) ? undefined : this.copy(of);
    const from = copy ?? of;
    const [storage] = this.#sources("read", [from]);
    return decode(await this.#device.read(storage!.buffer, from.layout.offset, of.size), of.dtype);
  }

  #revive({ storage, layout, dtype, node }: Saved, own: Node): Tensor {
    if (storage) storage.holders++;
    const tensor = this.#handle("saved", dtype, layout, storage);
    const from = node === "itself" ? own : node;
    if (from) {
      tensor.track(from);
      this.#host.follow(tensor, from);
    }
    return tensor;
  }

  #release(storage: Storage): void {
    if (!this.#closed) this.#buffers.release(storage);
  }

  #unscope(tensor: Tensor): void {
    for (const scope of this.#scopes) scope.delete(tensor);
  }

  /** A tensor with a buffer, whose elements are written next. */
  #make<D extends DType>(op: string, dtype: D, layout: Layout): Tensor<D> {
    this.#checkOpen(op);
    const size = sizeOf(layout.shape);
    return this.#handle(op, dtype, layout, size === 0 ? undefined : this.#buffers.take(op, size * ELEMENT_BYTES));
  }

  #handle<D extends DType>(op: string, dtype: D, layout: Layout, storage: Storage | undefined): Tensor<D> {
    const tensor = new Tensor(this, ++this.#made, op, dtype, layout, storage);
    this.#register.add(tensor, storage);
    this.#scopes.at(-1)?.add(tensor);
    this.#tape.made(tensor);
    return tensor;
  }

  #sources(op: string, tensors: readonly Tensor[]): (Storage | undefined)[] {
    this.#checkOpen(op);
    return tensors.map((tensor) => {
      if (tensor.runner !== this) {
        throw new ComputeError("E_BUFFER", op, `tensor ${tensor.id} belongs to another engine; read it there first`);
      }
      return tensor.storageFor(op);
    });
  }

  #checkOpen(op: string): void {
    if (this.#closed) throw new ComputeError("E_BUFFER", op, "the engine is closed");
  }
}
