/**
 * A row that maps elements, and its operands, as a launch.
 *
 * @module
 */
import { bitsOf, type DType } from "../values/dtype.ts";
import { coalesce, type Layout, sizeOf } from "../values/shape.ts";
import { convert, type Expr, fingerprint, input } from "../table/expression.ts";
import type { InputSpec, Launch, MapSpec } from "./spec.ts";

/**
 * An operand: elements in a buffer, seen in the shape of the result and, where they are free, read from that place on; a
 * number; or the place itself that a layout gives, in i32.
 */
export type Operand =
  | { readonly dtype: DType; readonly layout: Layout; readonly free?: boolean }
  | { readonly dtype: DType; readonly value: number }
  | { readonly dtype: "i32"; readonly place: Layout };

/**
 * The launch of a map.
 *
 * @param shape Shape of the result, not empty.
 * @param operands In the order of the row.
 * @param types The type in which the row takes each of them.
 * @param forward The row.
 */
export function planMap(
  shape: readonly number[],
  operands: readonly Operand[],
  types: readonly DType[],
  forward: (...operands: Expr[]) => Expr,
): Launch {
  const layouts = operands.flatMap((operand) =>
    "layout" in operand ? [operand.layout] : "place" in operand ? [operand.place] : []
  );
  const joined = coalesce(shape, layouts.map(({ strides }) => strides));
  const rank = joined.shape.length;
  let buffer = 0;
  const inputs = operands.map((operand): InputSpec => {
    const { dtype } = operand;
    if ("value" in operand) return { dtype, stepping: "value" };
    const last = joined.strides[buffer++][rank - 1];
    if ("place" in operand) return { dtype, stepping: "place" };
    if (operand.free) return { dtype, stepping: "free" };
    return { dtype, stepping: last === 1 ? "contiguous" : last === 0 ? "broadcast" : "strided" };
  });
  const vector = rank === 1 && inputs.every(({ stepping }) => !["strided", "place", "free"].includes(stepping)) &&
    layouts.every(({ offset }, i) => joined.strides[i][0] === 0 || offset % 4 === 0);
  const body = forward(...inputs.map(({ dtype }, index) => convert(input(index, dtype), types[index])));
  const form = inputs.map(({ dtype, stepping }) => `${dtype}.${stepping}`);
  const key = `map ${rank} ${vector} ${form} ${fingerprint(body)}`;
  const total = sizeOf(shape);
  const words = [0, total, ...joined.shape];
  layouts.forEach(({ offset }, i) => words.push(offset, ...joined.strides[i]));
  for (const operand of operands) if ("value" in operand) words.push(bitsOf(operand.value, operand.dtype));
  const spec: MapSpec = { kind: "map", key, rank, inputs, body, vector };
  return { spec, words, items: total, weight: operands.length + 1 };
}
