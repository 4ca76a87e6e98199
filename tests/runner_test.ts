/**
 * The runner of the tests: what it reads from the test runner's output, what it says of one that dies, what runs at once.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { readReport, sum } from "./runner/report.ts";
import { type Job, runAll } from "./runner/schedule.ts";
import { testProcess } from "./runner/test_process.ts";
import { Floors, untilLevel } from "./support/plateau.ts";
import { temporaryFolder } from "./support/temp.ts";

Deno.test("testProcess: counts what passes, fails and is ignored, and tells of the failure", async () => {
  const outcome = await runFile(`
    Deno.test("one", () => {});
    Deno.test({ name: "two", ignore: true, fn() {} });
    Deno.test("three", () => { throw new Error("the reason"); });`);
  deepEqual(outcome.counts, { passed: 1, failed: 1, skipped: 1 });
  match(outcome.failure!, /three =>[^]*the reason/);
});

Deno.test("testProcess: a runner that dies is named, with its exit code and its last test", async () => {
  const outcome = await runFile(`
    Deno.test("lives", () => {});
    Deno.test("dies", () => { Deno.kill(Deno.pid, "SIGKILL"); for (;;); });`);
  deepEqual(outcome.counts, { passed: 0, failed: 1, skipped: 0 });
  equal(outcome.failure, "the test runner died with exit code 137 (SIGKILL); its last test: dies");
});

Deno.test("testProcess: a file that cannot be loaded has failed", async () => {
  const outcome = await runFile(`import "./absent.ts";`);
  deepEqual(outcome.counts, { passed: 0, failed: 1, skipped: 0 });
  match(outcome.output, /absent\.ts/);
});

Deno.test("testProcess: a package that nobody installed fails at once", async () => {
  const outcome = await runFile(`import "npm:left-pad@1.3.0";`);
  equal(outcome.counts.failed, 1);
});

Deno.test("readReport: steps and output of tests are no summary", () => {
  const report = readReport(
    "running 1 test from ./x_test.ts\na ...\n  b ... ok (1ms)\na ... ok (1ms)\n\nok | 1 passed (1 step) | 0 failed (2ms)\n",
  );
  deepEqual(report.counts, { passed: 1, failed: 0, skipped: 0 });
  equal(readReport("ok | passed").counts, undefined);
  deepEqual(sum([report.counts!, { passed: 2, failed: 1, skipped: 3 }]), { passed: 3, failed: 1, skipped: 3 });
});

Deno.test("runAll: as many at once as there are places, and results in order", async () => {
  let used = 0;
  let most = 0;
  const job = (places: number, name: string): Job<string> => ({
    places,
    async run() {
      used += Math.min(places, 3);
      most = Math.max(most, used);
      ok(used <= 3, `${used} places used`);
      await new Promise((resolve) => setTimeout(resolve, 1));
      used -= Math.min(places, 3);
      return name;
    },
  });
  const jobs = [job(3, "a"), job(1, "b"), job(9, "c"), job(2, "d"), job(1, "e"), job(1, "f")];
  equal((await runAll(jobs, 3)).join(""), "abcdef");
  equal(most, 3);
});

Deno.test("untilLevel: what warms up is level, what leaks is not", async () => {
  let memory = 100;
  const warm = await untilLevel(() => memory, (round) => void (memory += 100 / 2 ** round));
  ok(warm.level, warm.values.join());
  memory = 100;
  const leak = await untilLevel(() => memory, () => void (memory *= 1.1));
  equal(leak.level, false);
});

Deno.test("Floors: peaks between two collections are no growth, a floor that rises is", () => {
  const [even, rising] = [new Floors(), new Floors()];
  for (let step = 0; step < 100; step++) {
    even.note(step / 100, 50 + (step * 37) % 90);
    rising.note(step / 100, step + (step * 37) % 90);
  }
  ok(even.growth < 10, `${even.growth}`);
  ok(rising.growth > 30, `${rising.growth}`);
});

async function runFile(source: string): ReturnType<typeof testProcess> {
  await using folder = await temporaryFolder();
  return await testProcess(["--no-check", await folder.write("some_test.ts", source)]);
}
