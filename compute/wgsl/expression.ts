/**
 * Trees of arithmetic as statements of WGSL.
 *
 * @module
 */
import { bitsOf, type DType } from "../values/dtype.ts";
import { type Expr, inOrder } from "../table/expression.ts";

const TYPE: Readonly<Record<DType, string>> = { f32: "F", i32: "I", u32: "U", bool: "B" };
const SYMBOL: Readonly<Record<string, string>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  rem: "%",
  and: "&",
  or: "|",
  xor: "^",
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
};
const ROUNDING: Readonly<Record<string, string>> = {
  sqrt: "sqrt",
  ceil: "ceil",
  floor: "floor",
  trunc: "trunc",
  rint: "round",
};

/**
 * Statements that compute a tree, and the name of its value.
 *
 * @param inputs Names of the operands; that of a free one is its place, and its buffer is called `in` and its number.
 * @param prefix Begins the names of the values that are made.
 */
export function statements(root: Expr, inputs: readonly string[], prefix: string): { lines: string[]; value: string } {
  const names = new Map<Expr, string>();
  const lines: string[] = [];
  for (const expr of inOrder(root)) {
    if (expr.kind === "input") names.set(expr, inputs[expr.index]);
    else {
      const name = `${prefix}${lines.length}`;
      lines.push(`let ${name}: ${TYPE[expr.dtype]} = ${text(expr, names, inputs)};`);
      names.set(expr, name);
    }
  }
  return { lines, value: names.get(root)! };
}

/** Turns a word of a buffer into a value. */
export function loaded(dtype: DType, word: string): string {
  return dtype === "bool" ? `(${word} != U(0u))` : dtype === "u32" ? word : `bitcast<${TYPE[dtype]}>(${word})`;
}

/** Turns a value into a word of a buffer. */
export function stored(dtype: DType, value: string): string {
  return dtype === "bool" ? `select(U(0u), U(1u), ${value})` : dtype === "u32" ? value : `bitcast<U>(${value})`;
}

/** A constant. NaN, the infinities and −0 come from a word that is 0 at run time (rule N2). */
export function literal(value: number, dtype: DType): string {
  if (dtype === "bool") return `B(${value !== 0})`;
  if (dtype === "u32") return `U(${value >>> 0}u)`;
  if (dtype === "i32") return `I(${value | 0})`;
  const single = Math.fround(value);
  const special = !Number.isFinite(single) || Object.is(single, -0);
  if (special) return `bitcast<F>(U(word(0u) | ${bitsOf(value, "f32")}u))`;
  return `F(${Number.isInteger(single) && Math.abs(single) < 1e9 ? single.toFixed(1) : String(single)})`;
}

function text(expr: Exclude<Expr, { kind: "input" }>, names: Map<Expr, string>, inputs: readonly string[]): string {
  if (expr.kind === "const") return literal(expr.value, expr.dtype);
  const [x, y, z] = (expr.of as readonly Expr[]).map((child) => names.get(child)!);
  const from = expr.of[0].dtype;
  switch (expr.kind) {
    case "unary":
      if (expr.name === "not") return `${from === "bool" ? "!" : "~"}${x}`;
      if (from === "f32") return `${ROUNDING[expr.name] ?? `${expr.name}_f`}(${x})`;
      return expr.name === "neg" ? `I(0) - ${x}` : `${expr.name}(${x})`;
    case "binary":
      if (expr.name === "max" || expr.name === "min") return `${expr.name}${from === "f32" ? "_f" : ""}(${x}, ${y})`;
      if (expr.name === "shl" || expr.name === "shr") {
        return `${x} ${expr.name === "shl" ? "<<" : ">>"} (bitcast<U>(${y}) & U(31u))`;
      }
      if (expr.name === "xor" && from === "bool") return `${x} != ${y}`;
      return `${x} ${SYMBOL[expr.name]} ${y}`;
    case "load":
      return loaded(expr.dtype, `in${expr.index}[${inputs[expr.index]} + bitcast<u32>(${x})]`);
    case "compare":
      return from === "f32" ? `${expr.name}_f(${x}, ${y})` : `${x} ${SYMBOL[expr.name]} ${y}`;
    case "select":
      return `select(${z}, ${y}, ${x})`;
    case "bitcast":
      return `bitcast<${TYPE[expr.dtype]}>(${x})`;
    case "convert":
      return conversion(x, from, expr.dtype);
  }
}

/** The cast table of ops.md §13, which WGSL's own conversions do not keep. */
function conversion(x: string, from: DType, to: DType): string {
  if (to === "bool") return from === "f32" ? `ne_f(${x}, F(0.0))` : `${x} != ${TYPE[from]}(0)`;
  if (from === "bool") return `select(${literal(0, to)}, ${literal(1, to)}, ${x})`;
  if (from === "f32") return `to_${to}(${x})`;
  return to === "f32" ? `F(${x})` : `bitcast<${TYPE[to]}>(${x})`;
}
