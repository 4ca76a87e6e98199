/**
 * WebGPU as a device: many launches in a turn, buffers used again while work is under way, and adapters that are not there.
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { add, mul, openEngine, type Tensor } from "@alknet/compute";
import { runProgram } from "../support/process.ts";
import { needs } from "../support/programs.ts";
import { ROOT } from "../support/python.ts";

Deno.test({
  name: "gpu: a thousand launches in one turn take effect in order, over buffers that are used again",
  ...needs("vulkan"),
  async fn() {
    await using engine = await openEngine({ device: "gpu" });
    let x: Tensor = engine.zeros([10]);
    for (let i = 0; i < 1000; i++) {
      const next = add(x, i % 7);
      x.dispose();
      x = next;
    }
    const wanted = Array.from({ length: 1000 }, (_, i) => i % 7).reduce((a, b) => a + b);
    deepEqual([...await x.read()], new Array(10).fill(wanted));
    x.dispose();
    equal(engine.stats().live, 0);
    using a = engine.full([5], 3);
    const reads = await Promise.all([1, 2, 3].map(async (factor) => {
      using product = mul(a, factor);
      return (await product.read())[4];
    }));
    deepEqual(reads, [3, 6, 9]);
  },
});

Deno.test("openEngine(): without an adapter the CPU computes, and who asks for the GPU is told what to install", async () => {
  const program = `
    import { openEngine } from "@alknet/compute";
    Object.defineProperty(navigator, "gpu", { value: undefined });
    await using engine = await openEngine();
    console.log(engine.device.kind);
    await openEngine({ device: "gpu" }).catch(({ code, message }) => console.log(code, message));
  `;
  const { stdout, stderr } = await runProgram(Deno.execPath(), ["run", "-A", "--no-check", "--ext=ts", "-"], {
    cwd: ROOT,
    stdin: program,
  });
  const told =
    "E_DEVICE open: no adapter of WebGPU was found; install a Vulkan driver (mesa-vulkan-drivers on Debian runs on the processor alone), or use the cpu";
  equal(stdout, `cpu\n${told}\n`, stderr);
});
