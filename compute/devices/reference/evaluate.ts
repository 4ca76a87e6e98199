/**
 * Trees evaluated in float64: what they mean, where the targets have f32. Functions that a tree says it computes are the host's
 * own.
 *
 * @module
 */
import type { DType } from "../../values/dtype.ts";
import { type BinaryName, type CompareName, type Expr, inOrder, type Meaning } from "../../table/expression.ts";

/** The value of a tree, from those of its inputs and from what a free input has so many elements beyond. */
export type Evaluate = (inputs: readonly number[], load: (index: number, beyond: number) => number) => number;

const FLOAT = new Float32Array(1);
const WORD = new Uint32Array(FLOAT.buffer);
const WHOLE = new Int32Array(FLOAT.buffer);

const MEANT: Partial<Record<Meaning, (...of: number[]) => number>> = {
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  copysign: (size, of) => of < 0 || Object.is(of, -0) ? -Math.abs(size) : Math.abs(size),
};

const COMPARE: Readonly<Record<CompareName, (x: number, y: number) => boolean>> = {
  eq: (x, y) => x === y,
  ne: (x, y) => x !== y,
  lt: (x, y) => x < y,
  le: (x, y) => x <= y,
  gt: (x, y) => x > y,
  ge: (x, y) => x >= y,
};

/** A tree as a function. */
export function evaluator(root: Expr): Evaluate {
  const nodes = inOrder(root);
  const at = new Map(nodes.map((node, i) => [node, i]));
  const values = new Float64Array(nodes.length);
  const steps = nodes.map((node) => step(node, at, values));
  return (inputs, load) => {
    for (let i = 0; i < steps.length; i++) values[i] = steps[i](inputs, load);
    return values[values.length - 1];
  };
}

/** A value as one of its type: whole and within 32 bits, or as it is. */
export function asType(value: number, dtype: DType): number {
  return dtype === "f32" ? value : dtype === "i32" ? value | 0 : dtype === "u32" ? value >>> 0 : value !== 0 ? 1 : 0;
}

/** A word of a buffer as a value. */
export function valueOf(word: number, dtype: DType): number {
  WORD[0] = word;
  return dtype === "f32" ? FLOAT[0] : dtype === "i32" ? WHOLE[0] : WORD[0];
}

/** A value as the word of a buffer. */
export function wordOf(value: number, dtype: DType): number {
  if (dtype !== "f32") return value >>> 0;
  FLOAT[0] = value;
  return WORD[0];
}

function step(node: Expr, at: ReadonlyMap<Expr, number>, values: Float64Array): Evaluate {
  const known = node.means && MEANT[node.means.name];
  if (known) {
    const [a, b = a] = node.means!.of.map((one) => at.get(one)!);
    return () => known(values[a], values[b]);
  }
  const [x, y, z] = ("of" in node ? node.of : []).map((one: Expr) => at.get(one)!);
  switch (node.kind) {
    case "input":
      return (inputs) => inputs[node.index];
    case "const":
      return () => node.value;
    case "load":
      return (_, load) => load(node.index, values[x]);
    case "unary":
      return unaryStep(node, x, values);
    case "binary": {
      const of = binaryOf(node.name, node.dtype);
      return () => of(values[x], values[y]);
    }
    case "compare": {
      const of = COMPARE[node.name];
      return () => Number(of(values[x], values[y]));
    }
    case "select":
      return () => values[x] !== 0 ? values[y] : values[z];
    case "convert": {
      const from = node.of[0].dtype;
      return () => converted(values[x], from, node.dtype);
    }
    case "bitcast": {
      const from = node.of[0].dtype;
      return () => valueOf(wordOf(values[x], from), node.dtype);
    }
    default:
      throw new TypeError(`there is no node ${JSON.stringify(node satisfies never)}`);
  }
}

function unaryStep(node: Expr & { kind: "unary" }, x: number, values: Float64Array): Evaluate {
  const { dtype } = node;
  switch (node.name) {
    case "neg":
      return () => dtype === "f32" ? -values[x] : asType(-values[x], dtype);
    case "abs":
      return () => asType(Math.abs(values[x]), dtype);
    case "sqrt":
      return () => Math.sqrt(values[x]);
    case "ceil":
      return () => Math.ceil(values[x]);
    case "floor":
      return () => Math.floor(values[x]);
    case "trunc":
      return () => Math.trunc(values[x]);
    case "rint":
      return () => rint(values[x]);
    case "not":
      return () => dtype === "bool" ? 1 - values[x] : asType(~values[x], dtype);
  }
}

function binaryOf(name: BinaryName, dtype: DType): (x: number, y: number) => number {
  const whole = dtype !== "f32";
  switch (name) {
    case "add":
      return (x, y) => asType(x + y, dtype);
    case "sub":
      return (x, y) => asType(x - y, dtype);
    case "mul":
      return whole ? (x, y) => asType(Math.imul(x, y), dtype) : (x, y) => x * y;
    case "div":
      return whole ? (x, y) => asType(Math.trunc(x / y), dtype) : (x, y) => x / y;
    case "rem":
      return (x, y) => x % y;
    case "max":
      return Math.max;
    case "min":
      return Math.min;
    case "and":
      return (x, y) => asType(x & y, dtype);
    case "or":
      return (x, y) => asType(x | y, dtype);
    case "xor":
      return (x, y) => asType(x ^ y, dtype);
    case "shl":
      return (x, y) => asType(x << y, dtype);
    case "shr":
      return (x, y) => dtype === "u32" ? x >>> y : x >> y;
  }
}

function converted(value: number, from: DType, to: DType): number {
  if (to === "f32") return value;
  if (to === "bool") return Number(value !== 0);
  if (from !== "f32") return asType(value, to);
  const [least, most] = to === "i32" ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1];
  return Number.isNaN(value) ? 0 : Math.min(Math.max(Math.trunc(value), least), most);
}

/** The nearest whole number, ties to even. */
function rint(x: number): number {
  const low = Math.floor(x);
  const apart = x - low;
  const up = apart > 0.5 || (apart === 0.5 && low % 2 !== 0);
  return Number.isFinite(x) ? (up ? low + 1 : low) : x;
}
