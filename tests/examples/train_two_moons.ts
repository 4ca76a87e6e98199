/**
 * A small net learns which of two moons a point belongs to, and is written to a file.
 *
 * @module
 */
import { Generator, openEngine, tanh } from "@alknet/compute";
import { bceWithLogits } from "@alknet/compute/layers";
import { Linear, Sequential } from "@alknet/compute/nn";
import { AdamW } from "@alknet/compute/optim";
import { saveState } from "@alknet/compute/saving";

const points = Array.from({ length: 200 }, (_, i) => [Math.cos(i / 32), Math.sin(i / 32)])
  .map(([x, y], i) => i < 100 ? [x, y] : [x + 1, y + 0.5]);

await using engine = await openEngine(); // a GPU that is not made of software, else the CPU
const init = { engine, generator: new Generator(1) };
using model = new Sequential(new Linear(init, 2, 16), tanh, new Linear(init, 16, 1));
using optimizer = new AdamW(model.parameters(), { lr: 0.05 });
using x = engine.tensor(points);
using y = engine.tensor(points.map((_, i) => [Number(i >= 100)]));
for (let step = 0; step < 300; step++) {
  optimizer.zeroGrad();
  engine.scope(() => bceWithLogits(model.call(x), y).backward());
  optimizer.step();
}
using answers = model.call(x);
const right = [...await answers.read()].filter((one, i) => Number(one) > 0 === i >= 100).length;
console.log(`${right} of 200 are right`);
if (Deno.args[0]) await saveState(Deno.args[0], model.stateDict());
