/**
 * `alknet gpu`, and `alknet run --allow-gpu`.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { runAlknet } from "../support/process.ts";
import { needs } from "../support/programs.ts";
import { temporaryFolder } from "../support/temp.ts";

const vulkan = needs("vulkan");
/** Vulkan's loader finds no driver with these. */
const WITHOUT = { env: { VK_DRIVER_FILES: "/nowhere", VK_ICD_FILENAMES: "/nowhere", DENO_WEBGPU_BACKEND: "vulkan" } };
const linux = { ignore: Deno.build.os !== "linux" };

const DOUBLES = `
export default async () => {
  const shader = await gpu.compile(\`
    @group(0) @binding(0) var<storage, read_write> n: array<u32>;
    @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) { n[id.x] = n[id.x] * 2u; }
  \`);
  const buffer = await gpu.buffer(new Uint8Array([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0]));
  await gpu.dispatch({ shader, bindings: [buffer] });
  return [...await gpu.read(buffer)].filter((byte) => byte !== 0).join(" ");
};
`;

async function run(source: string, options: readonly string[], more = {}) {
  await using folder = await temporaryFolder();
  return await runAlknet(["run", await folder.write("main.ts", source), "--timeout", "60", ...options], more);
}

Deno.test({
  name: "alknet gpu info: what the adapter is and its limits, and --json",
  ...vulkan,
  async fn() {
    const { code, stdout, stderr } = await runAlknet(["gpu", "info"]);
    deepEqual([code, stderr], [0, ""]);
    match(stdout, /^\S.*\n(?:features: .*\n)?maxBufferSize +\d+\n/);
    const json = JSON.parse((await runAlknet(["gpu", "info", "--json"])).stdout);
    equal(stdout.split("\n")[0], json.adapter.name + (json.adapter.fallback ? ", made of software" : ""));
    ok(json.adapter.limits.maxStorageBufferBindingSize >= 128 << 20);
  },
});

Deno.test({
  name: "alknet gpu, run --allow-gpu: without an adapter it is said, and what needs none runs",
  ...linux,
  async fn() {
    const { code, stdout, stderr } = await runAlknet(["gpu", "info", "--json"], WITHOUT);
    deepEqual([code, stdout], [1, '{"adapter":null}\n']);
    match(stderr, /^alknet: no adapter of WebGPU was found; install .*\n$/);
    const bench = await runAlknet(["gpu", "bench", "--size", "1"], WITHOUT);
    deepEqual([bench.code, bench.stdout], [1, ""]);
    match(bench.stderr, /^alknet: no adapter/);
    const tried = await run("export default () => gpu.info().catch(({ code, message }) => `${code}: ${message}`);\n", [
      "--allow-gpu",
    ], WITHOUT);
    match(tried.stdout, /^GPU_UNAVAILABLE: no adapter of WebGPU was found/, tried.stderr);
    equal((await run("export default 1;\n", ["--allow-gpu"], WITHOUT)).stdout, "1\n");
  },
});

Deno.test({
  name: "alknet gpu bench: four figures, and digests that agree",
  ...vulkan,
  async fn() {
    const { code, stdout, stderr } = await runAlknet(["gpu", "bench", "--size", "1", "--json"]);
    deepEqual([code, stderr], [0, ""]);
    const [{ mib }, ...figures] = stdout.trim().split("\n").map((line) => JSON.parse(line));
    equal(mib, 1);
    const names = ["gpu, this program", "JavaScript, this program", "gpu, a guest", "JavaScript, a guest"];
    deepEqual(figures.map(({ figure }) => figure), names);
    for (const { figure, value } of figures) ok(value > 0, figure);
    equal((await runAlknet(["gpu", "bench", "--size", "0"])).code, 2);
  },
});

Deno.test({
  name: "alknet run --allow-gpu: a guest computes within --gpu-memory; without the grant, what is missing is named",
  ...vulkan,
  async fn() {
    const granted = await run(DOUBLES, ["--allow-gpu"]);
    deepEqual([granted.code, granted.stdout], [0, "2 4 6 8\n"], granted.stderr);
    const none = await run(DOUBLES, []);
    equal(none.code, 1);
    match(none.stderr, /gpu is not granted: grant it with --allow-gpu/);
    const large = "export default () => gpu.buffer(2 ** 20 + 4).catch((error) => error.code);\n";
    equal((await run(large, ["--allow-gpu", "--gpu-memory=1"])).stdout, "GPU_LIMIT\n");
  },
});
