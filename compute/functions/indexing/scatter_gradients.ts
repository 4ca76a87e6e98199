/**
 * What collecting by an index sends back (ops.md §10, row 197).
 *
 * @module
 */
import { constant } from "../../table/expression.ts";
import type { GradientRule, Tensor } from "../../tensors/tensor.ts";
import { add, div, eq, mul, where } from "../elements/broadcasting.ts";
import { pad } from "../shapes/joining.ts";
import { refuse } from "../tools/tools.ts";
import { accumulated, collected, gather } from "../lookup/exchange.ts";

/** How elements that meet become one. */
export type ScatterReduction = "sum" | "prod" | "mean" | "amax" | "amin";

/** How they were collected. */
export interface ScatterForm {
  /** What was made of them. */
  readonly by: ScatterReduction;
  /** With what was there. */
  readonly includeSelf: boolean;
  /** Along which dim. */
  readonly dim: number;
}

/** The rule of a reduction: its operands are the target, the index and the source. */
export function scatterGradient(form: ScatterForm, extents: readonly number[]): GradientRule {
  const { by, includeSelf, dim } = form;
  if (by === "sum") {
    return (g, [index]) => [includeSelf ? g : untouched(g, dim, index), undefined, spread(g, dim, index, extents)];
  }
  return (g, [x, index, source, result]) => {
    const seen = cut(source, index.shape);
    const self = includeSelf ? 1 : 0;
    const times = (of: Tensor): Tensor => accumulated(of, x.shape, dim, index);
    if (by === "mean") {
      const count = add(times(ones(g, index.shape)), self);
      const part = div(g, where(eq(count, 0), 1, count));
      return [includeSelf ? part : untouched(g, dim, index), undefined, spread(part, dim, index, extents)];
    }
    if (by === "prod") {
      // Of the factors of an element: how many are 0, and the product of the rest.
      const zero = (of: Tensor): Tensor => where(eq(of, 0), 1, 0);
      const filled = (of: Tensor): Tensor => where(eq(of, 0), 1, of);
      const own = includeSelf ? filled(x) : ones(g, x.shape);
      const zeros = add(times(g.runner.cast(zero(seen), "f32")), includeSelf ? zero(x) : 0);
      if (g.requiresGrad || seen.requiresGrad) {
        refuse("E_GRAPH", "scatter_reduce", "a product has no gradients of gradients");
      }
      const { found, value } = collected("scatter_backward", own, dim, index, filled(seen), (a, b) => {
        return { kind: "binary", dtype: "f32", name: "mul", of: [a, b] };
      });
      const rest = mul(own, where(found, value, 1));
      const others = (of: Tensor, zeros: Tensor, rest: Tensor): Tensor => {
        const left = add(zeros, mul(zero(of), -1));
        return where(eq(left, 0), div(rest, filled(of)), 0);
      };
      const back = mul(gather(g, dim, index), others(seen, gather(zeros, dim, index), gather(rest, dim, index)));
      const kept = includeSelf ? mul(g, others(x, zeros, rest)) : untouched(g, dim, index);
      return [kept, undefined, widened(back, extents)];
    }
    const same = where(eq(seen, gather(result, dim, index)), ones(g, index.shape), 0);
    const own = includeSelf ? where(eq(x, result), ones(g, x.shape), 0) : 0;
    const count = add(times(same), own);
    const part = div(g, where(eq(count, 0), 1, count));
    const kept = includeSelf ? mul(part, own) : untouched(g, dim, index);
    return [kept, undefined, widened(mul(gather(part, dim, index), same), extents)];
  };
}

/** With zeros at the ends of dims, up to a shape. */
export function widened(x: Tensor, shape: readonly number[]): Tensor {
  return pad(x, shape.flatMap((extent, dim) => [extent - x.shape[dim], 0]).reverse());
}

/** A gradient where no index leads, and 0 elsewhere. */
function untouched(g: Tensor, dim: number, index: Tensor): Tensor {
  return where(eq(accumulated(ones(g, index.shape), g.shape, dim, index), 0), g, 0);
}

function spread(g: Tensor, dim: number, index: Tensor, extents: readonly number[]): Tensor {
  return widened(gather(g, dim, index), extents);
}

function cut(x: Tensor, shape: readonly number[]): Tensor {
  return shape.reduce((part: Tensor, extent, dim) => part.slice(dim, { stop: extent }), x);
}

function ones(like: Tensor, shape: readonly number[]): Tensor {
  return like.runner.kernel("ones", shape, [], () => constant(1, "f32"));
}
