/**
 * Products of f32 matrices in WebAssembly, after the scheme of Goto: B is copied into panels of 8 columns, each thread
 * copies a block of A into panels of 6 rows that stays in its cache, and an inner kernel keeps 6×8 sums in twelve vectors.
 *
 * @module
 */
import type { MatmulSpec } from "../kernels/spec.ts";
import { Arguments } from "./arguments.ts";
import { FunctionBuilder, type Local } from "./function.ts";
import { difference, lesser } from "./map.ts";
import { encodeModule, RUN_PARAMETERS } from "./module.ts";
import { packColumns, packRows, shiftLeft, TILE } from "./packing.ts";

/** How deep a block goes: a panel of B of this depth (8 KiB) fits the first cache. */
export const DEPTH = 256;
/** Rows of A that a piece of work takes; with {@linkcode DEPTH} 48 KiB, which fit the second cache. */
export const ROWS = 48;
/** Bytes that each thread needs for its block of A and one tile of the result. */
export const SCRATCH_BYTES: number = ROWS * DEPTH * 4 + TILE.rows * TILE.columns * 4;

/** The module that copies B into panels, or the one that multiplies. */
export function renderMatmul({ stage }: MatmulSpec, relaxed: boolean): Uint8Array<ArrayBuffer> {
  return stage === "pack" ? encodeModule([packColumns()]) : encodeModule([tile(relaxed), packRows(), multiply()]);
}

/**
 * The inner kernel: parameters are the addresses of a panel of A, of B and of the result, the depth, bytes from row to row
 * of the result, and whether to add to what is there.
 */
function tile(relaxed: boolean): FunctionBuilder {
  const code = new FunctionBuilder(6);
  const [a, b, c, depth, rowStep, adds] = code.parameters;
  const sums = Array.from({ length: TILE.rows }, () => [code.local("v128"), code.local("v128")]);
  const [left, right, x] = ["", "", ""].map(() => code.local("v128"));
  const [cursor, stop] = [code.local("i32"), code.local("i32")];
  const step = (i: number): void => {
    [left, right].forEach((half, side) => {
      code.get(b);
      code.memory("v128.load", 32 * i + 16 * side);
      code.set(half);
    });
    sums.forEach((row, r) => {
      code.get(a);
      code.memory("v128.load32_splat", 24 * i + 4 * r);
      code.set(x);
      row.forEach((sum, side) => {
        if (!relaxed) code.get(sum);
        code.get(x);
        code.get(side === 0 ? left : right);
        if (relaxed) {
          code.get(sum);
          code.op("f32x4.relaxed_madd");
        } else code.op("f32x4.mul", "f32x4.add");
        code.set(sum);
      });
    });
  };
  const run = (unroll: number, enough: () => void): void => {
    code.while(enough, () => {
      for (let i = 0; i < unroll; i++) step(i);
      code.increase(a, 24 * unroll);
      code.increase(b, 32 * unroll);
    });
  };
  const past = (bytes: number) => (): void => {
    code.get(b);
    code.i32(bytes);
    code.op("i32.add");
    code.get(stop);
    code.op("i32.gt_u", "i32.eqz");
  };
  code.get(b);
  code.get(depth);
  code.i32(5);
  code.op("i32.shl", "i32.add");
  code.set(stop);
  run(4, past(128));
  run(1, past(32));
  code.get(c);
  code.set(cursor);
  const write = (adding: boolean) => (): void => {
    for (const row of sums) {
      row.forEach((sum, side) => {
        code.get(cursor);
        code.get(sum);
        if (adding) {
          code.get(cursor);
          code.memory("v128.load", 16 * side);
          code.op("f32x4.add");
        }
        code.memory("v128.store", 16 * side);
      });
      code.increase(cursor, rowStep);
    }
  };
  code.if(() => code.get(adds), write(true), write(false));
  return code;
}

/**
 * Pieces of work are blocks of rows times groups of panels. Buffers: the result, A, panels of B, scratch. Words: 0, rows m,
 * columns n, depth k, offset of the result, offset, row stride and column stride of A, offset of the panels, groups, panels
 * in a group.
 */
function multiply(): FunctionBuilder {
  const code = new FunctionBuilder(RUN_PARAMETERS);
  const [piece, end, at, thread] = code.parameters;
  const args = new Arguments(code, at, 4);
  const [m, n, k] = [1, 2, 3].map((word) => args.held(word));
  const [rowStep, columnStep] = [6, 7].map((word) => args.held(word));
  const [panelsAt, groups, perGroup] = [8, 9, 10].map((word) => args.held(word));
  const names = [
    "row",
    "rows",
    "first",
    "last",
    "depth",
    "block",
    "scratch",
    "i",
    "panel",
    "left",
    "corner",
    "b",
    "a",
    "y",
    "x",
    "wide",
  ];
  const v = Object.fromEntries(names.map((name) => [name, code.local("i32")])) as Record<string, Local>;
  const [resultStep, edge] = [code.local("i32"), code.local("i32")];
  for (const step of [rowStep, columnStep]) shiftLeft(code, step, 2);
  code.get(n);
  code.i32(2);
  code.op("i32.shl");
  code.set(resultStep);
  args.buffer(3);
  code.get(thread);
  code.i32(SCRATCH_BYTES);
  code.op("i32.mul", "i32.add");
  code.tee(v.scratch);
  code.i32(ROWS * DEPTH * 4);
  code.op("i32.add");
  code.set(edge);
  code.while(() => code.below(piece, end), () => {
    code.get(piece);
    code.get(groups);
    code.op("i32.div_u");
    code.i32(ROWS);
    code.op("i32.mul");
    code.set(v.row);
    lesser(code, () => difference(code, m, v.row), () => code.i32(ROWS), v.rows);
    code.get(piece);
    code.get(piece);
    code.get(groups);
    code.op("i32.div_u");
    code.get(groups);
    code.op("i32.mul", "i32.sub");
    code.get(perGroup);
    code.op("i32.mul");
    code.set(v.first);
    lesser(code, () => {
      code.get(v.first);
      code.get(perGroup);
      code.op("i32.add");
    }, () => {
      code.get(n);
      code.i32(TILE.columns - 1);
      code.op("i32.add");
      code.i32(3);
      code.op("i32.shr_u");
    }, v.last);
    code.count(v.depth, k, DEPTH, () => {
      lesser(code, () => difference(code, k, v.depth), () => code.i32(DEPTH), v.block);
      // The block of A.
      code.count(v.i, v.rows, TILE.rows, () => {
        args.buffer(1);
        args.word(5);
        code.i32(2);
        code.op("i32.shl", "i32.add");
        code.get(v.row);
        code.get(v.i);
        code.op("i32.add");
        code.get(rowStep);
        code.op("i32.mul", "i32.add");
        code.get(v.depth);
        code.get(columnStep);
        code.op("i32.mul", "i32.add");
        panelOfRows();
        difference(code, v.rows, v.i);
        code.get(v.block);
        code.get(rowStep);
        code.get(columnStep);
        code.call(1);
      });
      code.get(v.first);
      code.set(v.panel);
      code.while(() => code.below(v.panel, v.last), () => {
        args.buffer(2);
        code.get(panelsAt);
        code.i32(2);
        code.op("i32.shl", "i32.add");
        code.get(v.panel);
        code.get(k);
        code.op("i32.mul");
        code.get(v.depth);
        code.op("i32.add");
        code.i32(5);
        code.op("i32.shl", "i32.add");
        code.set(v.b);
        code.get(n);
        code.get(v.panel);
        code.i32(3);
        code.op("i32.shl", "i32.sub");
        code.set(v.wide);
        code.count(v.i, v.rows, TILE.rows, () => {
          panelOfRows();
          code.set(v.a);
          difference(code, v.rows, v.i);
          code.set(v.left);
          args.buffer(0);
          args.word(4);
          code.get(v.row);
          code.get(v.i);
          code.op("i32.add");
          code.get(n);
          code.op("i32.mul", "i32.add");
          code.get(v.panel);
          code.i32(3);
          code.op("i32.shl", "i32.add");
          code.i32(2);
          code.op("i32.shl", "i32.add");
          code.set(v.corner);
          code.if(
            () => {
              code.get(v.left);
              code.i32(TILE.rows);
              code.op("i32.ge_u");
              code.get(v.wide);
              code.i32(TILE.columns);
              code.op("i32.ge_u", "i32.and");
            },
            () => {
              for (const local of [v.a, v.b, v.corner, v.block, resultStep, v.depth]) code.get(local);
              code.call(0);
            },
            atTheEdge,
          );
        });
        code.increase(v.panel, 1);
      });
    });
    code.increase(piece, 1);
  });
  return code;

  function panelOfRows(): void {
    code.get(v.scratch);
    code.get(v.i);
    code.get(v.block);
    code.op("i32.mul");
    code.i32(2);
    code.op("i32.shl", "i32.add");
  }

  /** A tile that hangs over the result is computed aside and copied as far as the result goes. */
  function atTheEdge(): void {
    for (const local of [v.a, v.b, edge, v.block]) code.get(local);
    code.i32(4 * TILE.columns);
    code.i32(0);
    code.call(0);
    lesser(code, () => code.get(v.left), () => code.i32(TILE.rows), v.left);
    const columns = code.local("i32");
    lesser(code, () => code.get(v.wide), () => code.i32(TILE.columns), columns);
    const place = (base: Local, step: () => void) => (): void => {
      code.get(base);
      code.get(v.y);
      step();
      code.op("i32.mul", "i32.add");
      code.get(v.x);
      code.i32(2);
      code.op("i32.shl", "i32.add");
    };
    const result = place(v.corner, () => code.get(resultStep));
    const aside = place(edge, () => code.i32(4 * TILE.columns));
    code.count(v.y, v.left, 1, () => {
      code.count(v.x, columns, 1, () => {
        code.if(() => code.get(v.depth), () => {
          aside();
          result();
          code.memory("f32.load");
          aside();
          code.memory("f32.load");
          code.op("f32.add");
          code.memory("f32.store");
        });
        result();
        aside();
        code.memory("f32.load");
        code.memory("f32.store");
      });
    });
  }
}
