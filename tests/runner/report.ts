/**
 * What `deno test` prints, read back: how many tests passed, what failed, and how far a runner came that died.
 *
 * @module
 */

/** How many tests. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What a run of the test runner came to. */
export interface Report {
  /** Its counts; none where the runner died before it could say. */
  readonly counts?: Counts;
  /** What failed, with its messages: the runner's own section on errors. */
  readonly errors: string;
  /** The test that was running last. */
  readonly lastTest?: string;
}

const SUMMARY = /^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(?: \| (\d+) ignored)?/m;
const TEST = /^(?! *(?:running|Check|Download) )(\S.*?) \.\.\./gm;

/** Reads the output of `deno test` with its default reporter and no colours. */
export function readReport(output: string): Report {
  const summary = SUMMARY.exec(output);
  const [, passed, failed, skipped = "0"] = summary ?? [];
  const from = output.search(/^ ERRORS $/m);
  const to = output.search(/^ FAILURES $/m);
  return {
    counts: summary ? { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) } : undefined,
    errors: from < 0 ? "" : output.slice(from + " ERRORS ".length, to < from ? undefined : to).trim(),
    lastTest: [...output.matchAll(TEST)].at(-1)?.[1],
  };
}

/** The sum of counts. */
export function sum(all: readonly Counts[]): Counts {
  const of = (part: (counts: Counts) => number) => all.reduce((total, counts) => total + part(counts), 0);
  return {
    passed: of(({ passed }) => passed),
    failed: of(({ failed }) => failed),
    skipped: of(({ skipped }) => skipped),
  };
}
