/**
 * Accounts: how many bytes a connection, and a process for all of its connections, may hold for the other end (core.md §13).
 *
 * Limits of single streams do not add up: a thousand streams may each hold little. What holds bytes draws them from the
 * account of its connection, which draws on that of the process.
 *
 * @module
 */
import { totalmem } from "node:os";

/** Bytes that a connection may always hold, however much the others do. */
const FLOOR = 64 * 1024;
/** What a process may hold at most. */
const MAX_PROCESS = 4 * 1024 * 1024 * 1024;
/** What is taken for the memory of a machine that does not tell. */
const UNKNOWN_MEMORY = 1024 * 1024 * 1024;

/** An account of bytes. */
export class Account {
  readonly #parent: Account | undefined;
  readonly #waiting = new Set<() => void>();
  #limit: number;
  #held = 0;

  /**
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

  /** More may be held from now on. */
  raise(limit: number): void {
    this.#limit = Math.max(this.#limit, limit);
    this.#wake();
  }

  /** Holds bytes. That there is room is the caller's to look at. */
  take(bytes: number): void {
    this.#held += bytes;
    this.#parent?.take(bytes);
  }

  /** Holds bytes no more. */
  give(bytes: number): void {
    this.#held -= bytes;
    this.#parent?.give(bytes);
    this.#wake();
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

  /** Gives back all that is held: whoever held it is gone. */
  close(): void {
    this.#parent?.cancel(this.#wakeAll);
    this.give(this.#held);
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
