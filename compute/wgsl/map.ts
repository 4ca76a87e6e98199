/**
 * Maps in WGSL: an invocation computes four neighbours where all operands allow it, else one element.
 *
 * @module
 */
import type { MapSpec } from "../kernels/spec.ts";
import { loaded, statements, stored } from "./expression.ts";
import { buffer, INVOCATION, prelude } from "./prelude.ts";

/** The shader of a map. */
export function renderMap(spec: MapSpec): string {
  const { rank, inputs, body, vector } = spec;
  const element = vector ? "vec4<u32>" : "u32";
  const lines: string[] = [prelude(vector ? 4 : 1), buffer(1, "out", element)];
  const loads: string[] = [];
  const placed = inputs.filter(({ stepping }) => stepping !== "value").length;
  let word = 2 + rank;
  let value = word + placed * (1 + rank);
  let binding = 2;
  const names = inputs.map(({ dtype, stepping }, index) => {
    const name = `x${index}`;
    if (stepping === "value") {
      loads.push(`let ${name} = ${loaded(dtype, `U(word(${value++}u))`)};`);
      return name;
    }
    const scalar = vector && stepping === "broadcast";
    if (stepping !== "place") lines.push(buffer(binding++, `in${index}`, scalar ? "u32" : element));
    const place = vector
      ? (scalar ? `word(${word}u)` : `word(${word}u) / 4u + invocation`)
      : [`word(${word}u)`, ...Array.from({ length: rank }, (_, dim) => `i${dim} * word(${word + 1 + dim}u)`)].join(
        " + ",
      );
    const read = `in${index}[${place}]`;
    if (stepping === "place") loads.push(`let ${name} = bitcast<I>(${place});`);
    else if (stepping === "free") loads.push(`let ${name} = ${place};`);
    else loads.push(`let ${name} = ${loaded(dtype, scalar ? `U(${read})` : read)};`);
    word += 1 + rank;
    return name;
  });
  const { lines: computed, value: result } = statements(body, names, "v");
  const count = vector ? "(word(1u) + 3u) / 4u" : "word(1u)";
  lines.push(INVOCATION, `if (invocation >= ${count}) { return; }`);
  if (!vector) {
    lines.push("var place = invocation;");
    for (let dim = rank - 1; dim >= 0; dim--) {
      lines.push(`let i${dim} = place % word(${2 + dim}u);`, `place = place / word(${2 + dim}u);`);
    }
  }
  lines.push(...loads, ...computed, `out[invocation] = ${stored(body.dtype, result)};`, "}");
  return lines.join("\n");
}
