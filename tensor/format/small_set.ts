/**
 * A set for few strings.
 *
 * @module
 */

/** As many are looked for one after another. */
const FEW = 8;

/** The keys of one entry after another: three each as a rule, for which a Set would be made a million times. */
export class SmallSet {
  readonly #keys: string[] = [];
  #count = 0;
  #many: Set<string> | undefined;

  /** Forgets all. */
  clear(): void {
    this.#count = 0;
    this.#many = undefined;
  }

  /** Whether it holds the key. */
  has(key: string): boolean {
    if (this.#many) return this.#many.has(key);
    for (let i = 0; i < this.#count; i++) if (this.#keys[i] === key) return true;
    return false;
  }

  /** Takes the key in. */
  add(key: string): void {
    if (this.#many) this.#many.add(key);
    else {
      this.#keys[this.#count++] = key;
      if (this.#count > FEW) this.#many = new Set(this.#keys);
    }
  }
}
