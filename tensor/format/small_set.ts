/**
 * A set for few strings.
 *
 * @module
 */

/** The keys of one entry: three as a rule, for which a Set would be made a million times. */
export class SmallSet {
  readonly #keys: string[] = [];
  #many: Set<string> | undefined;

  /** Whether it holds the key. */
  has(key: string): boolean {
    return this.#many ? this.#many.has(key) : this.#keys.includes(key);
  }

  /** Takes the key in. */
  add(key: string): void {
    if (this.#many) this.#many.add(key);
    else if (this.#keys.push(key) > 8) this.#many = new Set(this.#keys);
  }
}
