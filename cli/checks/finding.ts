/**
 * What a check of the machine found.
 *
 * @module
 */

/** One line of `alknet doctor`. */
export interface Finding {
  /** What was looked at. */
  readonly name: string;
  /** `warn`: it works, but less well, or a part that not everybody needs is missing. */
  readonly status: "ok" | "warn" | "fail";
  /** What was found. */
  readonly finding: string;
  /** How to mend it. */
  readonly mend?: string;
}
