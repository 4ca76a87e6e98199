/**
 * Products of f32 matrices in WGSL: each invocation keeps a tile of the result in registers and reads both operands four
 * elements at a time. There is no workgroup memory, which software adapters are slow with (compute.md §16.3).
 *
 * @module
 */
import type { MatmulSpec } from "../kernels/spec.ts";
import { buffer, INVOCATION, prelude } from "./prelude.ts";

/** Rows and columns that an invocation computes. */
export const TILE = 8;
/** Invocations of a workgroup along each dim. */
export const SIDE = 8;
/** Depths that operands are filled up to multiples of. */
export const STEP = 4;

/** The shader that copies an operand row by row and fills it up with zeros, or the one that multiplies. */
export function renderMatmul({ stage }: MatmulSpec): string {
  return stage === "pack" ? pack() : multiply();
}

/** Words: 0, rows and columns of the copy, rows and columns of the operand, offset, row stride, column stride. */
function pack(): string {
  return [
    prelude(1),
    buffer(1, "out", "u32"),
    buffer(2, "source", "u32"),
    INVOCATION,
    `if (invocation >= word(1u) * word(2u)) { return; }
  let row = invocation / word(2u);
  let column = invocation % word(2u);
  if (row < word(3u) && column < word(4u)) {
    out[invocation] = source[word(5u) + row * word(6u) + column * word(7u)];
  } else {
    out[invocation] = 0u;
  }
}`,
  ].join("\n");
}

/**
 * Words: 0, rows m, columns n, place of the result, depth in steps of 4 of this dispatch, that of a row of A, columns of B in
 * groups of 4, places of A and of B in groups of 4, first step, whether to add to what is there.
 */
function multiply(): string {
  const rows = [...Array(TILE).keys()];
  const halves = [...Array(TILE / 4).keys()];
  const lines = [
    prelude(1),
    buffer(1, "out", "f32"),
    buffer(2, "a", "vec4<f32>"),
    buffer(3, "b", "vec4<f32>"),
    `@compute @workgroup_size(${SIDE}, ${SIDE})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let m = word(1u);
  let n = word(2u);
  let row = id.y * ${TILE}u;
  let column = id.x * ${TILE}u;
  if (row >= m || column >= n) { return; }
  let steps = word(4u);
  let width = word(6u);`,
    ...rows.flatMap((r) => [
      ...halves.map((h) => `var s${r}_${h} = vec4<f32>();`),
      `var a${r} = word(7u) + (row + ${r}u) * word(5u) + word(9u);`,
    ]),
    "var at = word(8u) + word(9u) * 4u * width + column / 4u;",
    "for (var step = 0u; step < steps; step++) {",
    ...rows.map((r) => `let x${r} = a[a${r}]; a${r} += 1u;`),
  ];
  for (const part of ["x", "y", "z", "w"]) {
    for (const h of halves) lines.push(`let b${part}${h} = b[at + ${h}u];`);
    lines.push("at += width;");
    for (const r of rows) for (const h of halves) lines.push(`s${r}_${h} += x${r}.${part} * b${part}${h};`);
  }
  lines.push("}", "let adds = word(10u) != 0u;");
  for (const r of rows) {
    lines.push(`if (row + ${r}u < m) {`, `let to = word(3u) + (row + ${r}u) * n + column;`);
    for (const h of halves) {
      for (let c = 0; c < 4; c++) {
        const place = 4 * h + c;
        const before = `select(0.0, out[to + ${place}u], adds)`;
        lines.push(`if (column + ${place}u < n) { out[to + ${place}u] = s${r}_${h}[${c}] + ${before}; }`);
      }
    }
    lines.push("}");
  }
  lines.push("}");
  return lines.join("\n");
}
