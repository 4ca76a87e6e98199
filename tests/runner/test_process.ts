/**
 * One run of `deno test`, in a process of its own.
 *
 * Never with `--parallel`: that gives each file an isolate of one process, and the native QUIC binding in several isolates
 * of one process brings it down.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import { QUICK_START } from "../support/process.ts";
import { ROOT } from "../support/python.ts";
import { type Counts, readReport } from "./report.ts";

/** A run that takes longer than this hangs: it is ended and has failed, in milliseconds. */
const DEADLINE = 15 * 60_000;
/** Lines of a failure that explain it where there is room for few. */
const GIST = 12;

/** How a run ended. */
export interface Outcome {
  /** Tests counted; where the runner died, one failed test stands for all that were lost. */
  readonly counts: Counts;
  /** All that was printed. */
  readonly output: string;
  /** Why it failed, in few lines; nothing where it passed. */
  readonly failure?: string;
  /** How long it took, in seconds. */
  readonly seconds: number;
}

/** Runs `deno test` with some arguments; only packages that are installed can be loaded. */
export async function testProcess(args: readonly string[]): Promise<Outcome> {
  const begun = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--cached-only", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...QUICK_START },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, DEADLINE);
  const { code, success, signal, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const output = [stdout, stderr].map((bytes) => stripVTControlCharacters(new TextDecoder().decode(bytes))).join("");
  const { counts, errors, lastTest } = readReport(output);
  const seconds = (performance.now() - begun) / 1000;
  if (success && counts) return { counts, output, seconds };
  if (counts && counts.failed > 0) return { counts, output, failure: gistOf(errors || output), seconds };
  const how = late ? `was ended after ${DEADLINE / 60_000} minutes` : `died with exit code ${code}`;
  const died = `the test runner ${how}${signal ? ` (${signal})` : ""}; its last test: ${lastTest ?? "none"}`;
  const { passed = 0, skipped = 0 } = counts ?? {};
  return { counts: { passed, failed: 1, skipped }, output, failure: died, seconds };
}

function gistOf(text: string): string {
  const lines = text.trim().split("\n");
  return lines.length <= GIST ? lines.join("\n") : [...lines.slice(0, GIST), "…"].join("\n");
}
