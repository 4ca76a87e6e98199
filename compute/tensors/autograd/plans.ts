/**
 * How recorded operations go back, from what is known of their operands without holding them: a tensor that is forgotten has to be
 * collected while its graph is alive.
 *
 * @module
 */
import { derivative, reads } from "../../table/derivative.ts";
import { constant, convert, type Expr, type Forward, input } from "../../table/expression.ts";
import type { Gradient, Gradients, MapOp } from "../../table/spec.ts";
import type { DType } from "../../values/dtype.ts";
import { type Layout, sizeOf } from "../../values/shape.ts";
import type { GradientRule, KernelOperand, Tensor } from "../tensor.ts";
import type { FoldGradient } from "./folds.ts";
import { inverseOf, unbroadcast } from "./inverse.ts";
import type { Backward } from "./node.ts";

/** An operand of a row: a tensor, or a number. */
export type PlainOperand =
  | { readonly shape: readonly number[]; readonly wanted: boolean }
  | { readonly value: number; readonly dtype: DType };

/** An operand of a tree: a tensor, which may be seen otherwise or be free; a number; or a place. */
export type PlainKernelOperand =
  | {
    readonly shape: readonly number[];
    readonly dtype: DType;
    readonly wanted: boolean;
    readonly layout?: Layout;
    readonly free?: boolean;
  }
  | { readonly value: number; readonly dtype: DType }
  | { readonly place: Layout };

/** What is to be saved, and how to go back with it. */
export interface Plan {
  /** By place: an operand, or one behind them, the result. */
  readonly needs: readonly number[];
  /** The way back. */
  readonly backward: Backward;
}

/** The plan of a row. */
export function rowGradient(
  row: MapOp,
  gradients: Exclude<Gradients, "none">,
  operands: readonly PlainOperand[],
  types: readonly DType[],
  shape: readonly number[],
): Plan {
  const used = operands.map((one, i) => "wanted" in one && one.wanted ? readBy(row, gradients, i) : []);
  const last = operands.length + 1;
  const all = [...new Set(used.flat())].filter((at) => at === last || (at > 0 && "shape" in operands[at - 1]));
  const places = operands.flatMap((one, i) => "shape" in one ? [{ i, own: one.shape }] : []);
  const backward: Backward = (g, saved, asked) =>
    places.map(({ i, own }, tensor) => {
      if (!asked[tensor]) return undefined;
      const rule = gradients === "zero" ? "zero" : gradients[i];
      if (rule === "zero") return g.runner.kernel("zeros", own, [], () => constant(0, "f32"));
      const at = used[i];
      if (at.length === 1 && at[0] === 0 && passes(row, rule)) return unbroadcast(g, own);
      const given = at.map((one): KernelOperand => {
        const operand = operands[one - 1];
        return one === 0 ? g : operand && "value" in operand ? operand : saved[all.indexOf(one)];
      });
      const whole = g.runner.kernel(`${row.name}_backward`, shape, given, (...found) => {
        const of = (one: number, dtype: DType): Expr =>
          at.includes(one) ? convert(found[at.indexOf(one)], dtype) : constant(0, dtype);
        return rule(of(0, "f32"), types.map((dtype, j) => of(j + 1, dtype)), of(last, "f32"));
      });
      return unbroadcast(whole, own);
    });
  return { needs: all.map((at) => at - 1), backward };
}

/** The plan of a tree; `needs` are places among its tensors. */
export function treeGradient(
  op: string,
  forward: Forward,
  operands: readonly PlainKernelOperand[],
  shape: readonly number[],
): Plan {
  const root = forward(...operands.map((one, i) => input(i, "place" in one ? "i32" : one.dtype)));
  const back = derivative(root, input(operands.length, "f32"));
  const tensors = operands.flatMap((one, i) => "shape" in one ? [{ i, own: one }] : []);
  const trees = tensors.map(({ i, own }) => own.wanted ? back.get(i) : undefined);
  const needs = tensors.flatMap(({ i }, at) => trees.some((tree) => tree && reads(tree, i)) ? [at] : []);
  const backward: Backward = (g, saved, asked) =>
    tensors.map(({ own }, tensor) => {
      const tree = trees[tensor];
      if (!asked[tensor] || tree === undefined) return undefined;
      const at = [...operands.keys(), operands.length].filter((i) => reads(tree, i));
      const given = at.map((i): KernelOperand => {
        if (i === operands.length) return g;
        const operand = operands[i];
        if (!("shape" in operand)) return operand;
        const found = saved[needs.indexOf(tensors.findIndex((one) => one.i === i))];
        const { layout, free } = operand;
        return layout ? { tensor: found, layout, free } : found;
      });
      const whole = g.runner.kernel(`${op}_backward`, shape, given, (...inputs) => renamed(tree, at, inputs));
      return unbroadcast(whole, own.shape);
    });
  return { needs, backward };
}

/** How a fold goes back. */
export function foldBackward(gradient: FoldGradient, shape: readonly number[], dims: readonly number[]): Backward {
  const wide = shape.map((extent, dim) => dims.includes(dim) ? 1 : extent);
  const count = sizeOf(dims.map((dim) => shape[dim] ?? 1));
  return (g, saved) => {
    const [of, whole] = ["x", "result"].map((one) => saved[gradient.reads.indexOf(one as "x" | "result")]);
    const back = gradient.of(g.reshape(...wide), of, whole?.reshape(...wide), dims, count);
    return [`${back.shape}` === `${shape}` ? back : expanded(back, shape)];
  };
}

/** How a view goes back. */
export function viewBackward(shape: readonly number[], inverse: Parameters<typeof inverseOf>[2]): Backward {
  return (g) => [inverseOf(g, shape, inverse)];
}

/**
 * How an operation with a rule goes back.
 *
 * @param places Of each operand, its place among those that are recorded, or −1.
 */
export function byRule(rule: GradientRule, places: readonly number[], recorded: number): Backward {
  return (g, saved, wanted) => {
    const sent = rule(g, saved, places.map((place) => place >= 0 && wanted[place]));
    // An operand that occurs twice is sent both.
    return Array.from({ length: recorded }, (_, at) => {
      const parts = places.flatMap((place, i) => place === at && sent[i] ? [sent[i]] : []);
      return parts.length === 0 ? undefined : parts.reduce((sum, one) => g.runner.map("add", [sum, one]));
    });
  };
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

function expanded(x: Tensor, shape: readonly number[]): Tensor {
  const { strides, offset } = x.layout;
  const layout = { shape, strides: strides.map((step, dim) => x.shape[dim] === shape[dim] ? step : 0), offset };
  return x.runner.view(x, "expand", layout, "expand");
}
