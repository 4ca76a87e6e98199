/**
 * Accounts: how many bytes a connection, and a process for all of its connections, may hold for the other end (core.md §13).
 *
 * Limits of single streams do not add up: a thousand streams may each hold little. What holds bytes draws them from the
 * account of its connection, which draws on that of the process.
 *
 * @module
 */
import { totalmem } from "node:os";

/**
 * Bytes that an account may always hold, however much the others do: more than what is saved up before it is reported as
 * taken, or it would never be given back.
 */
export const FLOOR: number = 256 * 1024;
/** What a process may hold at most. */
const MAX_PROCESS = 4 * 1024 * 1024 * 1024;
/** What is taken for the memory of a machine that does not tell. */
const UNKNOWN_MEMORY = 1024 * 1024 * 1024;

/** An account of bytes. */
export class Account {
  #parent: Account | undefined;
  readonly #waiting = new Set<() => void>();
  #limit: number;
  #held = 0;
  #closed = false;

  /**
   * An account of which nothing is held.
   *
   * @param limit Bytes that may be held.
   * @param parent The account that this one draws on.
   */
  constructor(limit: number, parent?: Account) {
    this.#limit = limit;
    this.#parent = parent;
  }

  /** Bytes held. */
  get held(): number {
    return this.#held;
  }

  /** Bytes that may be held besides; zero or less when there is no room. */
  get room(): number {
    const own = this.#limit - this.#held;
    if (!this.#parent) return own;
    return Math.min(own, Math.max(this.#parent.room, FLOOR - this.#held));
  }

  /** Whether somebody waits for room. */
  get isContended(): boolean {
    return this.#waiting.size > 0;
  }

  /** More may be held from now on, drawn on another account where one is given. */
  raise(limit: number, parent: Account | undefined = this.#parent): void {
    this.#limit = Math.max(this.#limit, limit);
    if (parent !== this.#parent) {
      parent?.take(this.#held);
      this.#parent?.cancel(this.#wakeAll);
      this.#parent?.give(this.#held);
      this.#parent = parent;
    }
    this.#wake();
  }

  /** Holds bytes. That there is room is the caller's to look at. */
  take(bytes: number): void {
    if (this.#closed) return;
    this.#held += bytes;
    this.#parent?.take(bytes);
  }

  /** Holds bytes no more. */
  give(bytes: number): void {
    if (this.#closed) return;
    this.#held -= bytes;
    this.#parent?.give(bytes);
    this.#wake();
  }

  /**
   * Holds bytes once there is room for them all; those of a size that the account never has alone, once it is empty.
   *
   * @param over Ends the wait when it resolves.
   * @returns Whether they are held.
   */
  async hold(bytes: number, over: Promise<unknown>): Promise<boolean> {
    const wanted = Math.min(bytes, this.#limit);
    let waits = true;
    while (waits && this.room < wanted && !this.#closed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.wait(resolve);
      waits = await Promise.race([promise.then(() => true), over.then(() => false)]);
      this.cancel(resolve);
    }
    if (waits) this.take(bytes);
    return waits;
  }

  /** Calls back once when there may be room. */
  wait(wake: () => void): void {
    this.#waiting.add(wake);
    if (this.#parent && this.#limit > this.#held) this.#parent.wait(this.#wakeAll);
  }

  /** Calls back no more. */
  cancel(wake: () => void): void {
    this.#waiting.delete(wake);
  }

  /** Gives back all that is held: whoever held it is gone. What is taken or given from now on does not count. */
  close(): void {
    if (this.#closed) return;
    this.#parent?.cancel(this.#wakeAll);
    this.give(this.#held);
    this.#closed = true;
    this.#wakeAll();
  }

  #wake(): void {
    if (this.#waiting.size > 0 && this.room > 0) this.#wakeAll();
  }

  readonly #wakeAll = (): void => {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  };
}

/** What this process may hold for all of its connections: a part of the machine's memory, at most 4 GiB. */
export function processLimit(share: number): number {
  return Math.min(MAX_PROCESS, memory ??= machineMemory()) * share;
}

let memory: number | undefined;

function machineMemory(): number {
  try {
    return totalmem();
  } catch { // Not permitted to look.
    return UNKNOWN_MEMORY;
  }
}
