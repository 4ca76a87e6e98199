/**
 * Folds in WGSL: an invocation an output. Plans keep each short, since a loop of a software adapter ends without a word
 * after 65,535 turns (compute.md §16.3).
 *
 * @module
 */
import type { ReduceSpec } from "../kernels/spec.ts";
import { literal, loaded, statements, stored } from "./expression.ts";
import { buffer, INVOCATION, prelude } from "./prelude.ts";

/** The shader of a fold. */
export function renderReduce({ kept, reduced, dtype, each, identity, combine, finish }: ReduceSpec): string {
  const offset = 3 + kept + reduced;
  const lines = [prelude(1), buffer(1, "out", "u32"), buffer(2, "source", "u32"), INVOCATION];
  lines.push("if (invocation >= word(1u)) { return; }", "var place = invocation;", `var at0 = word(${offset}u);`);
  for (let dim = kept - 1; dim >= 0; dim--) {
    lines.push(
      `at0 += (place % word(${3 + dim}u)) * word(${offset + 1 + dim}u);`,
      `place = place / word(${3 + dim}u);`,
    );
  }
  lines.push(`var total = ${literal(identity, combine.dtype)};`);
  for (let dim = 0; dim < reduced; dim++) {
    lines.push(
      `var at${dim + 1} = at${dim};`,
      `for (var i${dim} = 0u; i${dim} < word(${3 + kept + dim}u); i${dim}++) {`,
    );
  }
  lines.push(`let x = ${loaded(dtype, `source[at${reduced}]`)};`);
  const mapped = statements(each, ["x"], "e");
  const folded = statements(combine, ["total", mapped.value], "c");
  lines.push(...mapped.lines, ...folded.lines, `total = ${folded.value};`);
  for (let dim = reduced - 1; dim >= 0; dim--) lines.push(`at${dim + 1} += word(${offset + 1 + kept + dim}u);`, "}");
  lines.push(`let count = bitcast<F>(word(${offset + 1 + kept + reduced}u));`);
  const finished = statements(finish, ["total", "count"], "f");
  lines.push(...finished.lines, `out[word(2u) + invocation] = ${stored(finish.dtype, finished.value)};`, "}");
  return lines.join("\n");
}
