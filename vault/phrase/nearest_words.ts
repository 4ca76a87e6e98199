/**
 * Words of a list that a mistyped one may have been.
 *
 * @module
 */

/** How many words are offered. */
const MOST_OFFERED = 3;
/** No word of the list has more letters than eight; what follows tells nothing and would only cost time. */
const LETTERS_COMPARED = 16;

/** The words that fewest edits lead to, those that begin alike first; at most three. */
export function nearestWords(word: string, list: readonly string[]): string[] {
  const typed = word.toLowerCase().slice(0, LETTERS_COMPARED);
  const ranked = list.map((listed) => ({
    listed,
    edits: editDistance(typed, listed),
    alike: commonPrefix(typed, listed),
  }));
  ranked.sort((a, b) => a.edits - b.edits || b.alike - a.alike);
  return ranked.slice(0, MOST_OFFERED).filter(({ edits }) => edits <= ranked[0].edits + 1).map(({ listed }) => listed);
}

/** Letters to insert, delete, replace or swap with their neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const differs = a[row - 1] === b[column - 1] ? 0 : 1;
      current[column] = Math.min(above[column] + 1, current[column - 1] + 1, above[column - 1] + differs);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        current[column] = Math.min(current[column], before[column - 2] + 1);
      }
    }
    before = above;
    above = current;
  }
  return above[b.length];
}

function commonPrefix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}
