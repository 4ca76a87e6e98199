/**
 * How much is done at a time.
 *
 * @module
 */
import { addressGroup, type Identity } from "@alknet/core/handler";
import type { GitLimits } from "../limits.ts";

/** Who runs a service. */
export interface Client {
  /** Who it is; absent for the anonymous. */
  readonly identity?: Identity;
  /** Its address. */
  readonly address: string;
}

/** Services that run: so many in all, of an identity, and of an address without identity. */
export class ServiceSlots {
  readonly #limits: Pick<GitLimits, "services" | "servicesPerIdentity" | "servicesPerAddress">;
  readonly #held = new Map<string, number>();
  #all = 0;

  /** @param limits How many. */
  constructor(limits: Pick<GitLimits, "services" | "servicesPerIdentity" | "servicesPerAddress">) {
    this.#limits = limits;
  }

  /** Takes a place, to be disposed; nothing where there is none left. */
  take({ identity, address }: Client): Disposable | undefined {
    const key = identity ? `id ${identity.id}` : `at ${addressGroup(address)}`;
    const most = identity ? this.#limits.servicesPerIdentity : this.#limits.servicesPerAddress;
    const held = this.#held.get(key) ?? 0;
    if (held >= most || this.#all >= this.#limits.services) return undefined;
    this.#held.set(key, held + 1);
    this.#all++;
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (left) return;
        left = true;
        this.#all--;
        const now = this.#held.get(key)! - 1;
        if (now === 0) this.#held.delete(key);
        else this.#held.set(key, now);
      },
    };
  }
}

/** So many at a time; the others wait in order. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param most How many at a time. */
  constructor(most: number) {
    this.#free = most;
  }

  /**
   * Waits for a turn, to be disposed.
   *
   * @throws The signal's reason, once it is aborted.
   */
  async take(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else if (!await this.#wait(signal)) signal.throwIfAborted();
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (left) return;
        left = true;
        const next = this.#waiting.shift();
        if (next) next();
        else this.#free++;
      },
    };
  }

  /** Whether a turn came before the signal. */
  #wait(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const turn = () => {
        signal.removeEventListener("abort", gone);
        resolve(true);
      };
      const gone = () => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        resolve(false);
      };
      this.#waiting.push(turn);
      signal.addEventListener("abort", gone, { once: true });
    });
  }
}
