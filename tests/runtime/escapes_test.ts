/**
 * Attempts to get out, to stay, or to take more than was given: the table of runtime.md §13 in a process with the default
 * limits. After each a guest beside it still answers.
 *
 * @module
 */
import { type GuestCode, ProcessGuest } from "@alknet/runtime";
import assert from "node:assert/strict";

const refused = (script: string): string =>
  `let how; try { ${script}; how = "done"; } catch (e) { how = "refused"; } how`;

const OUT_OF_TIME: readonly GuestCode[] = ["E_DEADLINE", "E_KILLED"];

/** A script and what may come of it: a value, or a code with which it ends. */
const ROWS: readonly { row: string; script: string; value?: unknown; codes?: readonly GuestCode[] }[] = [
  { row: "7", script: "[].join.call({ length: 2 ** 31 })", codes: ["E_KILLED", "E_MEMORY", "E_GUEST"] },
  {
    row: "10, powers",
    script: "let n = 3n; for (let i = 0; i < 40; i++) n = n ** 3n; n.toString().length",
    codes: ["E_DEADLINE", "E_GUEST", "E_MEMORY", "E_KILLED"],
  },
  {
    row: "10, products",
    script: "let n = 2n ** 200000n; for (;;) n = n * n % (2n ** 400000n + 1n)",
    codes: ["E_DEADLINE", "E_GUEST", "E_MEMORY", "E_KILLED"],
  },
  { row: "12", script: "/(?:a?){50}a{50}/.test('a'.repeat(50))", value: true, codes: ["E_DEADLINE"] },
  {
    row: "21",
    script: "const kept = []; for (;;) kept.push({ a: 1, b: 2 })",
    codes: ["E_MEMORY", "E_GUEST", "E_DEADLINE"],
  },
  {
    row: "23",
    script: "let s = 'a'; for (let i = 0; i < 40; i++) s += s; s.charCodeAt(s.length - 1)",
    codes: ["E_MEMORY", "E_GUEST", "E_DEADLINE"],
  },
  {
    row: "24, from",
    script: "Array.from({ length: 1e9 })",
    codes: ["E_MEMORY", "E_GUEST", "E_DEADLINE", "E_KILLED"],
  },
  {
    row: "24, fill",
    script: "Array.prototype.fill.call({ length: 2 ** 53 - 1 }, 1)",
    codes: ["E_MEMORY", "E_GUEST", "E_DEADLINE", "E_KILLED"],
  },
  {
    row: "25",
    script: "let o = {}; for (let i = 0; i < 1e6; i++) o = Object.create(o); o.nothing",
    codes: ["E_MEMORY", "E_GUEST", "E_DEADLINE", "E_STACK"],
  },
  { row: "27", script: refused("eval('{'.repeat(20000) + '}'.repeat(20000))"), value: "refused", codes: ["E_STACK"] },
  {
    row: "29, text",
    script: `let a = []; for (let i = 0; i < 1e5; i++) a = [a]; ${refused("JSON.stringify(a)")}`,
    value: "refused",
    codes: ["E_STACK", "E_DEADLINE"],
  },
  {
    row: "29, flat",
    script: `let a = []; for (let i = 0; i < 1e5; i++) a = [a]; ${refused("a.flat(Infinity)")}`,
    value: "refused",
    codes: ["E_STACK", "E_DEADLINE"],
  },
  {
    row: "30",
    script: `let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); ${refused("p.a")}`,
    value: "refused",
    codes: ["E_STACK", "E_MEMORY", "E_DEADLINE"],
  },
  {
    row: "31",
    script: refused("const o = { [Symbol.toPrimitive]() { return '' + o } }; '' + o"),
    value: "refused",
    codes: ["E_STACK"],
  },
  { row: "34, groups", script: refused("new RegExp('(a)'.repeat(50000))"), value: "refused", codes: ["E_MEMORY"] },
  {
    row: "34, nested",
    script: refused("new RegExp('('.repeat(20000) + ')'.repeat(20000))"),
    value: "refused",
    codes: ["E_STACK"],
  },
  {
    row: "37",
    script: `const doors = [env["test/echo"], env.test.bytes, ops.register, console.log, setTimeout, clearTimeout,
        structuredClone, performance.now];
      doors.flatMap((f) => ["caller", "arguments"].map((name) => { try { return typeof f[name] } catch { return "refused" } })
        .concat(/native code/.test(f + ""), Object.getPrototypeOf(f) === Function.prototype, Object.isFrozen(f))).join()`,
    value: Array(8).fill("refused,refused,true,true,true").join(),
  },
  { row: "40, undefined", script: "throw undefined", codes: ["E_GUEST"] },
  {
    row: "40, revoked",
    script: "const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy",
    codes: ["E_GUEST"],
  },
  { row: "44, bigint", script: "2n ** 70n", value: 2n ** 70n },
  { row: "44, surrogate", script: "'a\\ud800'", value: "a\ufffd" },
  {
    row: "45, parts",
    script: "const a = []; for (let i = 0; i < 3e6; i++) a.push(0); a",
    codes: ["E_GUEST", "E_CROSSING", "E_MEMORY", "E_DEADLINE"],
  },
  {
    row: "51, names",
    script: `const tried = ["../x", "a/b", "", "A", "__proto__", "a\\u0000", "x".repeat(65)].map((name) => {
      try { ops.register({ name, handler: () => 1 }); return "taken" } catch (e) { return e.code }
    }); [...new Set(tried)].join()`,
    value: "REFUSED",
  },
  {
    row: "51, twice",
    script: `ops.register({ name: "a", handler: () => 1 }); ${
      refused('ops.register({ name: "a", handler: () => 2 })')
    }`,
    value: "refused",
  },
  {
    row: "51, many",
    script: refused('for (let i = 0; i < 10000; i++) ops.register({ name: "n" + i, handler: () => 1 })'),
    value: "refused",
  },
  {
    row: "63",
    script:
      `new FinalizationRegistry(() => { for (;;); }).register({}, 1); let a; for (let i = 0; i < 1e5; i++) a = { a };
      new Promise((done) => setTimeout(() => done("over"), 10))`,
    value: "over",
    codes: ["E_DEADLINE", "E_JOBS", "E_POISONED"],
  },
  {
    row: "67",
    script: `env["test/bytes"]().then((bytes) => {
      const kept = []; for (let i = 0; i < 8; i++) kept.push(new ArrayBuffer(1 << 20)); return [bytes.length, bytes[9]].join()
    })`,
    value: "10,7",
  },
  {
    row: "79",
    script: `let how = "none"; function f() { try { f() } catch (e) { how = typeof env["test/echo"](1).then; throw 1 } }
      try { f() } catch {} how`,
    value: "function",
    codes: ["E_STACK"],
  },
];

const OPTIONS = {
  operations: [{ name: "test/echo", type: "query" }, { name: "test/bytes", type: "query" }],
  host: {
    call: (name: string, input: unknown) =>
      Promise.resolve(name === "test/bytes" ? Uint8Array.from({ length: 10 }, () => 7) : input),
  },
} as const;

for (const { row, script, value, codes } of ROWS) {
  Deno.test(`process guest: an attempt fails, or costs the guest alone (runtime.md §13 row ${row})`, async () => {
    // What ends by itself has the time that a busy machine takes; of the rest any may take all of its own.
    const limits = codes === undefined ? { cpu: 10_000, wall: 30_000 } : {};
    await using hostile = await ProcessGuest.start({ ...OPTIONS, limits });
    await using other = await ProcessGuest.start();
    const ended = hostile.evaluate(script).then((got) => ({ got }), (error) => ({ code: error.code, error }));
    assert.equal(await other.evaluate("1 + 1"), 2);
    const end = await ended;
    if ("got" in end) assert.deepEqual([end.got, value !== undefined], [value, true]);
    else assert.ok(codes && [...codes, ...OUT_OF_TIME].includes(end.code), `${end.code}: ${end.error}`);
    assert.equal(await other.evaluate("2 + 2"), 4);
  });
}
