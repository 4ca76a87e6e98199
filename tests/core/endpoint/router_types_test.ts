import assert from "node:assert/strict";
import { AlknetError } from "../../../core/errors.ts";
import { defineHandler, type Handler } from "../../../core/handler/handler.ts";
import type { Endpoint } from "../../../core/endpoint/endpoint.ts";
import { type Router, router } from "../../../core/endpoint/router.ts";
import { runProgram } from "../../support/process.ts";
import { ROOT } from "../../support/python.ts";
import { temporaryFolder } from "../../support/temp.ts";

/** Whether two types are the same, and not merely assignable. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;

/** Fails to compile unless its type argument is `true`. */
function holds<_Claim extends true>(): void {}

const one = defineHandler({ alpns: ["test/one"], handle() {} });
const pair = defineHandler({ alpns: ["test/two", "test/three"], handle() {} });

/** Programs and what the compiler says of them; `says` empty means that they compile. */
const PROGRAMS: readonly { readonly title: string; readonly uses: string; readonly says: readonly string[] }[] = [
  { title: "handlers of different ALPNs compile", uses: ".use(handler('a/1')).use(handler('a/2'))", says: [] },
  {
    title: "one ALPN claimed twice does not compile, and the message names it",
    uses: ".use(handler('a/1')).use(handler('a/2')).use(handler('a/1'))",
    says: ["this ALPN is already claimed", '"a/1"'],
  },
  {
    title: "one of several ALPNs claimed twice does not compile",
    uses: ".use(handler('a/1')).use(defineHandler({ alpns: ['a/3', 'a/1'], handle() {} }))",
    says: ["this ALPN is already claimed", '"a/1"'],
  },
  { title: "a handler without handle does not compile", uses: ".use({ alpns: ['a/1'] })", says: ["'handle'"] },
];

for (const { title, uses, says } of PROGRAMS) {
  Deno.test(`router() types: ${title} (core.md §18 row 1)`, async () => {
    await using folder = await temporaryFolder();
    const program = await folder.write(
      "program.ts",
      `import { router } from "${import.meta.resolve("../../../core/endpoint/router.ts")}";
       import { defineHandler } from "${import.meta.resolve("../../../core/handler/handler.ts")}";
       const handler = <const Alpn extends string>(alpn: Alpn) => defineHandler({ alpns: [alpn] as const, handle() {} });
       router()${uses};`,
    );
    const checked = await runProgram(Deno.execPath(), ["check", "--config", `${ROOT}deno.json`, program], {
      env: { NO_COLOR: "1" },
    });
    assert.equal(checked.code === 0, says.length === 0, checked.stderr);
    for (const words of says) assert.ok(checked.stderr.includes(words), checked.stderr);
  });
}

Deno.test("router() types: alpns is the tuple of what was used, in order", () => {
  const both = router().use(one).use(pair);
  holds<Same<typeof both, Router<readonly ["test/one", "test/two", "test/three"]>>>();
  holds<Same<typeof both["alpns"], readonly ["test/one", "test/two", "test/three"]>>();
  holds<Same<ReturnType<typeof both.listen>, Promise<Endpoint<"test/one" | "test/two" | "test/three">>>>();
  assert.deepEqual(both.alpns, ["test/one", "test/two", "test/three"]);
});

Deno.test("defineHandler() types: the literals of its ALPNs are kept", () => {
  holds<Same<typeof pair, Handler<readonly ["test/two", "test/three"]>>>();
  assert.deepEqual(pair.alpns, ["test/two", "test/three"]);
});

Deno.test("router() is immutable: use() gives a new router (core.md §18 row 11)", () => {
  const before = router().use(one);
  const after = before.use(pair);
  assert.deepEqual(before.alpns, ["test/one"]);
  assert.equal(before.handler("test/two"), undefined);
  assert.equal(after.handler("test/two"), pair);
});

Deno.test("router().use() throws DUPLICATE_ALPN for those who cast (core.md §18 row 1)", () => {
  const untyped = router().use(one) as unknown as Router;
  assert.throws(() => untyped.use(one), (error) => {
    return error instanceof AlknetError && error.code === "DUPLICATE_ALPN" && error.message.includes('"test/one"');
  });
});
