/**
 * `deno task test`: installs what the tests need, runs all of them, and ends with `N passed, N failed, N skipped`.
 *
 * Each file runs in a process of its own. One that fails runs once more, alone, at the end: what passes then counts as
 * passed and is listed under `flaky:` with its first failure.
 *
 * With arguments, `deno task test tests/core --filter echo`, it runs only what they name.
 *
 * @module
 */
import { type Counts, sum } from "./runner/report.ts";
import { type Job, runAll } from "./runner/schedule.ts";
import { type Outcome, testProcess } from "./runner/test_process.ts";
import { install } from "./setup/install.ts";
import { ROOT } from "./support/python.ts";
import { publicEntries } from "./support/workspace.ts";

/** Files and folders whose work needs a core to itself, so that they take two places (`runner/schedule.ts`). */
const NEED_A_CORE: readonly string[] = ["tests/bench_smoke_test.ts", "tests/faults/"];

/** A run of the test runner and how it ended. */
interface Run {
  /** A file, or what stands for several. */
  readonly name: string;
  readonly args: readonly string[];
  readonly outcome: Outcome;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  await install();
  if (args.length > 0) return await only(args);
  const runs = await runAll(everything());
  const again: Run[] = [];
  for (const { name, args, outcome } of runs) if (outcome.failure) again.push(await runTests(`${name}, again`, args));
  return conclude(runs, again);
}

/** Runs what somebody names, with the test runner's own output. */
async function only(args: readonly string[]): Promise<number> {
  const { outcome } = await runTests(args.join(" "), args);
  console.log(outcome.output);
  console.log(lastLine(outcome.counts));
  return outcome.counts.failed > 0 ? 1 : 0;
}

function everything(): Job<Run>[] {
  const jobs = testFiles("tests").map((path) => ({
    places: NEED_A_CORE.some((start) => path.startsWith(start)) ? 2 : 1,
    // Types are the business of `deno task check`.
    run: () => runTests(path, ["--no-check", path]),
  }));
  const examples = ["--doc", "--preload=tests/runner/open_libraries.ts", ...publicEntries(), "README.md"];
  jobs.push({ places: 2, run: () => runTests("examples in the documentation", examples) });
  // The large ones first, so that small ones fill the gaps that they leave.
  return jobs.sort((one, other) => other.places - one.places);
}

async function runTests(name: string, args: readonly string[]): Promise<Run> {
  const outcome = await testProcess(args);
  const { counts: { passed, failed, skipped }, seconds, failure, output } = outcome;
  const counts = `${passed} passed${failed ? `, ${failed} failed` : ""}${skipped ? `, ${skipped} skipped` : ""}`;
  console.log(`${failure ? "FAILED" : "ok    "}  ${name}  (${counts}, ${seconds.toFixed(1)} s)`);
  if (failure) console.log(output);
  return { name, args, outcome };
}

/** Prints what is left to say, and gives the exit code. */
function conclude(runs: readonly Run[], again: readonly Run[]): number {
  const failed = runs.filter(({ outcome }) => outcome.failure);
  const passed = runs.filter(({ outcome }) => !outcome.failure);
  const slowest = [...runs].sort((one, other) => other.outcome.seconds - one.outcome.seconds).slice(0, 10);
  console.log("\nslowest:");
  for (const { name, outcome } of slowest) console.log(`  ${outcome.seconds.toFixed(1)} s  ${name}`);
  tell("failed twice:", again.filter(({ outcome }) => outcome.failure));
  tell("flaky:", failed.filter((_, index) => !again[index].outcome.failure));
  const counts = sum([...passed, ...again].map(({ outcome }) => outcome.counts));
  console.log(lastLine(counts));
  return counts.failed > 0 ? 1 : 0;
}

function tell(title: string, runs: readonly Run[]): void {
  if (runs.length === 0) return;
  console.log(`\n${title}`);
  for (const { name, outcome } of runs) console.log(`  ${name}\n    ${outcome.failure!.replaceAll("\n", "\n    ")}`);
}

function lastLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** Test files below a folder, as paths from the root. */
function testFiles(folder: string): string[] {
  return [...Deno.readDirSync(ROOT + folder)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    return isDirectory ? testFiles(path) : name.endsWith("_test.ts") ? [path] : [];
  }).sort();
}
