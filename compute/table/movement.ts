/**
 * Rows that move elements: trees over places and free operands (ops.md §10).
 *
 * @module
 */
import { binary, bitcast, compare, constant, convert, type Expr, load, select } from "./expression.ts";

/** How an extent goes on beyond its ends. */
export type PadMode = "constant" | "reflect" | "replicate" | "circular";

/**
 * An element beyond a dim's ends.
 *
 * @param x Free.
 * @param i Coordinate, from 0 at the first element of x.
 */
export function padded(mode: PadMode): (x: Expr, i: Expr, extent: Expr, stride: Expr, value: Expr) => Expr {
  return (x, i, extent, stride, value) => {
    const last = binary("sub", extent, 1);
    const inside = binary("and", compare("ge", i, 0), compare("lt", i, extent));
    const clamped = clamp(i, last);
    const at = (place: Expr): Expr => load(x, binary("mul", place, stride));
    if (mode === "constant") return select(inside, at(clamped), value);
    if (mode === "replicate") return at(clamped);
    if (mode === "circular") return at(clamp(wrapped(i, extent), last));
    const positive = select(compare("lt", i, 0), binary("sub", constant(0, "i32"), i), i);
    const mirrored = binary("sub", binary("add", last, last), positive);
    return at(clamp(select(compare("gt", positive, last), mirrored, positive), last));
  };
}

/** An element of the same dim, `shift` before. */
export function rolled(x: Expr, i: Expr, shift: Expr, extent: Expr, stride: Expr): Expr {
  const place = wrapped(binary("sub", i, shift), extent);
  return load(x, binary("mul", binary("sub", place, i), stride));
}

/** The first operand up to a place of a dim, the second from there on. */
export function joined(x: Expr, y: Expr, i: Expr, at: Expr, total: Expr, one: Expr, other: Expr): Expr {
  const first = compare("lt", i, at);
  const last = binary("sub", at, 1);
  const rest = clamp(binary("sub", i, at), binary("sub", binary("sub", total, at), 1));
  return select(first, load(x, binary("mul", clamp(i, last), one)), load(y, binary("mul", rest, other)));
}

/** One step of a running fold: what lies `step` before is combined with what lies here. */
export function scanned(combine: (a: Expr, b: Expr) => Expr): (x: Expr, i: Expr, step: Expr, stride: Expr) => Expr {
  return (x, i, step, stride) => {
    const reaches = compare("ge", i, step);
    const back = select(reaches, binary("mul", binary("sub", constant(0, "i32"), step), stride), 0);
    const here = load(x, constant(0, "i32"));
    return select(reaches, combine(load(x, back), here), here);
  };
}

/** The same within runs of equal keys, which lie beside one another. */
export function scannedRuns(
  combine: (a: Expr, b: Expr) => Expr,
): (x: Expr, key: Expr, i: Expr, step: Expr) => Expr {
  return (x, key, i, step) => {
    const reaches = compare("ge", i, step);
    const back = select(reaches, binary("sub", constant(0, "i32"), step), 0);
    const [here, nothing] = [load(x, constant(0, "i32")), constant(0, "i32")];
    const same = binary("and", reaches, compare("eq", load(key, back), load(key, nothing)));
    return select(same, combine(load(x, back), here), here);
  };
}

/** An i32 in whose order values lie, NaN last. */
export function sortKey(descending: boolean): (x: Expr) => Expr {
  return (x) => {
    const key = orderOf(x);
    return descending ? binary("xor", key, -1) : key;
  };
}

/**
 * One exchange of a bitonic network over places of keys; equal keys stay in the order of their places, and places beyond the
 * keys come last.
 *
 * @param state Places so far, free. `keys` is free along the dim.
 */
export function exchanged(
  state: Expr,
  keys: Expr,
  i: Expr,
  block: Expr,
  distance: Expr,
  extent: Expr,
  stride: Expr,
): Expr {
  const partner = binary("sub", binary("xor", i, distance), i);
  const [a, b] = [load(state, constant(0, "i32")), load(state, partner)];
  const last = binary("sub", extent, 1);
  const [p, q] = [a, b].map((place) => load(keys, binary("mul", clamp(place, last), stride)));
  const [missingA, missingB] = [a, b].map((place) => compare("ge", place, extent));
  const tie = binary("and", compare("eq", p, q), compare("lt", b, a));
  const smaller = binary("or", compare("lt", q, p), tie);
  const bFirst = select(
    missingA,
    select(missingB, compare("lt", b, a), constant(1, "bool")),
    select(missingB, constant(0, "bool"), smaller),
  );
  const rising = compare("eq", binary("and", i, block), 0);
  const lower = compare("eq", binary("and", i, distance), 0);
  const takesFirst = unequalNot(rising, lower);
  return select(binary("xor", bFirst, takesFirst), a, b);
}

/** How many of a sorted row are below a value or, with `right`, not above it. */
export function searched(extent: number, right: boolean): (value: Expr, row: Expr, count: Expr, stride: Expr) => Expr {
  return (value, row, count, stride) => {
    const key = orderOf(value);
    let low = constant(0, "i32");
    for (let step = 2 ** Math.floor(Math.log2(Math.max(1, extent))); step >= 1; step /= 2) {
      const probe = binary("add", low, step);
      const place = clamp(binary("sub", probe, 1), binary("sub", count, 1));
      const found = orderOf(load(row, binary("mul", place, stride)));
      const before = compare(right ? "le" : "lt", found, key);
      low = select(binary("and", compare("le", probe, count), before), probe, low);
    }
    return low;
  };
}

/** Both or neither. */
function unequalNot(a: Expr, b: Expr): Expr {
  return binary("xor", binary("xor", a, b), constant(1, "bool"));
}

function orderOf(x: Expr): Expr {
  if (x.dtype === "bool") return convert(x, "i32");
  if (x.dtype === "i32") return x;
  if (x.dtype === "u32") return bitcast(binary("xor", x, 0x80000000), "i32");
  // −0 and 0 are equal.
  const bits = bitcast(select(compare("eq", x, 0), constant(0, "f32"), x), "i32");
  const order = select(compare("lt", bits, 0), binary("xor", bits, 0x7fffffff), bits);
  const nan = compare("gt", binary("and", bitcast(x, "u32"), 0x7fffffff), 0x7f800000);
  return select(nan, constant(2 ** 31 - 1, "i32"), order);
}

function clamp(i: Expr, last: Expr): Expr {
  return binary("max", binary("min", i, last), 0);
}

/** Into 0 to extent − 1, from at most one extent outside. */
function wrapped(i: Expr, extent: Expr): Expr {
  const low = select(compare("lt", i, 0), binary("add", i, extent), i);
  return select(compare("ge", low, extent), binary("sub", low, extent), low);
}
