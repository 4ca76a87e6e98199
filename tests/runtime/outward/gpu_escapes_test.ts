/**
 * Shaders that do not end, look where they should not, or break the compiler; and guests that are ended while one runs.
 *
 * @module
 */
import { guestGpuUse, type ProcessGuest, runningGpuProcesses } from "@alknet/runtime";
import assert from "node:assert/strict";
import { childrenOf, isAlive } from "../../support/proc.ts";
import { start } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { ROOT } from "../../support/python.ts";
import { assertNothingHeld, ENDLESS, gpuGuest, shaderOf, told } from "./gpu_suite.ts";

const vulkan = needs("vulkan");

Deno.test({
  name: "guest gpu: a shader that does not end costs its guest the grant, and no other anything (runtime.md row 73)",
  ...vulkan,
  async fn() {
    await using other = await gpuGuest();
    await other.evaluate("var buffer; gpu.buffer(new Uint8Array(64).fill(9)).then((made) => { buffer = made; })");
    await using guest = await gpuGuest({ dispatchTime: 700 });
    const order: string[] = [];
    const ended = assert.rejects(guest.evaluate(ENDLESS), /took longer than 700 ms; the grant is over/)
      .then(() => order.push("ended"));
    const others = (async () => {
      for (let round = 0; round < 5; round++) await other.evaluate("gpu.read(buffer)");
      order.push("others");
    })();
    await Promise.all([ended, others]);
    assert.deepEqual(order, ["others", "ended"], "nobody waited for the shader");
    assert.equal(await told(guest, "gpu.buffer(4)"), "GPU_LOST");
    assert.equal(await guest.evaluate("1 + 1"), 2);
    assert.deepEqual(await other.evaluate("gpu.read(buffer)"), new Uint8Array(64).fill(9));
    assert.deepEqual(guestGpuUse(), { buffers: 1, bytes: 64, shaders: 0 });
    await using next = await gpuGuest();
    assert.equal(typeof await told(next, "gpu.buffer(4)"), "number");
  },
});

/** How a guest ends while its shader runs. */
const ENDS: Readonly<Record<string, (guest: ProcessGuest) => Promise<unknown>>> = {
  "is disposed of": (guest) => guest[Symbol.asyncDispose](),
  "is killed in a native loop": (guest) =>
    assert.rejects(guest.evaluate("[].indexOf.call({ length: 2 ** 53 - 1 }, 1)"), { code: "E_KILLED" }),
  "has its grant taken back": (guest) => Promise.resolve(guest.revoke("gpu")),
};

for (const [what, end] of Object.entries(ENDS)) {
  Deno.test({
    name: `guest gpu: a guest that ${what} while a shader runs leaves nothing behind`,
    ...vulkan,
    async fn() {
      const guest = await gpuGuest({ dispatchTime: 60_000 });
      await using other = await gpuGuest();
      const running = guest.evaluate(ENDLESS).then((value) => assert.fail(String(value)), (error) => error.code);
      while (guestGpuUse().buffers === 0) await new Promise((go) => setTimeout(go, 10));
      assert.deepEqual(guestGpuUse(), { buffers: 1, bytes: 1024, shaders: 1 });
      assert.equal(runningGpuProcesses(), 1);
      await end(guest);
      assert.match(await running, /^E_(?:DISPOSED|KILLED|GUEST)$/);
      await assertNothingHeld();
      assert.equal(typeof await told(other, "gpu.buffer(4)"), "number");
      await guest[Symbol.asyncDispose]();
    },
  });
}

Deno.test({
  name:
    "guest gpu: shaders see zeros or their own, beyond the end, before the first write, and after others (runtime.md row 74)",
  ...vulkan,
  async fn() {
    await using first = await gpuGuest();
    const fill = `(async () => {
      const buffers = [];
      for (let i = 0; i < 8; i++) buffers.push(await gpu.buffer(new Uint8Array(1 << 20).fill(0xa5)));
      await Promise.all(buffers.slice(4).map(gpu.release));
    })()`;
    await first.evaluate(fill);
    await using second = await gpuGuest();
    await second.evaluate(`(async () => {
      const own = await gpu.buffer(new Uint8Array(1 << 20).fill(0x3c));
      await gpu.release(own);
    })()`);
    const seen = (statement: string, more = "") =>
      `(async () => {
      const [shader, buffer, out] = [await gpu.compile(${
        shaderOf(statement, `@group(0) @binding(1) var<storage, read_write> out: array<u32>; ${more}`)
      }), await gpu.buffer(1 << 20), await gpu.buffer(1 << 20)];
      await gpu.dispatch({ shader, bindings: [buffer, out], grid: 4096 });
      const bytes = await gpu.read(out);
      await Promise.all([shader, buffer, out].map(gpu.release));
      return [...new Set(bytes)];
    })()`;
    const looks = {
      "what was never written": seen("out[id.x] = n[id.x];"),
      "beyond the end": seen("out[id.x] = n[id.x + arrayLength(&n)] | n[(id.x + 1u) * 262144u];"),
      "far beyond it": seen("out[id.x] = n[0xffffffffu - id.x * 4099u] | n[id.x * 65537u + 0x10000000u];"),
      "before the start": seen("out[id.x] = n[u32(-1 - i32(id.x))];"),
      "memory of the workgroup": seen(
        "out[id.x] = w[at] | w[at + 64u] | n[id.x] ;",
        "var<workgroup> w: array<u32, 128>;",
      ),
      "variables": seen(
        "var x: array<u32, 8>; out[id.x] = p[id.x & 7u] | x[at & 7u] | n[id.x];",
        "var<private> p: array<u32, 8>;",
      ),
    };
    for (const [what, look] of Object.entries(looks)) assert.deepEqual(await second.evaluate(look), [0], what);
    // A write beyond the end changes nothing of anybody.
    const write = `(async () => {
      const kept = await gpu.buffer(1024);
      const [shader, buffer] = [await gpu.compile(${
      shaderOf("n[id.x + arrayLength(&n)] = 0x77777777u; n[0xffffffffu - id.x] = 0x77777777u;")
    }), await gpu.buffer(1024)];
      const after = await gpu.buffer(1024);
      await gpu.dispatch({ shader, bindings: [buffer], grid: 64 });
      return [...new Set([...await gpu.read(kept), ...await gpu.read(after)])];
    })()`;
    assert.deepEqual(await second.evaluate(write), [0]);
  },
});

/** Sources, and what comes of compiling and running them. */
const SOURCES: Readonly<Record<string, readonly [source: string, expected: RegExp]>> = {
  "10 MB": ["'//' + 'x'.repeat(10 << 20)", /^GPU_LIMIT$/],
  "a switch of 100 000 ways": [
    "'fn f(x: u32) { switch x {' + Array.from({ length: 1e5 }, (_, i) => `case ${i}u {}`).join('') + 'default {} } }'",
    /^GPU_LIMIT$/,
  ],
  "brackets 200 deep": ["'fn f() { let x = ' + '('.repeat(200) + '1' + ')'.repeat(200) + '; }'", /^GPU_LIMIT$/],
  "a reserved name": ["'fn __x() {}'", /^GPU_COMPILE$/],
  "a feature that is not enabled": ["'enable f16; fn f(x: f16) {}'", /^GPU_COMPILE$/],
  "a texture": [
    "'@group(0) @binding(0) var t: texture_2d<f32>; @compute @workgroup_size(1) fn main() { _ = textureDimensions(t); }'",
    /^GPU_FAILED$/,
  ],
  "a second group": [
    "'@group(1) @binding(0) var<storage, read_write> n: array<u32>; @compute @workgroup_size(1) fn main() { n[0] = 1u; }'",
    /^GPU_FAILED$/,
  ],
  "a type of gigabytes": ["'var<private> a: array<u32, 1000000000>; fn f() { a[0] = 1u; }'", /^GPU_COMPILE$/],
};

Deno.test({
  name: "guest gpu: shaders that are too large, too deep or not allowed are refused (runtime.md row 75)",
  ...vulkan,
  async fn() {
    await using guest = await gpuGuest();
    await guest.evaluate("var buffer; gpu.buffer(64).then((made) => { buffer = made; })");
    for (const [what, [source, expected]] of Object.entries(SOURCES)) {
      const run = `gpu.compile(${source}).then((shader) => gpu.dispatch({ shader, bindings: [buffer] }))`;
      assert.match(String(await told(guest, run)), expected, what);
    }
    const place = await guest.evaluate(
      "gpu.compile('fn f() {\\n  let x: u32 = 1.5f;\\n}').catch((error) => error.message)",
    );
    assert.match(String(place), /^the shader does not compile: line 2, column 7: [^\n/\\]+$/);
  },
});

Deno.test({
  name:
    "guest gpu: a compiler that runs out of stack, time or memory takes only the guest's own device along (runtime.md row 75)",
  ...vulkan,
  async fn() {
    await using other = await gpuGuest();
    await other.evaluate("var buffer; gpu.buffer(new Uint8Array(64).fill(9)).then((made) => { buffer = made; })");
    await using guest = await gpuGuest();
    // Compilers recurse where nothing is between brackets, too.
    const deep = `gpu.compile("fn f() { let x = " + "!".repeat(60000) + "true; }")`;
    for (let time = 0; time < 3; time++) assert.match(String(await told(guest, deep)), /^GPU_(?:LOST|COMPILE)$/);
    const after = String(await told(guest, deep));
    assert.match(after, /^GPU_(?:UNAVAILABLE|COMPILE)$/);
    await using greedy = await gpuGuest({ dispatchTime: 1000 });
    // Takes gigabytes in the compiler of llvmpipe; what other drivers make of it is theirs.
    const large = `gpu.compile(${
      shaderOf(
        "for (var i = 0u; i < 10000000u; i += 100000u) { a[i ^ n[1]] = id.x; } n[0] = a[n[0]];",
        "var<private> a: array<u32, 10000000>;",
      )
    }).then(async (shader) => await gpu.dispatch({ shader, bindings: [await gpu.buffer(64)], grid: 64 }))`;
    const { fallback } = await greedy.evaluate("gpu.info()") as { readonly fallback: boolean };
    if (fallback) {
      await assert.rejects(greedy.evaluate(large), /(?:took longer than|took too much memory).*; the grant is over/);
      assert.equal(await told(greedy, "gpu.info()"), "GPU_LOST");
    }
    assert.deepEqual(await other.evaluate("gpu.read(buffer)"), new Uint8Array(64).fill(9));
  },
});

Deno.test({
  name: "guests: a host that is killed takes along guests in native loops and shaders that do not end",
  ...needs("setpriv", "vulkan", "linux"),
  async fn() {
    const program = `
      import { ProcessGuest } from "@alknet/runtime";
      import { ENDLESS } from "./tests/runtime/outward/gpu_suite.ts";
      const limits = { cpu: 600_000, wall: 600_000 };
      const [one, two] = [await ProcessGuest.start({ limits }), await ProcessGuest.start({ limits, allowGpu: { dispatchTime: 600_000 } })];
      one.evaluate("[].indexOf.call({ length: 2 ** 53 - 1 }, 1)").catch(() => {});
      two.evaluate(ENDLESS).catch(() => {});
      console.log("begun");
    `;
    await using host = start(Deno.execPath(), ["eval", "--no-check", "--ext=ts", program], {
      cwd: ROOT,
      signal: "SIGKILL",
    });
    await host.line(/^begun$/);
    let children: number[] = [];
    while (children.length < 3) {
      await new Promise((go) => setTimeout(go, 20));
      children = childrenOf(host.pid);
    }
    await host[Symbol.asyncDispose]();
    for (let turn = 0; turn < 1000 && children.some(isAlive); turn++) await new Promise((go) => setTimeout(go, 10));
    assert.deepEqual(children.filter(isAlive), []);
  },
});
