/**
 * Gradients of all cases, and gradients of those, in float64 beside differences (compute.md §11).
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import * as c from "@alknet/compute";
import { FAMILIES } from "./gradients.ts";
import { casesOf, onto } from "./suite.ts";

/** Cases whose operands lie at a kink or an end, where there is no difference to compare with. */
const AT_KINKS =
  /^(relu|relu6|selu|elu|celu|hardsigmoid|hardswish|hardtanh|hardshrink|leaky_relu|softshrink) near$|^(logit|rrelu|elu alpha|celu alpha|kl_div|bce_loss|bce_with_logits|nll_loss of nothing|var of few)$/;
/** Cases of so large or so small numbers that a step of 10⁻⁶ is lost, or is far. */
const OUT_OF_REACH =
  /^(erf near|erfc near|expm1 near|softplus near|sinh|cosh|tanhshrink|hypot large|ldexp|norm of large and small|normalize|cosine_similarity of 0)$/;
/** Cases whose rule has no gradient of its own. */
const ONCE: readonly string[] = ["scatter_reduce"];
/** More elements take too long one by one. */
const MOST = 500;

for (const [family, cases] of Object.entries(FAMILIES)) {
  Deno.test(`${family}: gradients in float64, and theirs, are what differences say`, async (t) => {
    await using engine = await c.openEngine({ device: "cpu", threads: 1 });
    let checked = 0;
    for (const { name, operands } of await casesOf(family)) {
      const size = operands.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
      if (AT_KINKS.test(name) || OUT_OF_REACH.test(name) || size > MOST) continue;
      using held = new DisposableStack();
      const given = operands.map((one) => held.use(onto(engine, one)));
      if (!await finite(given)) continue;
      await t.step(name, async () => {
        const run = (...of: c.Tensor[]) => cases[name][1](of, of[0].runner as c.Engine);
        const first = await c.gradcheck(run, given);
        ok(first.passed, JSON.stringify(first));
        if (first.compared === 0 || ONCE.includes(name)) return;
        const second = await c.gradgradcheck(run, given);
        ok(second.passed, `of the gradient: ${JSON.stringify(second)}`);
      });
      checked++;
    }
    ok(checked > LEAST[family], `${checked} cases were looked at`);
    equal(engine.tensors().length, 0);
  });
}

/** So that a rule of what is left out does not leave out all. */
const LEAST: Readonly<Record<string, number>> = { elements: 20, shapes: 30, folding: 15, indexing: 20, layers: 50 };

async function finite(given: readonly c.Tensor[]): Promise<boolean> {
  const floats = given.filter(({ dtype }) => dtype === "f32");
  for (const one of floats) if (!(await one.read() as Float32Array).every(Number.isFinite)) return false;
  return floats.length > 0;
}
