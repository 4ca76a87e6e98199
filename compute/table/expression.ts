/**
 * Typed trees of what one element is computed from. They are data: a node that occurs twice is computed once, and every
 * generator prints the same tree.
 *
 * @module
 */
import type { DType } from "../values/dtype.ts";

/** Functions of one value that keep its type; `not` is of bool and integers, `rint` rounds ties to even. */
export type UnaryName = "neg" | "abs" | "sqrt" | "ceil" | "floor" | "trunc" | "rint" | "not";
/**
 * Functions of two values of one type. `max` and `min` give NaN when either is NaN; `rem`, of integers, has the sign of the
 * first, and no integer may be divided by 0 or an i32 by −1; `shl` and `shr` take a count of 0 to 31, and `shr` keeps the
 * sign of an i32.
 */
export type BinaryName = "add" | "sub" | "mul" | "div" | "rem" | "max" | "min" | "and" | "or" | "xor" | "shl" | "shr";
/** Comparisons, which give bool: all but `ne` are false where a side is NaN. */
export type CompareName = "eq" | "ne" | "lt" | "le" | "gt" | "ge";

/** A function that a tree computes by arithmetic: what it is, for those who need not know how. */
export type Meaning =
  | "exp"
  | "expm1"
  | "log"
  | "log1p"
  | "sin"
  | "cos"
  | "tanh"
  | "erf"
  | "erfc"
  | "copysign"
  | "pow"
  | "digamma"
  | "sigmoid";

/** What a node computes, as a function of others. */
export interface Meant {
  /** The function. */
  readonly name: Meaning;
  /** Its operands, which occur in the tree. */
  readonly of: readonly Expr[];
}

/** One node; `means` says of some what function they are, and does not change what is computed. */
export type Expr = ExprNode & { readonly means?: Meant };

/** The kinds of nodes. */
export type ExprNode =
  | { readonly kind: "input"; readonly dtype: DType; readonly index: number }
  | { readonly kind: "const"; readonly dtype: DType; readonly value: number }
  | { readonly kind: "load"; readonly dtype: DType; readonly index: number; readonly of: readonly [Expr] }
  | { readonly kind: "unary"; readonly dtype: DType; readonly name: UnaryName; readonly of: readonly [Expr] }
  | { readonly kind: "binary"; readonly dtype: DType; readonly name: BinaryName; readonly of: readonly [Expr, Expr] }
  | { readonly kind: "compare"; readonly dtype: "bool"; readonly name: CompareName; readonly of: readonly [Expr, Expr] }
  | { readonly kind: "select"; readonly dtype: DType; readonly of: readonly [test: Expr, then: Expr, otherwise: Expr] }
  | { readonly kind: "convert" | "bitcast"; readonly dtype: DType; readonly of: readonly [Expr] };

/** The tree of a result, from those of its operands. */
export type Forward = (...operands: Expr[]) => Expr;

/** The value of an operand. */
export function input(index: number, dtype: DType): Expr {
  return { kind: "input", dtype, index };
}

/** A constant; for bool 0 or 1. NaN and the infinities are allowed. */
export function constant(value: number, dtype: DType): Expr {
  return { kind: "const", dtype, value };
}

/**
 * An element of an operand that is free: so many elements, in i32, beyond the operand's place.
 *
 * @param x The operand, an input. What is added has to stay within its buffer.
 */
export function load(x: Expr, beyond: Expr): Expr {
  if (x.kind !== "input") throw new TypeError("only an input can be read from");
  return { kind: "load", dtype: x.dtype, index: x.index, of: [beyond] };
}

/** A function of one value. */
export function unary(name: UnaryName, x: Expr): Expr {
  return { kind: "unary", dtype: x.dtype, name, of: [x] };
}

/** A function of two values; a number stands for a constant of the first one's type. */
export function binary(name: BinaryName, x: Expr, y: Expr | number): Expr {
  return { kind: "binary", dtype: x.dtype, name, of: [x, operand(y, x)] };
}

/** A comparison. */
export function compare(name: CompareName, x: Expr, y: Expr | number): Expr {
  return { kind: "compare", dtype: "bool", name, of: [x, operand(y, x)] };
}

/** One of two values. */
export function select(test: Expr, then: Expr, otherwise: Expr | number): Expr {
  return { kind: "select", dtype: then.dtype, of: [test, then, operand(otherwise, then)] };
}

/** A tree that says what function it computes. */
export function meaning(name: Meaning, of: readonly Expr[], tree: Expr): Expr {
  return { ...tree, means: { name, of } };
}

/** A value in another type: floats saturate and NaN becomes 0, integers wrap (the cast table of ops.md §13). */
export function convert(x: Expr, dtype: DType): Expr {
  return x.dtype === dtype ? x : { kind: "convert", dtype, of: [x] };
}

/** The same 32 bits as another type; not for bool. */
export function bitcast(x: Expr, dtype: DType): Expr {
  return { kind: "bitcast", dtype, of: [x] };
}

/** Whether a value is NaN, by its bits, since a shader may take it that there is none (rule N1). */
export function isNaNOf(x: Expr): Expr {
  return compare("gt", binary("and", bitcast(x, "u32"), 0x7fffffff), 0x7f800000);
}

/** The children of a node. */
export function childrenOf(expr: Expr): readonly Expr[] {
  return "of" in expr ? expr.of : [];
}

/** Every node once, children first. */
export function inOrder(root: Expr): Expr[] {
  const seen = new Set<Expr>();
  const visit = (expr: Expr): void => {
    if (seen.has(expr)) return;
    for (const child of childrenOf(expr)) visit(child);
    seen.add(expr);
  };
  visit(root);
  return [...seen];
}

/** A text that two trees share exactly when they compute the same. */
export function fingerprint(root: Expr): string {
  const at = new Map<Expr, number>();
  return inOrder(root).map((expr, i) => {
    at.set(expr, i);
    const own = expr.kind === "input" || expr.kind === "load"
      ? expr.index
      : expr.kind === "const"
      ? textOf(expr.value)
      : "name" in expr
      ? expr.name
      : "";
    return `${expr.kind[0]}${expr.kind[2]}.${expr.dtype}.${own}(${childrenOf(expr).map((child) => at.get(child))})`;
  }).join(";");
}

function textOf(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function operand(value: Expr | number, like: Expr): Expr {
  return typeof value === "number" ? constant(value, like.dtype) : value;
}
