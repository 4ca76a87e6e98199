/**
 * Gradients of powers (ops.md §4, row 84).
 *
 * @module
 */
import { log } from "../maths.ts";
import { power } from "../special.ts";
import type { Gradient } from "../spec.ts";
import { binary, compare, select } from "../expression.ts";
import { minus, term, times, when } from "./algebra.ts";

/** Of the base, 0 where the exponent is 0; of the exponent, 0 where the base is 0 and the exponent not below. */
export const powerGradients: readonly Gradient[] = [
  (g, [x, y]) => when("eq", y, 0, 0, times(g, y, power(x, minus(y, 1)))),
  (g, [x, y], o) => {
    const nothing = binary("and", compare("eq", x, 0), compare("ge", y, 0));
    return select(nothing, term(0), times(g, o, log(select(nothing, term(1), x))));
  },
];
