/**
 * Operands of a product, copied into the order in which the inner kernel reads them.
 *
 * @module
 */
import { Arguments } from "./arguments.ts";
import { FunctionBuilder, type Local } from "./function.ts";
import { RUN_PARAMETERS } from "./module.ts";

/** Rows and columns of the inner kernel. */
export const TILE: { readonly rows: number; readonly columns: number } = { rows: 6, columns: 8 };
/**
 * Pieces of work are panels. Buffers: panels, B. Words: 0, depth k, columns n, offset, row stride, column stride of B.
 */
export function packColumns(): FunctionBuilder {
  const code = new FunctionBuilder(RUN_PARAMETERS);
  const [panel, end, at] = code.parameters;
  const args = new Arguments(code, at, 2);
  const [k, n, , rowStep, columnStep] = [1, 2, 3, 4, 5].map((word) => args.held(word));
  const [i, from, to, column, cursor] = ["", "", "", "", ""].map(() => code.local("i32"));
  for (const step of [rowStep, columnStep]) shiftLeft(code, step, 2);
  code.while(() => code.below(panel, end), () => {
    code.get(panel);
    code.i32(3);
    code.op("i32.shl");
    code.set(column);
    args.buffer(1);
    args.word(3);
    code.i32(2);
    code.op("i32.shl", "i32.add");
    code.get(column);
    code.get(columnStep);
    code.op("i32.mul", "i32.add");
    code.set(from);
    args.buffer(0);
    code.get(panel);
    code.get(k);
    code.op("i32.mul");
    code.i32(5);
    code.op("i32.shl", "i32.add");
    code.set(to);
    code.if(() => {
      code.get(columnStep);
      code.i32(4);
      code.op("i32.eq");
      code.get(column);
      code.i32(7);
      code.op("i32.add");
      code.get(n);
      code.op("i32.lt_u", "i32.and");
    }, () => {
      code.count(i, k, 1, () => {
        for (const half of [0, 16]) {
          code.get(to);
          code.get(from);
          code.memory("v128.load", half);
          code.memory("v128.store", half);
        }
        code.increase(to, 32);
        code.increase(from, rowStep);
      });
    }, () => {
      code.count(i, k, 1, () => {
        code.get(from);
        code.set(cursor);
        for (let lane = 0; lane < TILE.columns; lane++) {
          code.if(() => {
            code.get(column);
            code.i32(lane);
            code.op("i32.add");
            code.get(n);
            code.op("i32.lt_u");
          }, () => {
            code.get(to);
            code.get(cursor);
            code.memory("i32.load");
            code.memory("i32.store", 4 * lane);
          }, () => {
            code.get(to);
            code.i32(0);
            code.memory("i32.store", 4 * lane);
          });
          code.increase(cursor, columnStep);
        }
        code.increase(to, 32);
        code.increase(from, rowStep);
      });
    });
    code.increase(panel, 1);
  });
  return code;
}

/**
 * Copies rows of A into a panel: parameters are the address of the first element, of the panel, how many rows there are (the
 * rest of the six is 0), the depth, bytes from row to row and from column to column.
 */
export function packRows(): FunctionBuilder {
  const code = new FunctionBuilder(6);
  const [from, to, rows, depth, rowStep, columnStep] = code.parameters;
  const [i, source, target] = ["", "", ""].map(() => code.local("i32"));
  for (let row = 0; row < TILE.rows; row++) {
    code.get(to);
    code.i32(4 * row);
    code.op("i32.add");
    code.set(target);
    code.get(from);
    code.set(source);
    const copy = (value: () => void): void =>
      code.count(i, depth, 1, () => {
        code.get(target);
        value();
        code.memory("i32.store");
        code.increase(source, columnStep);
        code.increase(target, 4 * TILE.rows);
      });
    code.if(
      () => {
        code.get(rows);
        code.i32(row);
        code.op("i32.gt_u");
      },
      () =>
        copy(() => {
          code.get(source);
          code.memory("i32.load");
        }),
      () => copy(() => code.i32(0)),
    );
    code.increase(from, rowStep);
  }
  return code;
}

/** Shifts a local to the left. */
export function shiftLeft(code: FunctionBuilder, local: Local, by: number): void {
  code.get(local);
  code.i32(by);
  code.op("i32.shl");
  code.set(local);
}
