/**
 * Our figures of the compute benchmarks, as lines of JSON.
 *
 * ```text
 * compute_task.ts SECONDS SIDES ELEMENTS
 * ```
 *
 * @module
 */
import { measure, openEngine } from "@alknet/compute";

const [seconds, sides, elements] = Deno.args;
await using engine = await openEngine({ device: "cpu" });
const options = { seconds: Number(seconds), sides: sides.split(",").map(Number), elements: Number(elements) };
for await (const figure of measure(engine, options)) {
  // The rest is not in NumPy.
  if (figure.unit !== "µs") console.log(JSON.stringify(figure));
}
