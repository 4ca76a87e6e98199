/**
 * The tape: operations whose operands ask for gradients become nodes of a graph (compute.md §7).
 *
 * @module
 */
import { derivative, reads } from "../../table/derivative.ts";
import { constant, convert, type Expr, type Forward, input } from "../../table/expression.ts";
import type { Gradient, Gradients, MapOp } from "../../table/spec.ts";
import type { DType } from "../../values/dtype.ts";
import { ComputeError } from "../../values/errors.ts";
import { type Layout, sizeOf } from "../../values/shape.ts";
import type { Storage } from "../buffers.ts";
import { type GradientRule, type Inverse, type KernelOperand, type Operand, type Runner, Tensor } from "../tensor.ts";
import { FOLD_GRADIENTS, productGradients } from "./folds.ts";
import { inverseOf, unbroadcast } from "./inverse.ts";
import { gradMode, inMode } from "./modes.ts";
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
    return this.kept(result, () =>
      this.record(op, result, from, needs.map((one) => all[one]), (g, saved, wanted) => {
        const sent = rule(g, saved, places.map((place) => place >= 0 && wanted[place]));
        // An operand that occurs twice is sent both.
        return from.map((_, at) =>
          places.flatMap((place, i) => place === at && sent[i] ? [sent[i]] : [])
            .reduce((sum: Tensor | undefined, one) => sum ? g.runner.map("add", [sum, one]) : one, undefined)
        );
      }));
  }

  /** Records an operation; what is saved is its operands or its result. */
  record(op: string, result: Tensor, operands: readonly Tensor[], needs: readonly Tensor[], backward: Backward): void {
    this.#refuseInference(op, [...operands, ...needs]);
    const nodes = operands.map(({ node }) => node as Node | undefined);
    const node = new Node(op, result.shape, nodes, backward, (storage) => this.#host.release(storage));
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
    const wanted = given.map((one) => one instanceof Tensor && one.requiresGrad);
    const used = given.map((_, i) => wanted[i] ? readBy(row, gradients, i) : []);
    const last = given.length + 1;
    // Places of operands among what is saved; numbers are kept as they are.
    const all = [...new Set(used.flat())].filter((at) => at > 0 && (at === last || given[at - 1] instanceof Tensor));
    const numbers = given.map((one): KernelOperand | undefined =>
      one instanceof Tensor ? undefined : { value: Number(one), dtype: types[given.indexOf(one)] }
    );
    const shapes = tensors.map((one) => one.shape);
    const places = given.flatMap((one, i) => one instanceof Tensor ? [i] : []);
    const { shape } = result;
    const needs = all.map((at) => at === last ? result : given[at - 1] as Tensor);
    this.record(name, result, tensors, needs, (g, saved, asked) =>
      places.map((i, tensor) => {
        if (!asked[tensor]) return undefined;
        const rule = gradients === "zero" ? "zero" : gradients[i];
        if (rule === "zero") return g.runner.kernel("zeros", shapes[tensor], [], () => constant(0, "f32"));
        const at = used[i];
        if (at.length === 1 && at[0] === 0 && passes(row, rule)) return unbroadcast(g, shapes[tensor]);
        const operands = at.map((one): KernelOperand => one === 0 ? g : numbers[one - 1] ?? saved[all.indexOf(one)]);
        const whole = g.runner.kernel(`${name}_backward`, shape, operands, (...found) => {
          const of = (one: number, dtype: DType): Expr =>
            at.includes(one) ? convert(found[at.indexOf(one)], dtype) : constant(0, dtype);
          return rule(of(0, "f32"), types.map((dtype, j) => of(j + 1, dtype)), of(last, "f32"));
        });
        return unbroadcast(whole, shapes[tensor]);
      }));
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
    const dtypes = operands.map((one): DType =>
      one instanceof Tensor ? one.dtype : "place" in one ? "i32" : "tensor" in one ? one.tensor.dtype : one.dtype
    );
    const root = forward(...dtypes.map((dtype, i) => input(i, dtype)));
    const back = derivative(root, input(operands.length, "f32"));
    const places = operands.flatMap((one, i) => one instanceof Tensor || "tensor" in one ? [i] : []);
    const shapes = tensors.map((one) => one.shape);
    const trees = places.map((i, tensor) => tensors[tensor].requiresGrad ? back.get(i) : undefined);
    const needs = places.filter((i) => trees.some((tree) => tree && reads(tree, i)));
    const kept = operands.map((one): Exclude<KernelOperand, Tensor> | Layout | undefined =>
      one instanceof Tensor ? undefined : "tensor" in one ? one.layout : one
    );
    const { shape } = result;
    const saves = needs.map((i) => tensors[places.indexOf(i)]);
    this.record(op, result, tensors, saves, (g, saved, asked) =>
      places.map((_, tensor) => {
        const tree = trees[tensor];
        if (!asked[tensor] || tree === undefined) return undefined;
        const at = [...kept.keys(), kept.length].filter((i) => reads(tree, i));
        const given = at.map((i): KernelOperand => {
          if (i === kept.length) return g;
          const found = needs.includes(i) ? saved[needs.indexOf(i)] : undefined;
          const own = kept[i];
          if (found) return own ? { tensor: found, layout: own as Layout, free: true } : found;
          return own as KernelOperand;
        });
        const whole = g.runner.kernel(`${op}_backward`, shape, given, (...inputs) => renamed(tree, at, inputs));
        return unbroadcast(whole, shapes[tensor]);
      }));
  }

  /** Records a fold. */
  folded(name: string, result: Tensor, x: Tensor, dims: readonly number[]): void {
    if (!this.records(result.dtype, [x])) return;
    const gradient = FOLD_GRADIENTS[name];
    if (gradient === undefined) refuse(name);
    const { shape } = x;
    const wide = shape.map((extent, dim) => dims.includes(dim) ? 1 : extent);
    const count = sizeOf(dims.map((dim) => shape[dim] ?? 1));
    const needs = gradient.reads.map((one) => one === "x" ? x : result);
    this.record(name, result, [x], needs, (g, saved) => {
      const { runner } = g;
      const [of, whole] = ["x", "result"].map((one) => saved[gradient.reads.indexOf(one as "x" | "result")]);
      const back = gradient.of(g.reshape(...wide), of, whole?.reshape(...wide), dims, count);
      return [`${back.shape}` === `${shape}` ? back : expanded(runner, back, shape)];
    });
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
    const { shape } = x;
    this.record(op, result, [x], [], (g) => [inverseOf(g, shape, inverse)]);
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

/** What a gradient reads: 0 for what comes back, then the operands, then the result. */
function readBy({ arity }: MapOp, gradients: Exclude<Gradients, "none">, operand: number): number[] {
  const rule = gradients === "zero" ? "zero" : gradients[operand];
  if (rule === "zero") return [];
  const inputs = Array.from({ length: arity + 2 }, (_, i) => input(i, "f32"));
  const tree = rule(inputs[0], inputs.slice(1, -1), inputs[arity + 1]);
  return inputs.flatMap((_, i) => reads(tree, i) ? [i] : []);
}

/** Whether a rule sends what comes back as it is. */
function passes({ arity }: MapOp, rule: Gradient): boolean {
  const inputs = Array.from({ length: arity + 2 }, (_, i) => input(i, "f32"));
  return rule(inputs[0], inputs.slice(1, -1), inputs[arity + 1]) === inputs[0];
}

/** A tree over other inputs. */
function renamed(root: Expr, at: readonly number[], inputs: readonly Expr[]): Expr {
  const made = new Map<Expr, Expr>();
  const of = (node: Expr): Expr => {
    const known = made.get(node);
    if (known) return known;
    let next: Expr = node;
    if (node.kind === "input") next = inputs[at.indexOf(node.index)];
    else if (node.kind === "load") next = { ...node, index: at.indexOf(node.index), of: [of(node.of[0])] };
    else if ("of" in node) next = { ...node, of: node.of.map(of) } as unknown as Expr;
    if (node.means && next.kind !== "input") {
      next = { ...next, means: { name: node.means.name, of: node.means.of.map(of) } };
    }
    made.set(node, next);
    return next;
  };
  return of(root);
}

function expanded(runner: Runner, x: Tensor, shape: readonly number[]): Tensor {
  const { strides, offset } = x.layout;
  const layout = { shape, strides: strides.map((step, dim) => x.shape[dim] === shape[dim] ? step : 0), offset };
  return runner.view(x, "expand", layout, "expand");
}
