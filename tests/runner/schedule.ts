/**
 * Which test files may run beside which others.
 *
 * A machine has a number of places. Most files take one: they wait for their peers more than they compute. A file whose
 * work needs a core to itself takes two.
 *
 * @module
 */

/** Places of a machine: on two cores, three that wait keep both busy. */
const PLACES: number = Math.max(2, navigator.hardwareConcurrency + 1);

/** A thing to run. */
export interface Job<Result> {
  /** How many places it takes, at most {@linkcode PLACES}. */
  readonly places: number;
  /** Runs it; must not throw. */
  run(): Promise<Result>;
}

/** Runs all jobs, as many at a time as there are places for, in the order given where that leaves no place empty. */
export async function runAll<Result>(jobs: readonly Job<Result>[], places = PLACES): Promise<Result[]> {
  const waiting = jobs.map((job, index) => ({ job, index, places: Math.min(job.places, places) }));
  const results: Result[] = [];
  const running = new Set<Promise<void>>();
  let free = places;
  while (waiting.length > 0 || running.size > 0) {
    const next = waiting.findIndex((each) => each.places <= free);
    if (next < 0) {
      await Promise.race(running);
      continue;
    }
    const [{ job, index, places: taken }] = waiting.splice(next, 1);
    free -= taken;
    const done: Promise<void> = job.run().then((result) => {
      results[index] = result;
      free += taken;
      running.delete(done);
    });
    running.add(done);
  }
  return results;
}
