/**
 * Going back through a graph: nodes from the last to the first, each once, when all that was made of its result has sent
 * (compute.md §7, ops.md §1.7).
 *
 * @module
 */
import { constant } from "../../table/expression.ts";
import { ComputeError } from "../../values/errors.ts";
import { isContiguous } from "../../values/shape.ts";
import type { BackwardOptions, Tensor } from "../tensor.ts";
import { inMode } from "./modes.ts";
import type { Node } from "./node.ts";
import type { TapeHost } from "./tape.ts";

/**
 * Goes back.
 *
 * @param targets Nodes whose gradients are given; absent, those of leaves are collected.
 * @returns Gradients of the targets, in their order.
 */
export function goBack(
  host: TapeHost,
  roots: readonly Tensor[],
  gradients: readonly (Tensor | undefined)[],
  options: BackwardOptions,
  targets?: readonly (Node | undefined)[],
): (Tensor | undefined)[] {
  const { createGraph = false, retainGraph = createGraph } = options;
  return inMode(createGraph ? "enabled" : "disabled", () =>
    host.runner.scope(({ keep }) => {
      const sums = new Map<Node, Tensor>();
      roots.forEach((root, i) => {
        const node = root.node as Node | undefined;
        if (node === undefined) {
          throw new ComputeError("E_GRAPH", "backward", `tensor ${root.id} of ${root.made} asks for no gradients`);
        }
        send(host, sums, node, firstGradient(host, root, gradients[i]));
      });
      const order = behind([...sums.keys()]);
      const wanted = new Set(targets);
      const leads = targets && leading(order, wanted);
      const found = new Map<Node, Tensor>();
      for (const node of order) {
        const g = sums.get(node);
        sums.delete(node);
        if (g === undefined || (leads && !leads.has(node))) continue;
        const seen = passed(node, g);
        if (wanted.has(node)) found.set(node, seen);
        else if (node.leaf && !targets) collect(host, node.leaf, seen, createGraph);
        if (node.backward) step(host, node, seen, sums, leads, retainGraph);
        if (seen !== g || !found.has(node)) g.dispose();
      }
      return (targets ?? []).map((node) => {
        const g = node && found.get(node);
        return g && keep(lasting(host, g));
      });
    }));
}

/** One node: its gradient becomes those of its operands. */
function step(
  host: TapeHost,
  node: Node,
  g: Tensor,
  sums: Map<Node, Tensor>,
  leads: ReadonlySet<Node> | undefined,
  retain: boolean,
): void {
  const wanted = node.operands.map((one) => one !== undefined && (leads === undefined || leads.has(one)));
  if (!wanted.includes(true)) return;
  const saved = node.saved;
  const sent = host.runner.scope(({ keep }) => {
    const values = saved.map((one) => host.revive(one, node));
    return node.backward!(g, values, wanted).map((one, i) => {
      if (one === undefined || !wanted[i]) return undefined;
      return keep(host.runner.view(one, one.made, one.layout, "reshape"));
    });
  });
  if (!retain) node.forget();
  sent.forEach((one, i) => {
    const to = node.operands[i];
    if (!one || !to) return;
    if (`${one.shape}` !== `${to.shape}`) {
      throw new ComputeError("E_SHAPE", node.op, `its gradient for [${to.shape}] has shape [${one.shape}]`);
    }
    send(host, sums, to, one);
  });
}

/** Adds to what reaches a node. */
function send(host: TapeHost, sums: Map<Node, Tensor>, node: Node, g: Tensor): void {
  const before = sums.get(node);
  if (before === undefined) return void sums.set(node, g);
  sums.set(node, host.runner.map("add", [before, g]));
  before.dispose();
  g.dispose();
}

/** What the hooks of a node make of its gradient. */
function passed(node: Node, g: Tensor): Tensor {
  let seen = g;
  for (const hook of node.hooks) {
    const other = hook(seen);
    if (other === undefined) continue;
    if (`${other.shape}` !== `${g.shape}` || other.dtype !== "f32") {
      throw new ComputeError("E_SHAPE", node.op, `a hook gave [${other.shape}] of ${other.dtype} for [${g.shape}]`);
    }
    seen = other;
  }
  return seen;
}

/** A leaf's gradient grows. */
function collect(host: TapeHost, leaf: Tensor, g: Tensor, createGraph: boolean): void {
  if (leaf.isDisposed) return;
  const { grad } = leaf;
  if (grad === undefined || grad.isDisposed) {
    const own = lasting(host, g);
    host.unscope(own);
    leaf.collect(own);
    return;
  }
  const sum = host.runner.map("add", [grad, g]);
  if (createGraph || grad.requiresGrad || (grad.storageFor("backward")?.saved ?? 0) > 0) {
    host.unscope(sum);
    leaf.collect(sum);
  } else host.runner.write(grad, sum, false);
}

/** A gradient that shares no elements. */
function lasting(host: TapeHost, g: Tensor): Tensor {
  const storage = g.storageFor("backward");
  const alone = isContiguous(g.layout) && g.layout.offset === 0 && (storage === undefined || storage.holders === 1);
  return alone ? host.runner.view(g, "grad", g.layout, "reshape") : host.runner.copy(g);
}

function firstGradient(host: TapeHost, root: Tensor, given: Tensor | undefined): Tensor {
  if (given === undefined) {
    if (root.size !== 1) {
      const shape = `[${root.shape}]`;
      throw new ComputeError(
        "E_GRAPH",
        "backward",
        `shape ${shape} has not one element: give a gradient, or sum it first`,
      );
    }
    return host.runner.kernel("ones", root.shape, [], () => constant(1, "f32"));
  }
  if (`${given.shape}` !== `${root.shape}` || given.dtype !== "f32") {
    throw new ComputeError(
      "E_SHAPE",
      "backward",
      `the gradient is [${given.shape}] of ${given.dtype}, not [${root.shape}] of f32`,
    );
  }
  return host.runner.view(given, "gradient", given.layout, "reshape");
}

/** All nodes behind some, the last first. */
function behind(roots: readonly Node[]): Node[] {
  const seen = new Set<Node>(roots);
  for (const node of seen) for (const one of node.operands) if (one) seen.add(one);
  return [...seen].sort((a, b) => b.id - a.id);
}

/** Those of an order that lead to some. */
function leading(order: readonly Node[], to: ReadonlySet<Node | undefined>): Set<Node> {
  const leads = new Set<Node>();
  for (const node of order.toReversed()) {
    if (to.has(node) || node.operands.some((one) => one && leads.has(one))) leads.add(node);
  }
  return leads;
}
