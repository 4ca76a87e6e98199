/**
 * `alknet compute bench`: figures as a table and as JSON, on both devices.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { needs } from "../support/programs.ts";
import { runAlknet } from "../support/process.ts";

Deno.test("alknet compute bench --device cpu: a table, and --json", async () => {
  const table = await runAlknet(["compute", "bench", "--device", "cpu", "--threads", "2", "--seconds", "0.01"]);
  equal(table.code, 0, table.stderr);
  match(table.stdout, /^cpu: WebAssembly SIMD.*, 2 threads\nmatmul 256 +\S+ +GFLOP\/s\n[\s\S]*\none read +\S+ +µs\n$/);
  const json = await runAlknet(["compute", "bench", "--device", "cpu", "--seconds", "0.01", "--json"]);
  const [device, ...figures] = json.stdout.trim().split("\n").map((line) => JSON.parse(line));
  deepEqual([device.device, device.fallback, figures.length], ["cpu", false, 8]);
  for (const { figure, value } of figures) ok(value > 0, figure);
});

Deno.test({
  name: "alknet compute bench --device gpu: what the adapter is",
  ...needs("vulkan"),
  async fn() {
    const { stdout, stderr } = await runAlknet(["compute", "bench", "--device", "gpu", "--seconds", "0.01", "--json"]);
    const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
    deepEqual([lines[0].device, lines.length, stderr], ["gpu", 9, ""]);
  },
});

Deno.test("alknet compute bench: a device that does not exist is a wrong usage", async () => {
  equal((await runAlknet(["compute", "bench", "--device", "tpu"])).code, 2);
});
