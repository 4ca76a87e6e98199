/**
 * Trees of arithmetic as SIMD instructions over four lanes. A bool is a mask of all ones or all zeros here, and 0 or 1 in
 * memory.
 *
 * @module
 */
import { bitsOf, type DType } from "../values/dtype.ts";
import { childrenOf, type Expr, inOrder } from "../table/expression.ts";
import type { FunctionBuilder, Local } from "./function.ts";
import type { PlainName } from "./opcodes.ts";

const UNARY: Readonly<Record<string, PlainName>> = {
  "f32.neg": "f32x4.neg",
  "i32.neg": "i32x4.neg",
  "f32.abs": "f32x4.abs",
  "i32.abs": "i32x4.abs",
  "f32.sqrt": "f32x4.sqrt",
  "f32.ceil": "f32x4.ceil",
  "f32.floor": "f32x4.floor",
  "f32.trunc": "f32x4.trunc",
  "f32.rint": "f32x4.nearest",
  "i32.not": "v128.not",
  "u32.not": "v128.not",
  "bool.not": "v128.not",
};

const SIGNED: Readonly<Record<string, string>> = { lt: "lt", le: "le", gt: "gt", ge: "ge", max: "max", min: "min" };

/** Pushes the value of a tree; `inputs` are locals that hold the operands, or, of a free one, its address in each lane. */
export function emit(code: FunctionBuilder, root: Expr, inputs: readonly Local[]): void {
  const uses = new Map<Expr, number>();
  for (const expr of inOrder(root)) for (const child of childrenOf(expr)) uses.set(child, (uses.get(child) ?? 0) + 1);
  const held = new Map<Expr, Local>();
  const push = (expr: Expr): void => {
    if (expr.kind === "input") return code.get(inputs[expr.index]);
    if (expr.kind === "const") {
      return code.splat(expr.dtype === "bool" ? (expr.value ? -1 : 0) : bitsOf(expr.value, expr.dtype));
    }
    const known = held.get(expr);
    if (known) return code.get(known);
    if (expr.kind === "load") read(code, expr.dtype, inputs[expr.index], () => push(expr.of[0]));
    else node(code, expr, push);
    if ((uses.get(expr) ?? 0) < 2) return;
    const local = code.local("v128");
    held.set(expr, local);
    code.tee(local);
  };
  push(root);
}

/** Turns what was read from memory into a value: 0 or another word of a bool into a mask. */
export function afterLoad(code: FunctionBuilder, dtype: DType): void {
  if (dtype !== "bool") return;
  code.splat(0);
  code.op("i32x4.ne");
}

/** Turns a value into what is written. */
export function beforeStore(code: FunctionBuilder, dtype: DType): void {
  if (dtype !== "bool") return;
  code.splat(1);
  code.op("v128.and");
}

/** Reads a lane at a time, so many elements beyond an address. */
function read(code: FunctionBuilder, dtype: DType, base: Local, beyond: () => void): void {
  const [address, value] = [code.local("v128"), code.local("v128")];
  beyond();
  code.i32(2);
  code.op("i32x4.shl");
  code.get(base);
  code.op("i32x4.add");
  code.set(address);
  code.splat(0);
  code.set(value);
  for (let lane = 0; lane < 4; lane++) {
    code.get(address);
    code.extract(lane);
    code.get(value);
    code.lane("v128.load32_lane", lane);
    code.set(value);
  }
  code.get(value);
  afterLoad(code, dtype);
}

function node(
  code: FunctionBuilder,
  expr: Exclude<Expr, { kind: "input" | "const" | "load" }>,
  push: (expr: Expr) => void,
): void {
  const [x, y, z] = expr.of as readonly Expr[];
  switch (expr.kind) {
    case "unary":
      push(x);
      return code.op(known(UNARY[`${expr.dtype}.${expr.name}`], expr));
    case "binary":
      if ((expr.name === "shl" || expr.name === "shr") && y.kind === "const") {
        return shift(code, expr.name, x, y.value, push);
      }
      if (["shl", "shr", "rem"].includes(expr.name) || (expr.name === "div" && expr.dtype !== "f32")) {
        return byLane(code, expr.name, x, y, push);
      }
      push(x);
      push(y);
      return code.op(arithmetic(expr.name, expr.dtype));
    case "compare":
      push(x);
      push(y);
      return code.op(arithmetic(expr.name, x.dtype));
    case "select":
      push(y);
      push(z);
      push(x);
      return code.op("v128.bitselect");
    case "bitcast":
      return push(x);
    case "convert":
      push(x);
      return conversion(code, x.dtype, expr.dtype);
  }
}

function arithmetic(name: string, dtype: DType): PlainName {
  if (name === "and" || name === "or" || name === "xor") return `v128.${name}`;
  if (dtype === "f32") return `f32x4.${name}` as PlainName;
  return `i32x4.${SIGNED[name] ? `${name}_${dtype === "u32" ? "u" : "s"}` : name}` as PlainName;
}

/** What has no instruction for four lanes: division of integers, and shifts whose counts differ. */
function byLane(code: FunctionBuilder, name: string, x: Expr, y: Expr, push: (expr: Expr) => void): void {
  const [a, b] = [code.local("v128"), code.local("v128")];
  push(x);
  code.set(a);
  push(y);
  code.set(b);
  code.get(a);
  for (let lane = 0; lane < 4; lane++) {
    for (const operand of [a, b]) {
      code.get(operand);
      code.extract(lane);
    }
    code.op((name === "shl" ? "i32.shl" : `i32.${name}_${x.dtype === "u32" ? "u" : "s"}`) as PlainName);
    code.replace(lane);
  }
}

/** Lanes are shifted alike. */
function shift(code: FunctionBuilder, name: "shl" | "shr", x: Expr, count: number, push: (expr: Expr) => void): void {
  push(x);
  code.i32(count);
  code.op(name === "shl" ? "i32x4.shl" : x.dtype === "u32" ? "i32x4.shr_u" : "i32x4.shr_s");
}

/** The cast table of ops.md §13. */
function conversion(code: FunctionBuilder, from: DType, to: DType): void {
  if (to === "bool") {
    code.splat(0);
    return code.op(from === "f32" ? "f32x4.ne" : "i32x4.ne");
  }
  if (from === "bool") {
    code.splat(bitsOf(1, to));
    return code.op("v128.and");
  }
  if (from === "f32") return code.op(to === "i32" ? "i32x4.trunc_sat_f32x4_s" : "i32x4.trunc_sat_f32x4_u");
  if (to === "f32") code.op(from === "i32" ? "f32x4.convert_i32x4_s" : "f32x4.convert_i32x4_u");
}

function known(name: PlainName | undefined, expr: Expr): PlainName {
  if (name === undefined) {
    throw new TypeError(`no instruction for ${"name" in expr ? expr.name : expr.kind} of ${expr.dtype}`);
  }
  return name;
}
