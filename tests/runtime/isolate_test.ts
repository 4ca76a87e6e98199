/**
 * Isolates: what crosses, what a guest sees, how it fails, and the rows of runtime.md §13 that hold in the host's thread.
 *
 * @module
 */
import { type GuestCode, GuestError, Isolate } from "@alknet/runtime";
import assert from "node:assert/strict";

const nest = (open: string, close: string, times: number) => open.repeat(times) + "1" + close.repeat(times);

/** Scripts that end with an error of the host, the isolate usable after them or not (§13). */
const ENDED: readonly { row: string; script: string; code: GuestCode; lost?: true }[] = [
  { row: "1", script: "while (true) {}", code: "E_DEADLINE" },
  { row: "2", script: "try { while (true) {} } catch { 1 }", code: "E_DEADLINE" },
  { row: "3", script: "try { while (true) {} } finally { while (true) {} }", code: "E_DEADLINE" },
  { row: "11", script: "/(a+)+$/.test('a'.repeat(32) + '!')", code: "E_DEADLINE" },
  { row: "13", script: "[3, 2, 1].sort(() => { for (;;); })", code: "E_DEADLINE" },
  { row: "14", script: "({ get a() { for (;;); } })", code: "E_DEADLINE" },
  { row: "15", script: "function f() { Promise.resolve().then(f) } f()", code: "E_JOBS", lost: true },
  { row: "16", script: "(async () => { for (;;) await 0 })()", code: "E_JOBS", lost: true },
  { row: "17", script: "Promise.resolve().then(() => { for (;;); })", code: "E_DEADLINE" },
  { row: "18", script: "new Promise(() => {})", code: "E_TIMEOUT" },
  { row: "26, brackets", script: nest("(", ")", 200_000), code: "E_REFUSED" },
  { row: "26, arrays", script: nest("[", "]", 200_000), code: "E_REFUSED" },
  { row: "26, negations", script: nest("!", "", 200_000), code: "E_REFUSED" },
  { row: "26, arrows", script: nest("a=>", "", 200_000), code: "E_REFUSED" },
  { row: "33", script: "1" + "+1".repeat(2_000_000), code: "E_REFUSED" },
  { row: "39", script: "throw { get message() { return 'x' }, get stack() { throw 1 } }", code: "E_GUEST" },
  { row: "40, null", script: "throw null", code: "E_GUEST" },
  { row: "40, proxy", script: "throw new Proxy({}, { get() { throw 1 } })", code: "E_GUEST" },
  { row: "44, function", script: "(() => 1)", code: "E_GUEST" },
  { row: "44, symbol", script: "Symbol.iterator", code: "E_GUEST" },
  { row: "44, instance", script: "new Map()", code: "E_GUEST" },
  { row: "44, cyclic", script: "const a = {}; a.a = a; a", code: "E_GUEST" },
  { row: "45", script: "let a = []; for (let i = 0; i < 1e4; i++) a = [a]; a", code: "E_GUEST" },
];

/** Scripts with their values (§13). */
const VALUES: readonly { row: string; script: string; value: unknown }[] = [
  { row: "4", script: "function f() { f() } try { f() } catch (e) { e instanceof RangeError }", value: true },
  { row: "22", script: "try { new ArrayBuffer(2 ** 30) } catch { 'refused' }", value: "refused" },
  { row: "28", script: "try { JSON.parse('['.repeat(1e5)) } catch { 'refused' }", value: "refused" },
  { row: "35", script: "this.constructor.constructor('return typeof process')()", value: "undefined" },
  {
    row: "36",
    script: "env.constructor === undefined && console.log.constructor('return this')() === globalThis",
    value: true,
  },
  { row: "46", script: "Reflect.ownKeys(env).length", value: 0 },
  {
    row: "42",
    script: "JSON.stringify = Promise.prototype.then = Array.prototype.map = () => { throw 1 }; [1, 'a']",
    value: [1, "a"],
  },
  {
    row: "43",
    script:
      "Object.defineProperty(Object.prototype, '0', { set() { throw 1 } }); String.prototype.toJSON = () => 'x'; ['a']",
    value: ["a"],
  },
  {
    row: "57, 62",
    script:
      "[typeof fetch, typeof Deno, typeof process, typeof require, typeof WebAssembly, typeof Worker, typeof std, " +
      "typeof os, typeof Atomics, typeof SharedArrayBuffer].every((is) => is === 'undefined')",
    value: true,
  },
  { row: "61", script: "Number.isInteger(performance.now())", value: true },
];

for (const { row, script, code, lost } of ENDED) {
  Deno.test(`isolate: ends with ${code}, ${lost ? "lost" : "usable after it"} (runtime.md §13 row ${row})`, async () => {
    // Jobs are counted, so the clock must not come first, however busy the machine is.
    const limits = code === "E_JOBS" ? { cpu: 10_000, wall: 20_000 } : { cpu: 100, wall: 500 };
    using isolate = await Isolate.create({ limits });
    await assert.rejects(isolate.evaluate(script), { code });
    if (lost) await assert.rejects(isolate.evaluate("1"), { code: "E_POISONED" }, "row 78");
    else assert.equal(await isolate.evaluate("1 + 1"), 2);
  });
}

for (const { row, script, value } of VALUES) {
  Deno.test(`isolate: the guest meets its own limits and globals (runtime.md §13 row ${row})`, async () => {
    using isolate = await Isolate.create({ limits: { cpu: 5000 } });
    assert.deepEqual(await isolate.evaluate(script), value);
  });
}

for (const [row, what] of [["19", "new ArrayBuffer(1 << 20)"], ["20", "'a'.repeat(1e6) + kept.length"]]) {
  Deno.test(`isolate: memory ends below its limit (runtime.md §13 row ${row})`, async () => {
    using isolate = await Isolate.create({ limits: { memory: 32, cpu: 5000 } });
    const script = `let kept = []; try { for (;;) kept.push(${what}) } catch { const n = kept.length; kept = null; n }`;
    const kept = await isolate.evaluate(script) as number;
    assert.ok(kept > 5 && kept < 32, `${kept} MiB`);
    assert.equal(await isolate.evaluate("1"), 1);
  });
}

Deno.test("isolate: data crosses both ways as it is, bytes too (runtime.md §8.4)", async () => {
  using isolate = await Isolate.create();
  await isolate.evaluate("ops.register({ name: 'echo', handler: (input) => input })");
  const values = [
    null,
    true,
    1.5,
    -0,
    NaN,
    Infinity,
    2n ** 70n,
    "täxt\n",
    undefined,
    [],
    [[1]],
    new Uint8Array([1, 2]),
  ];
  for (const value of values) assert.deepEqual(await isolate.invoke("echo", value), value);
  assert.deepEqual({ ...await isolate.invoke("echo", { $: "b", v: 0 }) as object }, { $: "b", v: 0 });
  const large = crypto.getRandomValues(new Uint8Array(65_536));
  assert.deepEqual(await isolate.invoke("echo", large), large);
  assert.equal(await isolate.evaluate(String.raw`"\ud800"`), "\ufffd");
});

Deno.test("isolate: __proto__ in an answer is data (runtime.md §13 row 41)", async () => {
  using isolate = await Isolate.create();
  const value = await isolate.evaluate(`JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2}')`) as object;
  assert.equal(Object.getPrototypeOf(value), null);
  assert.deepEqual(Object.keys(value), ["__proto__", "constructor"]);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

Deno.test("isolate: an error says file, line, column and the line itself, of TypeScript too", async () => {
  using isolate = await Isolate.create();
  isolate.addModule("main.ts", "interface A { a: number }\nconst a: A = { a: 1 };\nexport default () => a.b();\n");
  const thrown = await isolate.runModule("main.ts").catch((error) => error);
  assert.ok(thrown instanceof GuestError);
  assert.equal(thrown.position?.file, "main.ts");
  assert.equal(thrown.position?.line, 3);
  assert.match(thrown.message, /^main\.ts:3:\d+: TypeError: .*\n {2}export default \(\) => a\.b\(\);\n +\^$/);
  await assert.rejects(isolate.evaluate("1;\nlet x = ;", { file: "a.js" }), {
    code: "E_SYNTAX",
    message: /^a\.js:2:\d+: SyntaxError: .*\n {2}let x = ;\n/,
  });
});

Deno.test("isolate: modules import each other and nothing else (runtime.md §13 rows 54-56)", async () => {
  using isolate = await Isolate.create();
  isolate.addModule("lib/b.js", "import '../main.js'; export const b = 2;");
  isolate.addModule("main.js", "import { b } from './lib/b.js'; export default () => b + 1;");
  assert.equal(await isolate.runModule("main.js"), 3);
  assert.throws(() => isolate.addModule("main.js", "1"), { code: "E_REFUSED" });
  const names = [
    "node:fs",
    "file:///etc/passwd",
    "http://a/",
    "data:text/javascript,1",
    "../../x",
    "%2e%2e/x",
    "C:\\x",
    "a\0",
  ];
  for (const name of names) {
    const script = `import(${JSON.stringify(name)}).then(() => 'loaded', () => 'refused')`;
    assert.equal(await isolate.evaluate(script), "refused", name);
  }
});

Deno.test("isolate: an import of what is not there names it and says what a guest may import", async () => {
  for (const name of ["@x/y", "npm:left-pad", "lodash", "./lib/none.ts", "../out.js"]) {
    using isolate = await Isolate.create();
    isolate.addModule("main.ts", `import ${JSON.stringify(name)}; export default 1;`);
    const says = name.startsWith(".") ? /no such module/ : /nothing but its own modules/;
    const named = (error: Error) => error.message.includes(`cannot import "${name}"`) && says.test(error.message);
    await assert.rejects(isolate.runModule("main.ts"), named, name);
  }
});

Deno.test("isolate: calls what it was granted, learns no more of failures than codes (runtime.md §13 rows 38, 46, 47)", async () => {
  const call = (name: string, input: unknown) => {
    if (name === "math/fail") return Promise.reject(new Error("a secret of the host"));
    return Promise.resolve((input as number) + 1);
  };
  const operations = ["math/next", "math/fail"].map((name) => ({ name, type: "query" as const }));
  using isolate = await Isolate.create({ operations, host: { call } });
  assert.equal(await isolate.evaluate("(async () => await env.math.next(1) + await env['math/next'](2))()"), 5);
  assert.deepEqual(
    await isolate.evaluate("env.math.fail(1).catch(({ code, message }) => [code, message])"),
    ["INTERNAL", "internal error"],
  );
  for (const name of ["math/other", "/math/next", "math//next", "Math/next", "__proto__"]) {
    assert.equal(await isolate.evaluate(`typeof env[${JSON.stringify(name)}]`), "undefined", name);
  }
});

Deno.test("isolate: a flood of calls, timers and lines ends at its limit (runtime.md §13 rows 64-66)", async () => {
  const lines: string[] = [];
  const host = {
    call: () => new Promise<never>(() => {}),
    log: (_level: string, text: string) => void lines.push(text),
  };
  const limits = { callsInFlight: 10, timers: 10, output: 100, cpu: 2000 };
  using isolate = await Isolate.create({ limits, host, operations: [{ name: "a/wait", type: "query" }] });
  const until = (what: string) => `let n = 0; try { for (;; n++) { ${what} } } catch (e) { [n, e.code] }`;
  assert.deepEqual(await isolate.evaluate(`(() => { ${until("env.a.wait()").replace("[n, e", "return [n, e")} })()`), [
    10,
    "LIMIT",
  ]);
  assert.deepEqual(
    await isolate.evaluate(`(() => { ${until("setTimeout(() => {}, 1e6)").replace("[n, e", "return [n, e")} })()`),
    [10, "LIMIT"],
  );
  await isolate.evaluate("for (let i = 0; i < 1000; i++) console.log('0123456789')");
  assert.ok(lines.join("").length < 200);
});

Deno.test("isolate: what calls that wait hold together is limited, and given back (runtime.md row 66)", async () => {
  const waiting: PromiseWithResolvers<null>[] = [];
  const call = () => {
    const answer = Promise.withResolvers<null>();
    waiting.push(answer);
    return answer.promise;
  };
  const limits = { cpu: 10_000, wall: 30_000, memory: 64 };
  using isolate = await Isolate.create({ limits, host: { call }, operations: [{ name: "a/wait", type: "query" }] });
  const fill = `(() => { const bytes = new Uint8Array(8 << 20); let n = 0;
    try { for (;; n++) env.a.wait(bytes) } catch (e) { return [n, e.code] } })()`;
  assert.deepEqual(await isolate.evaluate(fill), [7, "LIMIT"]);
  for (const { resolve } of waiting.splice(0)) resolve(null);
  await isolate.evaluate("new Promise((done) => setTimeout(done, 1))");
  assert.deepEqual(await isolate.evaluate(fill), [7, "LIMIT"]);
});

Deno.test("isolate: offers operations and subscriptions, which end with their reader (runtime.md §8.3)", async () => {
  const lines: string[] = [];
  using isolate = await Isolate.create({ host: { log: (_level, text) => void lines.push(text) } });
  isolate.addModule(
    "main.ts",
    `ops.register({ name: "sum", input: { type: "array" }, handler: (all: number[]) => all.reduce((a, b) => a + b, 0) });
     ops.register({ name: "count", type: "subscription", async *handler(from: number) {
       try { for (;;) yield from++; } finally { console.log("ended"); }
     } });`,
  );
  await isolate.runModule("main.ts");
  assert.deepEqual(isolate.operations.map(({ name, type }) => [name, type]), [["sum", "query"], [
    "count",
    "subscription",
  ]]);
  assert.equal(await isolate.invoke("sum", [1, 2, 3]), 6);
  const seen = [];
  for await (const n of isolate.subscribe("count", 5)) {
    seen.push(n);
    if (seen.length === 3) break;
  }
  assert.deepEqual([seen, lines], [[5, 6, 7], ["ended"]]);
  await assert.rejects(isolate.invoke("other", 1), { code: "NOT_FOUND" });
  await assert.rejects(isolate.evaluate("ops.register({ name: 'sum', handler() {} })"), /registered already/);
  await assert.rejects(isolate.evaluate("ops.register({ name: '../sum', handler() {} })"), /lower case/);
});

Deno.test("isolate: an abort and a disposal end what runs (runtime.md §13 row 77)", async () => {
  const isolate = await Isolate.create();
  const abort = new AbortController();
  const aborted = assert.rejects(isolate.evaluate("new Promise(() => {})", { signal: abort.signal }), {
    code: "E_ABORTED",
  });
  abort.abort();
  await aborted;
  const ended = assert.rejects(isolate.evaluate("setTimeout(() => {}, 1e6); new Promise(() => {})"), {
    code: "E_DISPOSED",
  });
  isolate[Symbol.dispose]();
  isolate[Symbol.dispose]();
  await ended;
  await assert.rejects(isolate.evaluate("1"), { code: "E_DISPOSED" });
});

Deno.test("isolate: those that were disposed of are collected (runtime.md §13 row 80)", async () => {
  let made = 0;
  let collected = 0;
  const registry = new FinalizationRegistry(() => collected++);
  const one = async (): Promise<void> => {
    using isolate = await Isolate.create();
    assert.equal(await isolate.evaluate("let a = new Uint8Array(1 << 20); a.length"), 1 << 20);
    registry.register(isolate, undefined);
    made++;
  };
  // Collections come when memory is wanted; they never come for what is still held.
  while (collected < 50 && made < 2000) {
    await one();
    // The registry is told between tasks.
    await new Promise((resolve) => setTimeout(resolve));
  }
  assert.ok(collected >= 50, `${collected} of ${made}`);
});
