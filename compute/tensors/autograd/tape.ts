/**
 * The tape: operations whose operands ask for gradients become nodes of a graph (compute.md §7).
 *
 * @module
 */
import type { Forward } from "../../table/expression.ts";
import type { MapOp } from "../../table/spec.ts";
import type { DType } from "../../values/dtype.ts";
import { ComputeError } from "../../values/errors.ts";
import type { Storage } from "../buffers.ts";
import { type GradientRule, type Inverse, type KernelOperand, type Operand, type Runner, Tensor } from "../tensor.ts";
import { FOLD_GRADIENTS, productGradients } from "./folds.ts";
import { gradMode, inMode } from "./modes.ts";
import {
  byRule,
  foldBackward,
  type PlainKernelOperand,
  type PlainOperand,
  rowGradient,
  treeGradient,
  viewBackward,
} from "./plans.ts";
import { type Backward, type GradientHook, Node, type Saved } from "./node.ts";

/** What the tape asks of an engine. */
export interface TapeHost {
  /** The engine, as tensors know it. */
  readonly runner: Runner;
  /** A tensor of what was saved. */
  revive(saved: Saved, own: Node): Tensor;
  /** One holder less of a buffer. */
  release(storage: Storage): void;
  /** A tensor holds a node from now on. */
  follow(tensor: Tensor, node: Node): void;
  /** Takes a tensor out of all scopes. */
  unscope(tensor: Tensor): void;
}

/** Records the operations of one engine. */
export class Tape {
  readonly #host: TapeHost;
  readonly #inference = new WeakSet<Tensor>();
  readonly #release = (storage: Storage): void => this.#host.release(storage);

  /** @param host The engine. */
  constructor(host: TapeHost) {
    this.#host = host;
  }

  /** Marks what is made in inference mode. */
  made(tensor: Tensor): void {
    if (gradMode() === "inference") this.#inference.add(tensor);
  }

  /** Whether an operation on these is recorded. */
  records(dtype: DType, operands: readonly Tensor[]): boolean {
    return dtype === "f32" && operands.some((one) => one.requiresGrad) && gradMode() === "enabled";
  }

  /** Makes a leaf of a tensor, or none. */
  require(tensor: Tensor, wanted: boolean): void {
    if (tensor.dtype !== "f32" && wanted) {
      throw new ComputeError("E_DTYPE", "requires_grad", `only f32 has gradients, not ${tensor.dtype}; cast it first`);
    }
    if (tensor.node && tensor.node.op !== "leaf") {
      throw new ComputeError(
        "E_GRAPH",
        "requires_grad",
        `tensor ${tensor.id} was made by ${tensor.made}; detach it first`,
      );
    }
    if (!wanted) return tensor.track(undefined);
    if (tensor.node) return;
    this.#refuseInference("requires_grad", [tensor]);
    const node = new Node("leaf", tensor.shape, [], undefined, () => {});
    node.leaf = tensor;
    tensor.track(node);
  }

  /** Has a function see the gradient of a tensor. */
  hook(tensor: Tensor, see: GradientHook): Disposable {
    const node = tensor.node as Node | undefined;
    if (!node) {
      throw new ComputeError("E_GRAPH", "on_gradient", `tensor ${tensor.id} of ${tensor.made} asks for no gradients`);
    }
    node.hooks.add(see);
    return { [Symbol.dispose]: () => void node.hooks.delete(see) };
  }

  /** Runs a function without recording it, and records its rule. */
  ruled<T extends Tensor>(
    op: string,
    operands: readonly Tensor[],
    run: () => T,
    needs: readonly number[],
    rule: GradientRule,
  ): T {
    if (!this.records("f32", operands)) return run();
    const made = inMode("disabled", () => this.#host.runner.scope(({ keep }) => keep(run())));
    const result = (made.node || operands.includes(made) ? made.detach() : made) as T;
    if (result.dtype !== "f32") return result;
    const from = operands.filter((one) => one.requiresGrad);
    const places = operands.map((one) => from.indexOf(one));
    const all = [...operands, result];
    const backward = byRule(rule, places, from.length);
    return this.kept(result, () => this.record(op, result, from, needs.map((one) => all[one]), backward));
  }

  /** Records an operation; what is saved is its operands or its result. */
  record(op: string, result: Tensor, operands: readonly Tensor[], needs: readonly Tensor[], backward: Backward): void {
    this.#refuseInference(op, [...operands, ...needs]);
    const nodes = operands.map(({ node }) => node as Node | undefined);
    const node = new Node(op, result.shape, nodes, backward, this.#release);
    node.save(needs.map((one): Saved => {
      const storage = one.storageFor(op);
      const from = one === result ? "itself" : one.node as Node | undefined;
      return { storage, layout: one.layout, dtype: one.dtype, version: storage?.version ?? 0, node: from };
    }));
    result.track(node);
    this.#host.follow(result, node);
  }

  /** A result, recorded; what cannot be is disposed of. */
  kept<T extends Tensor>(result: T, record: (tape: Tape) => unknown): T {
    try {
      record(this);
      return result;
    } catch (error) {
      result.dispose();
      throw error;
    }
  }

  /** Records a row that maps elements. */
  mapped(row: MapOp, result: Tensor, given: readonly Operand[], types: readonly DType[]): void {
    const tensors = given.filter((one) => one instanceof Tensor);
    if (!this.records(result.dtype, tensors)) return;
    const { name, gradients } = row;
    if (gradients === undefined || gradients === "none") refuse(name);
    const plain = given.map((one, i): PlainOperand =>
      one instanceof Tensor ? { shape: one.shape, wanted: one.requiresGrad } : { value: Number(one), dtype: types[i] }
    );
    const { needs, backward } = rowGradient(row, gradients, plain, types, result.shape);
    const saved = needs.map((at) => at === given.length ? result : given[at] as Tensor);
    this.record(name, result, tensors, saved, backward);
  }

  /** Records a tree over operands, whose gradient is a tree too. */
  kerneled(op: string, result: Tensor, operands: readonly KernelOperand[], forward: Forward): void {
    const tensors = operands.flatMap((one) => one instanceof Tensor ? [one] : "tensor" in one ? [one.tensor] : []);
    if (!this.records(result.dtype, tensors)) return;
    for (const one of operands) {
      if (!(one instanceof Tensor) && "tensor" in one && one.tensor.requiresGrad && one.tensor.dtype === "f32") {
        refuse(op);
      }
    }
    const plain = operands.map((one): PlainKernelOperand => {
      if (one instanceof Tensor) return { shape: one.shape, dtype: one.dtype, wanted: one.requiresGrad };
      if (!("tensor" in one)) return one;
      const { shape, dtype, requiresGrad: wanted } = one.tensor;
      return { shape, dtype, wanted, layout: one.layout, free: one.free };
    });
    const { needs, backward } = treeGradient(op, forward, plain, result.shape);
    this.record(op, result, tensors, needs.map((at) => tensors[at]), backward);
  }

  /** Records a fold. */
  folded(name: string, result: Tensor, x: Tensor, dims: readonly number[]): void {
    if (!this.records(result.dtype, [x])) return;
    const gradient = FOLD_GRADIENTS[name];
    if (gradient === undefined) refuse(name);
    const needs = gradient.reads.map((one) => one === "x" ? x : result);
    this.record(name, result, [x], needs, foldBackward(gradient, x.shape, dims));
  }

  /** Records a product of matrices. */
  multiplied(result: Tensor, a: Tensor, b: Tensor): void {
    if (!this.records(result.dtype, [a, b])) return;
    const shapes = [a.shape, b.shape] as const;
    const needs = [...(b.requiresGrad ? [a] : []), ...(a.requiresGrad ? [b] : [])];
    const [keepsA, keepsB] = [b.requiresGrad, a.requiresGrad];
    this.record("matmul", result, [a, b], needs, (g, saved, asked) => {
      const left = keepsA && asked[1] ? saved[0] : undefined;
      const right = keepsB && asked[0] ? saved.at(-1) : undefined;
      return productGradients(g, left, right, shapes);
    });
  }

  /** Records a view or a copy. */
  viewed(op: string, result: Tensor, x: Tensor, inverse: Inverse | undefined): void {
    if (!this.records(result.dtype, [x])) return;
    if (inverse === undefined) refuse(op);
    this.record(op, result, [x], [], viewBackward(x.shape, inverse));
  }

  #refuseInference(op: string, tensors: readonly Tensor[]): void {
    for (const one of tensors) {
      if (this.#inference.has(one)) {
        throw new ComputeError(
          "E_GRAPH",
          op,
          `tensor ${one.id} of ${one.made} was made in inference mode; clone it outside`,
        );
      }
    }
  }
}

/** Refuses what has no gradient. */
function refuse(op: string): never {
  throw new ComputeError("E_GRAPH", op, "has no gradient; detach its operands, or run it within noGrad");
}
