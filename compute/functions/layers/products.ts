/**
 * Products of vectors, matrices and stacks of them (ops.md §6, rows 138 to 151). Operands are f32.
 *
 * Each function throws a `ComputeError`: `E_SHAPE`, `E_DIM`, `E_DTYPE`, `E_VALUE`, `E_BUFFER`, `E_LIMIT`, `E_OOM`.
 *
 * @module
 */
import type { Tensor } from "../../tensors/tensor.ts";
import { dimOf, sizeOf } from "../../values/shape.ts";
import { add, mul, sub } from "../elements/broadcasting.ts";
import { matmul, sum } from "../folding/folds.ts";
import { norm } from "../folding/statistics.ts";
import { diagonal, expand, reshape, unsqueeze } from "../shapes/views.ts";
import { checkDType, refuse, within } from "../tools/tools.ts";

/** What a product is weighed against. */
export interface ScaleOptions {
  /** Of what is added. With 0 it is not looked at. Default 1. */
  readonly beta?: number;
  /** Of the product. Default 1. */
  readonly alpha?: number;
}

/** The sum of products of two vectors. */
export function dot(x: Tensor, y: Tensor): Tensor<"f32"> {
  return matmul(ranked("dot", x, 1), ranked("dot", y, 1));
}

/** {@linkcode dot}: there are no complex numbers. */
export function vdot(x: Tensor, y: Tensor): Tensor<"f32"> {
  return dot(x, y);
}

/** A matrix and a vector. */
export function mv(a: Tensor, x: Tensor): Tensor<"f32"> {
  return matmul(ranked("mv", a, 2), ranked("mv", x, 1));
}

/** Two matrices. */
export function mm(a: Tensor, b: Tensor): Tensor<"f32"> {
  return matmul(ranked("mm", a, 2), ranked("mm", b, 2));
}

/** Two stacks of as many matrices. */
export function bmm(a: Tensor, b: Tensor): Tensor<"f32"> {
  if (a.shape[0] !== b.shape[0]) refuse("E_SHAPE", "bmm", `stacks [${a.shape}] and [${b.shape}] are not as many`);
  return matmul(ranked("bmm", a, 3), ranked("bmm", b, 3));
}

/** beta·c + alpha·a·b of matrices. */
export function addmm(c: Tensor, a: Tensor, b: Tensor, options: ScaleOptions = {}): Tensor<"f32"> {
  return within(c, () => weighed(c, mm(a, b), options));
}

/** beta·c + alpha·a·x of a matrix and a vector. */
export function addmv(c: Tensor, a: Tensor, x: Tensor, options: ScaleOptions = {}): Tensor<"f32"> {
  return within(c, () => weighed(c, mv(a, x), options));
}

/** beta·c + alpha·a·b of stacks. */
export function baddbmm(c: Tensor, a: Tensor, b: Tensor, options: ScaleOptions = {}): Tensor<"f32"> {
  return within(c, () => weighed(c, bmm(a, b), options));
}

/** beta·c + alpha·Σ a·b over the stack. */
export function addbmm(c: Tensor, a: Tensor, b: Tensor, options: ScaleOptions = {}): Tensor<"f32"> {
  return within(c, () => weighed(c, sum(bmm(a, b), { dim: 0 }), options));
}

/** Each element of one vector by each of another. */
export function outer(x: Tensor, y: Tensor): Tensor {
  return within(x, () => mul(unsqueeze(ranked("outer", x, 1), 1), unsqueeze(ranked("outer", y, 1), 0)));
}

/** x·Wᵀ + b over the last dim. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor<"f32"> {
  if (weight.shape.length !== 1 && weight.shape.length !== 2) {
    refuse("E_SHAPE", "linear", `the weight has shape [${weight.shape}], not one or two dims`);
  }
  return within(x, () => {
    if (weight.shape.length === 1 || x.shape.length < 2) {
      const y = matmul(x, weight.shape.length === 1 ? weight : weight.transpose());
      return (bias ? add(y, bias) : y) as Tensor<"f32">;
    }
    // All rows at once, whatever the leading dims are.
    const width = x.shape.at(-1)!;
    const rows = reshape(x, [sizeOf(x.shape.slice(0, -1)), width]);
    const y = matmul(rows, weight.transpose());
    return reshape(bias ? add(y, bias) : y, [...x.shape.slice(0, -1), weight.shape[0]]) as Tensor<"f32">;
  });
}

/** x₁ᵀ·W_k·x₂ + b_k over the last dims. */
export function bilinear(x: Tensor, y: Tensor, weight: Tensor, bias?: Tensor): Tensor<"f32"> {
  return within(x, () => {
    const sums = einsum("...i,kij,...j->...k", x, weight, y);
    return (bias ? add(sums, bias) : sums) as Tensor<"f32">;
  });
}

/** Products summed over dims of both: the last ones of the first and the first ones of the second, or pairs of lists. */
export function tensordot(
  a: Tensor,
  b: Tensor,
  dims: number | readonly [readonly number[], readonly number[]] = 2,
): Tensor<"f32"> {
  const [left, right] = typeof dims === "number"
    ? [Array.from({ length: dims }, (_, i) => a.shape.length - dims + i), Array.from({ length: dims }, (_, i) => i)]
    : [dims[0].map((dim) => dimOf("tensordot", dim, a.shape)), dims[1].map((dim) => dimOf("tensordot", dim, b.shape))];
  const fits = left.length === right.length && left.every((dim, i) => a.shape[dim] === b.shape[right[i]]);
  if (!fits) refuse("E_SHAPE", "tensordot", `dims [${left}] of [${a.shape}] are not dims [${right}] of [${b.shape}]`);
  const rest = (x: Tensor, used: readonly number[]): number[] =>
    x.shape.map((_, dim) => dim).filter((dim) => !used.includes(dim));
  const [keptA, keptB] = [rest(a, left), rest(b, right)];
  return within(a, () => {
    const inner = sizeOf(left.map((dim) => a.shape[dim]));
    const rows = keptA.map((dim) => a.shape[dim]);
    const columns = keptB.map((dim) => b.shape[dim]);
    const one = reshape(a.permute(...keptA, ...left), [sizeOf(rows), inner]);
    const other = reshape(b.permute(...right, ...keptB), [inner, sizeOf(columns)]);
    return reshape(matmul(one, other), [...rows, ...columns]);
  });
}

/** Each element of one tensor by the whole of another. */
export function kron(a: Tensor, b: Tensor): Tensor {
  const rank = Math.max(a.shape.length, b.shape.length);
  const filled = (x: Tensor): readonly number[] => [...new Array(rank - x.shape.length).fill(1), ...x.shape];
  return within(a, () => {
    const [one, other] = [filled(a), filled(b)];
    if (2 * rank > 8) refuse("E_LIMIT", "kron", `${rank} dims are too many; 4 are possible`);
    const left = reshape(a, one.flatMap((extent) => [extent, 1]));
    const right = reshape(b, other.flatMap((extent) => [1, extent]));
    return reshape(mul(left, right), one.map((extent, dim) => extent * other[dim]));
  });
}

/** The distances of each row of one matrix, or stack, to each of another, by the norm of order p. */
export function cdist(a: Tensor, b: Tensor, p = 2): Tensor<"f32"> {
  if (a.shape.length < 2 || b.shape.length < 2 || a.shape.at(-1) !== b.shape.at(-1)) {
    refuse("E_SHAPE", "cdist", `shapes [${a.shape}] and [${b.shape}] are no rows of one length`);
  }
  return within(a, () => norm(sub(unsqueeze(a, -2), unsqueeze(b, -3)), { p, dim: -1 }));
}

/** The sum of the diagonal of a matrix. */
export function trace(x: Tensor): Tensor {
  return within(x, () => sum(diagonal(ranked("trace", x, 2))));
}

/** A square matrix, or each of a stack, multiplied by itself; 0 times is the unit. */
export function matrixPower(x: Tensor, times: number): Tensor<"f32"> {
  const [rows, columns] = x.shape.slice(-2);
  if (x.shape.length < 2 || rows !== columns) refuse("E_SHAPE", "matrix_power", `shape [${x.shape}] is not square`);
  if (!Number.isInteger(times) || times < 0) refuse("E_VALUE", "matrix_power", `${times} is no count`);
  checkDType("matrix_power", x, "f32");
  return within(x, (runner) => {
    let base = x as Tensor<"f32">;
    let result: Tensor<"f32"> | undefined;
    for (let left = times; left > 0; left = Math.floor(left / 2)) {
      if (left % 2 === 1) result = result ? matmul(result, base) : base;
      if (left > 1) base = matmul(base, base);
    }
    if (result !== undefined) return result === x ? x.clone() as Tensor<"f32"> : result;
    const unit = runner.tensor(Float32Array.from({ length: rows * rows }, (_, i) => i % (rows + 1) === 0 ? 1 : 0), {
      shape: [rows, rows],
    });
    return expand(unit, x.shape);
  });
}

/**
 * Einstein's summation: letters name dims, an ellipsis those in front that broadcast, and what the result leaves out is summed.
 *
 * @param equation `ij,jk->ik` for example; without an arrow the result is the letters that occur once, in order.
 */
export function einsum(equation: string, ...operands: Tensor[]): Tensor<"f32"> {
  const [left, right] = equation.replaceAll(" ", "").split("->");
  const terms = left.split(",");
  if (terms.length !== operands.length || !/^[a-zA-Z.,]*$/.test(left)) {
    refuse("E_SHAPE", "einsum", `${JSON.stringify(equation.slice(0, 80))} is not for ${operands.length} operands`);
  }
  return within(operands[0], () => {
    const widest = Math.max(...operands.map((x, i) => x.shape.length - terms[i].replace("...", "").length));
    const dots = Array.from({ length: Math.max(0, widest) }, (_, i) => String(i));
    const expandTerm = (term: string, own = dots.length): string[] => {
      const [before, after] = term.includes("...") ? term.split("...") : [term, undefined];
      return after === undefined ? [...before] : [...before, ...dots.slice(dots.length - own), ...after];
    };
    const labels = terms.map((term, i) => expandTerm(term, operands[i].shape.length - term.replace("...", "").length));
    const all = labels.flat();
    const once = [...new Set(all)].filter((one) => /\D/.test(one) && all.indexOf(one) === all.lastIndexOf(one)).sort();
    const result = right === undefined ? [...(left.includes("...") ? dots : []), ...once] : expandTerm(right);
    let parts = operands.map((x, i) => single(equation, x, labels[i]));
    if (new Set(result).size !== result.length || result.some((one) => !all.includes(one))) {
      refuse("E_SHAPE", "einsum", `the result of ${JSON.stringify(equation.slice(0, 80))} names a dim twice or anew`);
    }
    while (parts.length > 1) {
      const [i, j] = cheapest(parts);
      const others = parts.filter((_, one) => one !== i && one !== j);
      const needed = new Set([...result, ...others.flatMap((one) => one.labels)]);
      parts = [...others, contracted(equation, parts[i], parts[j], needed)];
    }
    const { x, labels: last } = summed(parts[0], new Set(result));
    const ordered = x.permute(...result.map((one) => last.indexOf(one)));
    return (ordered.runner.copy(ordered)) as Tensor<"f32">;
  });
}

interface Labelled {
  readonly x: Tensor;
  readonly labels: readonly string[];
}

/** An operand whose labels occur once: equal ones are its diagonal. */
function single(equation: string, x: Tensor, labels: readonly string[]): Labelled {
  checkDType("einsum", x, "f32");
  if (labels.length !== x.shape.length) {
    refuse(
      "E_SHAPE",
      "einsum",
      `shape [${x.shape}] does not have the dims of ${JSON.stringify(equation.slice(0, 80))}`,
    );
  }
  let [own, names] = [x, [...labels]];
  for (;;) {
    const second = names.findIndex((one, i) => names.indexOf(one) !== i);
    if (second < 0) return { x: own, labels: names };
    const first = names.indexOf(names[second]);
    const name = names[second];
    if (own.shape[first] !== own.shape[second]) refuse("E_SHAPE", "einsum", `${name} has two extents in [${x.shape}]`);
    own = diagonal(own, 0, first, second);
    names = [...names.filter((one) => one !== name), name];
  }
}

/** The pair whose product takes the fewest multiplications. */
function cheapest(parts: readonly Labelled[]): [number, number] {
  let [best, least]: [[number, number], number] = [[0, 1], Infinity];
  for (let i = 0; i < parts.length; i++) {
    for (let j = i + 1; j < parts.length; j++) {
      const extents = new Map<string, number>();
      for (const { x, labels } of [parts[i], parts[j]]) {
        labels.forEach((one, dim) => extents.set(one, Math.max(extents.get(one) ?? 1, x.shape[dim])));
      }
      const cost = sizeOf([...extents.values()]);
      if (cost < least) [best, least] = [[i, j], cost];
    }
  }
  return best;
}

/** Without the labels that nobody needs. */
function summed({ x, labels }: Labelled, needed: ReadonlySet<string>): Labelled {
  const dims = labels.flatMap((one, dim) => needed.has(one) ? [] : [dim]);
  if (dims.length === 0) return { x, labels };
  return { x: sum(x, { dim: dims }), labels: labels.filter((one) => needed.has(one)) };
}

function contracted(equation: string, a: Labelled, b: Labelled, needed: ReadonlySet<string>): Labelled {
  const left = summed(a, new Set([...needed, ...b.labels]));
  const right = summed(b, new Set([...needed, ...a.labels]));
  const shared = left.labels.filter((one) => right.labels.includes(one));
  const batch = shared.filter((one) => needed.has(one));
  const inner = shared.filter((one) => !needed.has(one));
  const extent = (one: string): number => {
    const [p, q] = [left, right].map(({ x, labels }) => x.shape[labels.indexOf(one)]);
    if (p !== q && p !== 1 && q !== 1) {
      refuse("E_SHAPE", "einsum", `${one} of ${JSON.stringify(equation.slice(0, 80))} is ${p} and ${q}`);
    }
    return p === 1 ? q : p;
  };
  const sizes = new Map(shared.map((one) => [one, extent(one)]));
  const seen = ({ x, labels }: Labelled): Tensor => expand(x, x.shape.map((own, dim) => sizes.get(labels[dim]) ?? own));
  const rows = left.labels.filter((one) => !shared.includes(one));
  const columns = right.labels.filter((one) => !shared.includes(one));
  const shapeOf = ({ x, labels }: Labelled, names: readonly string[]): number[] =>
    names.map((one) => sizes.get(one) ?? x.shape[labels.indexOf(one)]);
  const turned = (part: Labelled, first: readonly string[], second: readonly string[]): Tensor => {
    const order = [...batch, ...first, ...second];
    const view = seen(part).permute(...order.map((one) => part.labels.indexOf(one)));
    const extents = [batch, first, second].map((names) => sizeOf(shapeOf(part, names)));
    return reshape(view, extents);
  };
  const product = matmul(turned(left, rows, inner), turned(right, inner, columns));
  const shape = [...shapeOf(left, batch), ...shapeOf(left, rows), ...shapeOf(right, columns)];
  return { x: reshape(product, shape), labels: [...batch, ...rows, ...columns] };
}

function ranked(op: string, x: Tensor, rank: number): Tensor {
  if (x.shape.length !== rank) refuse("E_SHAPE", op, `shape [${x.shape}] has ${x.shape.length} dims, not ${rank}`);
  return x;
}

function weighed(c: Tensor, product: Tensor, { beta = 1, alpha = 1 }: ScaleOptions): Tensor<"f32"> {
  const scaled = alpha === 1 ? product : mul(product, alpha);
  const whole = expand(c, product.shape);
  return (beta === 0 ? scaled : add(beta === 1 ? whole : mul(whole, beta), scaled)) as Tensor<"f32">;
}
