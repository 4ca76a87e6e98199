/**
 * Operands of a row: whose they are, in which type they meet, in which shape.
 *
 * @module
 */
import type { Operand as PlannedOperand } from "../kernels/map.ts";
import type { MapOp } from "../table/spec.ts";
import { type DType, isInteger, type OperandType, promote, typeOfNumber } from "../values/dtype.ts";
import { ComputeError } from "../values/errors.ts";
import { broadcast, expand } from "../values/shape.ts";
import { type Operand, Tensor } from "./tensor.ts";

/** Operands that can be planned. */
export interface Prepared {
  /** Shape of the result. */
  readonly shape: readonly number[];
  /** The type in which the row takes each operand. */
  readonly types: readonly DType[];
  /** The operands in that shape. */
  readonly operands: readonly PlannedOperand[];
}

/**
 * Prepares the operands of a row.
 *
 * @throws {ComputeError} `E_DTYPE`, `E_SHAPE`.
 */
export function prepare(row: MapOp, given: readonly Operand[]): Prepared {
  const { name, promotesFrom = 0 } = row;
  const type = typeFor(row, given.slice(promotesFrom).map(typeOf));
  const types = given.map((_, index) => index < promotesFrom ? "bool" : type);
  const tensors = given.filter((operand) => operand instanceof Tensor);
  const shape = broadcast(name, tensors.map((tensor) => tensor.shape));
  const operands = given.map((operand, index): PlannedOperand => {
    if (operand instanceof Tensor) return { dtype: operand.dtype, layout: expand(operand.layout, shape) };
    checkFits(name, operand, types[index]);
    return { dtype: types[index], value: Number(operand) };
  });
  return { shape, types, operands };
}

function typeOf(operand: Operand): OperandType {
  if (operand instanceof Tensor) return { dtype: operand.dtype, weak: operand.shape.length === 0 };
  return { dtype: typeOfNumber(operand), weak: true };
}

function typeFor({ name, dtypes, lift }: MapOp, operands: readonly OperandType[]): DType {
  const met = promote(name, operands);
  if (lift) return "f32";
  if (dtypes.includes(met)) return met;
  throw new ComputeError("E_DTYPE", name, `takes ${dtypes.join(", ")}, not ${met}; cast the operands`);
}

function checkFits(op: string, value: number | boolean, dtype: DType): void {
  const number = Number(value);
  const least = dtype === "u32" ? 0 : -(2 ** 31);
  const most = dtype === "u32" ? 2 ** 32 - 1 : 2 ** 31 - 1;
  if (isInteger(dtype) && !(number >= least && number <= most)) {
    throw new ComputeError("E_DTYPE", op, `${number} does not fit ${dtype}`);
  }
}
