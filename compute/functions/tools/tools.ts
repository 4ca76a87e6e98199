/**
 * What functions over tensors are made with: intermediates that go when the result is there, coordinates, checks.
 *
 * @module
 */
import type { Expr } from "../../table/expression.ts";
import { binary, compare, convert, load, select } from "../../table/expression.ts";
import { type KernelOperand, type Runner, Tensor } from "../../tensors/tensor.ts";
import { type DType, isInteger } from "../../values/dtype.ts";
import { type ComputeCode, ComputeError } from "../../values/errors.ts";
import { broadcast, type Layout, sizeOf } from "../../values/shape.ts";

/** Runs a function whose result outlives what it made on the way. */
export function within<T extends Tensor>(x: Tensor, run: (runner: Runner) => T): T {
  return x.runner.scope(({ keep }) => keep(run(x.runner)));
}

/** The same for several results. */
export function withinAll<T extends readonly Tensor[]>(x: Tensor, run: (runner: Runner) => T): T {
  return x.runner.scope(({ keep }) => {
    const results = run(x.runner);
    for (const one of results) keep(one);
    return results;
  });
}

/** A tensor of its own, where a function would give back its operand. */
export function own<D extends DType>(result: Tensor<D>, operand: Tensor): Tensor<D> {
  if ((result as Tensor) !== operand) return result;
  return result.runner.view(result, result.made, result.layout, "reshape") as Tensor<D>;
}

/** Refuses. */
export function refuse(code: ComputeCode, op: string, message: string): never {
  throw new ComputeError(code, op, message);
}

/** The coordinate along a dim, in each element of a shape. */
export function coordinate(shape: readonly number[], dim: number, step = 1, offset = 0): KernelOperand {
  return { place: { shape, strides: shape.map((_, one) => one === dim ? step : 0), offset } };
}

/** A whole number as an operand. */
export function whole(value: number): KernelOperand {
  return { value, dtype: "i32" };
}

/** A layout that stays where it is along a dim, in another shape. */
export function staying({ strides, offset }: Layout, dim: number, shape: readonly number[]): Layout {
  return { shape, strides: strides.with(dim, 0), offset };
}

/** An element of a free operand `index` steps along a dim, and 0 of its type outside the extent. */
export function elementAt(x: Expr, index: Expr, extent: Expr, stride: Expr): Expr {
  const i = convert(index, "i32");
  const inside = binary("and", compare("ge", i, 0), compare("lt", i, extent));
  const safe = select(inside, binary("mul", i, stride), 0);
  return select(inside, load(x, safe), { kind: "const", dtype: x.dtype, value: 0 });
}

/**
 * Checks indices: their type always, their range where the device is done by now (ops.md §10). A GPU reads 0 where an index is
 * outside.
 */
export function checkIndices(op: string, index: Tensor, extent: number): void {
  if (!isInteger(index.dtype)) refuse("E_DTYPE", op, `indices are ${index.dtype}; i32 and u32 can be`);
  const { runner } = index;
  if (runner.device.kind !== "cpu" || index.size === 0) return;
  const wrong = runner.scope(() => {
    const outside = runner.kernel(op, index.shape, [index, whole(extent)], (one, most) => {
      const i = convert(one, "i32");
      const bad = binary("or", compare("lt", i, 0), compare("ge", i, most));
      return select(bad, i, -(2 ** 31));
    });
    const found = runner.reduce("amax", outside);
    const [least, most] = [runner.reduce("amin", index), found].map((one) => runner.peek(one)! | 0);
    return least < 0 && index.dtype === "i32" ? least : most;
  });
  if (wrong !== -(2 ** 31) && (wrong < 0 || wrong >= extent)) {
    refuse("E_INDEX", op, `index ${index.dtype === "u32" ? wrong >>> 0 : wrong} is outside of 0 to ${extent - 1}`);
  }
}

/** Refuses an integer divisor of 0, where the device is done by now (ops.md §4.1). */
export function checkDivisor(op: string, x: Tensor | number | boolean, y: Tensor | number | boolean): void {
  const whole = (one: Tensor | number | boolean): boolean =>
    one instanceof Tensor ? one.dtype !== "f32" : Number.isInteger(Number(one));
  if (!whole(x) || !whole(y)) return;
  const nothing = (): never => refuse("E_DIV_ZERO", op, "an integer cannot be divided by 0; cast to f32 or mask it");
  if (!(y instanceof Tensor)) {
    if (x instanceof Tensor && Number(y) === 0) nothing();
    return;
  }
  if (y.runner.device.kind !== "cpu" || y.size === 0) return;
  const fine = y.runner.scope(() => y.runner.peek(y.runner.reduce("all", y)));
  if (fine === 0) nothing();
}

/** Refuses types that an operation does not take. */
export function checkDType(op: string, x: Tensor, ...dtypes: DType[]): void {
  if (!dtypes.includes(x.dtype)) refuse("E_DTYPE", op, `takes ${dtypes.join(", ")}, not ${x.dtype}; cast the operand`);
}

/** Tensors seen in the shape that they broadcast to. */
export function together(op: string, tensors: readonly Tensor[]): readonly number[] {
  return broadcast(op, tensors.map(({ shape }) => shape));
}

/** How many elements some dims have. */
export function countOf(shape: readonly number[], dims: readonly number[]): number {
  return sizeOf(dims.map((dim) => shape[dim] ?? 1));
}
