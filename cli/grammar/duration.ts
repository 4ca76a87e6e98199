/**
 * Durations as people write them: `250ms`, `30s`, `12h`, `30d`.
 *
 * @module
 */

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Longest duration, in milliseconds: a hundred years. Dates far beyond have no form (ECMA-262 §21.4.1.1). */
const LONGEST = 100 * 365 * UNITS.d;

/** A duration in milliseconds, or nothing when the text is not one, or it is longer than a hundred years. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(text);
  if (!match) return;
  const duration = Number(match[1]) * UNITS[match[2]];
  return duration <= LONGEST ? duration : undefined;
}

/** Milliseconds in the largest unit that divides them. */
export function formatDuration(milliseconds: number): string {
  const unit = Object.keys(UNITS).reverse().find((name) => milliseconds % UNITS[name] === 0) ?? "ms";
  return `${milliseconds / UNITS[unit]}${unit}`;
}
