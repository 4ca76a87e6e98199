/**
 * Nearest names, for a caller that mistyped one.
 *
 * A look costs the same however many names there are: whoever sends wrong names must not make the node compare each
 * with all. Names are compared that stand near the wrong one in order of their beginnings, or of their ends: a slip
 * leaves one of the two whole.
 *
 * @module
 */

/** Names compared on each side, in each of the two orders. */
const NEIGHBOURS = 64;
/** Names that a sentence suggests. */
const MOST_SUGGESTED = 3;
/** Longest wrong name that is compared at all, in UTF-16 units. */
const LONGEST_COMPARED = 96;

/** Names in the two orders. */
export interface NameIndex {
  /** Sorted by beginning. */
  readonly forward: readonly string[];
  /** Reversed names, sorted: by end. */
  readonly backward: readonly string[];
}

/** Sorts names for {@linkcode nearestNames}. */
export function nameIndex(names: Iterable<string>): NameIndex {
  const forward = [...names].sort();
  return { forward, backward: forward.map(reversed).sort() };
}

/**
 * The permitted names nearest to a wrong one, nearest first; none when none is near.
 *
 * @param permitted Asked only of near names; no other name ever leaves this function.
 */
export function nearestNames(wrong: string, index: NameIndex, permitted: (name: string) => boolean): string[] {
  if (wrong.length === 0 || wrong.length > LONGEST_COMPARED) return [];
  const most = Math.min(3, Math.max(1, Math.floor(wrong.length / 4)));
  const candidates = new Set([
    ...around(wrong, index.forward),
    ...around(reversed(wrong), index.backward).map(reversed),
  ]);
  const near: { name: string; distance: number }[] = [];
  for (const name of candidates) {
    const distance = editDistance(wrong, name, most);
    if (distance <= most && permitted(name)) near.push({ name, distance });
  }
  near.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return near.slice(0, MOST_SUGGESTED).map(({ name }) => name);
}

/** `did you mean a, b or c?`, or nothing without names. */
export function suggestion(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const text = names.length === 1 ? names[0] : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
  return `did you mean ${text}?`;
}

function around(name: string, sorted: readonly string[]): readonly string[] {
  let low = 0;
  for (let high = sorted.length; low < high;) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < name) low = middle + 1;
    else high = middle;
  }
  return sorted.slice(Math.max(0, low - NEIGHBOURS), low + NEIGHBOURS);
}

function reversed(text: string): string {
  let result = "";
  for (let i = text.length - 1; i >= 0; i--) result += text[i];
  return result;
}

/**
 * Insertions, deletions, replacements and swaps of neighbours between two texts (optimal string alignment); any number
 * above `most` once it is certain that there are more.
 */
export function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(replaced, last[j] + 1, row[j - 1] + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], before[j - 2] + 1);
      }
    }
    if (Math.min(...row) > most) return most + 1;
    [before, last] = [last, row];
  }
  return last[b.length];
}
