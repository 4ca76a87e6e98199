/**
 * The gradient of a tree, as a tree: what reaches each input for what comes back to the result. The gradients of gradients are
 * made so, and those of trees that are no rows.
 *
 * At kinks the branch that was taken counts, and equal extremes share.
 *
 * @module
 */
import { binary, compare, constant, type Expr, inOrder, type Meaning, select } from "./expression.ts";
import { minus, opposite, over, plus, squared, times } from "./gradients/algebra.ts";
import { powerGradients } from "./gradients/powers.ts";
import { cos, sin } from "./trigonometry.ts";
import { exp } from "./maths.ts";
import { trigamma } from "./special.ts";

/** What is sent to each operand of a function. */
const MEANT: Readonly<Record<Meaning, (g: Expr, of: readonly Expr[], result: Expr) => Expr[]>> = {
  exp: (g, _, y) => [times(g, y)],
  expm1: (g, _, y) => [times(g, plus(y, 1))],
  log: (g, [x]) => [over(g, x)],
  log1p: (g, [x]) => [over(g, plus(x, 1))],
  sin: (g, [x]) => [times(g, cos(x))],
  cos: (g, [x]) => [opposite(times(g, sin(x)))],
  tanh: (g, _, y) => [times(g, minus(1, squared(y)))],
  erf: (g, [x]) => [times(g, 2 / Math.sqrt(Math.PI), exp(opposite(squared(x))))],
  erfc: (g, [x]) => [times(g, -2 / Math.sqrt(Math.PI), exp(opposite(squared(x))))],
  pow: (g, [x, y], o) => powerGradients.map((one) => one(g, [x, y], o)),
  digamma: (g, [x]) => [times(g, trigamma(x))],
  sigmoid: (g, _, y) => [times(g, y, minus(1, y))],
  copysign: (g, [, of]) => [select(compare("lt", of, 0), opposite(g), g), constant(0, "f32")],
};

/**
 * What reaches the inputs.
 *
 * @param root A tree of f32.
 * @param g What comes back to it.
 * @returns By index of the input; those that nothing reaches are absent.
 */
export function derivative(root: Expr, g: Expr): ReadonlyMap<number, Expr> {
  const reached = new Map<Expr, Expr>([[root, g]]);
  const inputs = new Map<number, Expr>();
  const send = (to: Expr, part: Expr): void => {
    if (to.dtype !== "f32") return;
    const before = reached.get(to);
    reached.set(to, before ? binary("add", before, part) : part);
  };
  for (const node of ordered(root).reverse()) {
    const own = reached.get(node);
    if (own === undefined) continue;
    if (node.kind === "input") {
      const before = inputs.get(node.index);
      inputs.set(node.index, before ? binary("add", before, own) : own);
    } else if (node.means) {
      const { name, of } = node.means;
      MEANT[name](own, of, node).forEach((part, i) => send(of[i], part));
    } else pass(node, own, send);
  }
  return inputs;
}

/** Children before those that are made of them, where a function's operands are its children. */
function ordered(root: Expr): Expr[] {
  const seen = new Set<Expr>();
  const visit = (node: Expr): void => {
    if (seen.has(node)) return;
    for (const child of node.means?.of ?? ("of" in node ? node.of : [])) visit(child);
    seen.add(node);
  };
  visit(root);
  return [...seen];
}

function pass(node: Expr, g: Expr, send: (to: Expr, part: Expr) => void): void {
  if (node.kind === "unary") {
    const [x] = node.of;
    if (node.name === "neg") send(x, opposite(g));
    if (node.name === "sqrt") send(x, over(g, times(node, 2)));
    if (node.name === "abs") {
      send(x, select(compare("gt", x, 0), g, select(compare("lt", x, 0), opposite(g), constant(0, "f32"))));
    }
    return;
  }
  if (node.kind === "select") {
    const [test, then, otherwise] = node.of;
    send(then, select(test, g, 0));
    send(otherwise, select(test, constant(0, "f32"), g));
  }
  if (node.kind === "convert" && node.of[0].dtype === "f32") send(node.of[0], g);
  if (node.kind !== "binary") return;
  const [x, y] = node.of;
  if (node.name === "add" || node.name === "sub") {
    send(x, g);
    send(y, node.name === "add" ? g : opposite(g));
  } else if (node.name === "mul") {
    send(x, times(g, y));
    send(y, times(g, x));
  } else if (node.name === "div") {
    send(x, over(g, y));
    send(y, opposite(over(times(g, node), y)));
  } else if (node.name === "max" || node.name === "min") {
    const half = select(compare("eq", x, y), times(g, 0.5), g);
    const first = compare(node.name === "max" ? "ge" : "le", x, y);
    const second = compare(node.name === "max" ? "ge" : "le", y, x);
    send(x, select(first, half, 0));
    send(y, select(second, half, 0));
  }
}

/** Whether a tree reads an input. */
export function reads(root: Expr, index: number): boolean {
  return inOrder(root).some((node) => (node.kind === "input" || node.kind === "load") && node.index === index);
}

/** Whether a tree reads elsewhere than at its place. */
export function wanders(root: Expr): boolean {
  return inOrder(root).some(({ kind }) => kind === "load");
}
