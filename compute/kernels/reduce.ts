/**
 * A row that folds elements as launches: one, or where a fold is long, parts first and then the parts.
 *
 * How a fold is cut depends on the shape and the target alone, never on how busy the machine is, so that a result is the
 * same each time.
 *
 * @module
 */
import { bitsOf, type DType } from "../values/dtype.ts";
import { coalesce, type Layout, sizeOf } from "../values/shape.ts";
import { type Expr, fingerprint, input } from "../table/expression.ts";
import type { ReduceOp } from "../table/spec.ts";
import type { Launch, ReduceSpec } from "./spec.ts";

/** How much one output may fold before the fold is cut into parts. */
export interface FoldLimits {
  /** Along a contiguous dim, whose elements are folded in lanes. */
  readonly inLanes: number;
  /** Otherwise. */
  readonly oneByOne: number;
}

/** One step: a launch from the source or from the step before. */
export interface FoldStep {
  /** What runs; several write parts of one result. */
  readonly launches: readonly Launch[];
  /** Elements of the result. */
  readonly size: number;
  /** Their type. */
  readonly dtype: DType;
}

/** An iteration space of kept and reduced dims. */
interface Space {
  readonly kept: Axes;
  readonly reduced: Axes;
  readonly offset: number;
}
interface Axes {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/**
 * The steps of a fold.
 *
 * @param op The row.
 * @param dtype Type of the elements.
 * @param layout Where they lie; not empty.
 * @param dims The reduced dims, in order.
 * @param limits The target's.
 */
export function planReduce(
  op: ReduceOp,
  dtype: DType,
  layout: Layout,
  dims: readonly number[],
  limits: FoldLimits,
): FoldStep[] {
  const pick = (wanted: (dim: number) => boolean): Axes => {
    const at = layout.shape.map((_, dim) => dim).filter(wanted);
    const { shape, strides } = coalesce(at.map((dim) => layout.shape[dim]), [at.map((dim) => layout.strides[dim])]);
    return { shape, strides: strides[0] };
  };
  const steps: FoldStep[] = [];
  let space: Space = {
    kept: pick((dim) => !dims.includes(dim)),
    reduced: pick((dim) => dims.includes(dim)),
    offset: layout.offset,
  };
  const count = sizeOf(space.reduced.shape);
  let each = op.each;
  let from = dtype;
  for (;;) {
    const accumulator = each(input(0, from)).dtype;
    const limit = lanesOf(space) === "reduced" ? limits.inLanes : limits.oneByOne;
    if (sizeOf(space.reduced.shape) <= limit) {
      const launch = launchOf(op, from, each, space, 0, count, true);
      return [...steps, { launches: [launch], size: launch.items, dtype: (launch.spec as ReduceSpec).finish.dtype }];
    }
    const { parts, next } = cut(space, limit);
    const launches: Launch[] = [];
    let place = 0;
    for (const part of parts) {
      const launch = launchOf(op, from, each, part, place, count, false);
      launches.push(launch);
      place += launch.items;
    }
    steps.push({ launches, size: place, dtype: accumulator });
    space = next;
    from = accumulator;
    each = (x) => x;
  }
}

/** Cuts the longest reduced dim into equal parts and a rest; the parts are the outermost kept dim of what they write. */
function cut({ kept, reduced, offset }: Space, limit: number): { parts: Space[]; next: Space } {
  const dim = reduced.shape.indexOf(Math.max(...reduced.shape));
  const extent = reduced.shape[dim];
  const others = sizeOf(reduced.shape) / extent;
  const length = Math.max(1, Math.floor(limit / others));
  const whole = Math.floor(extent / length);
  const rest = extent - whole * length;
  const cutTo = (extent: number): Axes => ({ ...reduced, shape: reduced.shape.with(dim, extent) });
  const lead = { shape: [whole, ...kept.shape], strides: [length * reduced.strides[dim], ...kept.strides] };
  const parts: Space[] = [{ kept: lead, reduced: cutTo(length), offset }];
  if (rest > 0) parts.push({ kept, reduced: cutTo(rest), offset: offset + whole * length * reduced.strides[dim] });
  const outputs = sizeOf(kept.shape);
  const next: Space = {
    kept: { shape: [outputs], strides: [1] },
    reduced: { shape: [whole + (rest > 0 ? 1 : 0)], strides: [outputs] },
    offset: 0,
  };
  return { parts, next };
}

function launchOf(
  op: ReduceOp,
  dtype: DType,
  eachOf: (x: Expr) => Expr,
  space: Space,
  place: number,
  count: number,
  last: boolean,
): Launch {
  const { kept, reduced, offset } = space;
  const lanes = lanesOf(space);
  const each = eachOf(input(0, dtype));
  const folded = each.dtype;
  const combine = op.combine(input(0, folded), input(1, folded));
  const finish = last && op.finish ? op.finish(input(0, folded), input(1, "f32")) : input(0, folded);
  const identity = op.identity(folded);
  const trees = [each, combine, finish].map(fingerprint).join(" | ");
  const [k, r] = [kept.shape.length, reduced.shape.length];
  const key = `reduce ${k} ${r} ${dtype} ${lanes} ${identity} ${trees}`;
  const spec: ReduceSpec = { kind: "reduce", key, kept: k, reduced: r, dtype, lanes, each, identity, combine, finish };
  const outputs = sizeOf(kept.shape);
  const words = [0, outputs, place, ...kept.shape, ...reduced.shape, offset, ...kept.strides, ...reduced.strides];
  words.push(bitsOf(count, "f32"));
  return { spec, words, items: outputs, weight: sizeOf(reduced.shape) };
}

function lanesOf({ kept, reduced }: Space): ReduceSpec["lanes"] {
  if (reduced.strides.at(-1) === 1) return "reduced";
  return kept.strides.at(-1) === 1 && kept.shape.at(-1)! >= 4 ? "kept" : "none";
}
