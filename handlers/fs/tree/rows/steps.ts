/**
 * Work on rows that does not say how they are reached. A step is a generator: where the tables are in this process it runs
 * through at once; where they are elsewhere it hands out each statement, and goes on with its rows. What is written so is
 * written once for both, and costs the first no wait.
 *
 * @module
 */

/** A statement that somebody else runs. */
export interface Statement {
  /** Its text. */
  readonly sql: string;
  /** Its values, in their order. */
  readonly values: readonly SqlValue[];
  /** Whether its rows are wanted: what only changes some need not be waited for. */
  readonly wants: boolean;
}

/** What a column holds. */
export type SqlValue = Uint8Array | string | number | bigint | null;

/** Work that ends with something. It is told the rows of each statement that it hands out. */
export type Steps<T> = Generator<Statement, T, readonly unknown[]>;

/** Runs work that hands out nothing. */
export function atOnce<T>(steps: Steps<T>): T {
  const { done, value } = steps.next();
  if (done) return value;
  throw new TypeError("these steps hand out statements; they are not run at once");
}
