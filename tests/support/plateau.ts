/**
 * Memory that stops growing. A process warms up: its heap, its caches and the allocator's pools grow for a while and then
 * stand, and how high depends on the machine. What leaks never stands.
 *
 * @module
 */

/** Options of {@linkcode untilLevel}. */
export interface PlateauOptions {
  /** Rounds at most. Default 12. */
  readonly rounds?: number;
  /** Share of the last value that counts as level, 0 to 1. Default 0.06. */
  readonly tolerance?: number;
}

/** How the rounds went. */
export interface Plateau {
  /** Whether the last two rounds added next to nothing. */
  readonly level: boolean;
  /** The values, first that before any round. */
  readonly values: readonly number[];
}

/**
 * Repeats a round of work until a value is level over two rounds in a row.
 *
 * @param measure Gives the value, such as bytes of resident memory.
 * @param work One round; each must be as much work as the one before.
 */
export async function untilLevel(
  measure: () => number | Promise<number>,
  work: (round: number) => void | Promise<void>,
  { rounds = 12, tolerance = 0.06 }: PlateauOptions = {},
): Promise<Plateau> {
  const values = [await measure()];
  let level = 0;
  for (let round = 0; round < rounds && level < 2; round++) {
    await work(round);
    const value = await measure();
    level = value - values.at(-1)! <= value * tolerance ? level + 1 : 0;
    values.push(value);
  }
  return { level: level >= 2, values };
}

/** Parts of a long run whose lowest values are compared. */
const PARTS = 4;

/**
 * The lowest values of the parts of a long run: what is left of a heap right after a collection. What it holds in between
 * says more of the collector than of the program.
 */
export class Floors {
  readonly #lowest: number[] = new Array(PARTS).fill(Infinity);

  /** Takes a value; `progress` is from 0 to 1. */
  note(progress: number, value: number): void {
    const part = Math.min(PARTS - 1, Math.floor(progress * PARTS));
    this.#lowest[part] = Math.min(this.#lowest[part], value);
  }

  /** How much higher the floor of the last part lies than that of the second; the first one warms up. */
  get growth(): number {
    return this.#lowest[PARTS - 1] - this.#lowest[1];
  }
}

/** The values as text, in MiB. */
export function inMebibytes(values: readonly number[]): string {
  return values.map((bytes) => (bytes / 1024 / 1024).toFixed(0)).join(" -> ") + " MiB";
}
