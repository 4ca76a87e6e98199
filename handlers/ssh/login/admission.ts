/**
 * How many may be at the door: early random drop of connections that have not logged in, as OpenSSH's `MaxStartups`.
 *
 * @module
 */

/** Where dropping begins, how likely it is there in percent, and where everyone is dropped. */
const BEGIN = 10;
const RATE = 30;
const FULL = 100;

/** Connections that have not logged in. */
export class Admission {
  #waiting = 0;

  /** Connections that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Takes a connection in, or not.
   *
   * @param random From 0 to 1.
   * @returns Called once when it has logged in or left; nothing if it is dropped.
   */
  admit(random: number = Math.random()): (() => void) | undefined {
    if (random * 100 < this.#dropRate()) return;
    this.#waiting++;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#waiting--;
    };
  }

  /** Percent: from {@linkcode RATE} at the beginning to all where it is full. */
  #dropRate(): number {
    if (this.#waiting < BEGIN) return 0;
    if (this.#waiting >= FULL) return 100;
    return RATE + (100 - RATE) * (this.#waiting - BEGIN) / (FULL - BEGIN);
  }
}
