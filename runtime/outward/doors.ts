/**
 * What an isolate needs of whatever answers its guest beyond the host's operations.
 *
 * @module
 */
import { GuestError } from "../errors.ts";

/** What answers a guest. */
export interface Doors extends Disposable {
  /** Names of what is open. */
  readonly doors: readonly string[];
  /** Answers a guest. @throws {AlknetError} Why not, for the guest to read. */
  readonly reach: (door: string, input: unknown, signal: AbortSignal) => Promise<unknown>;
  /** Lets go of what a grant that was taken back holds. */
  revoke(door: string): void;
}

/** Nothing is granted, or the host of this process answers. */
export const NO_DOORS: Doors = {
  doors: [],
  reach: () => Promise.reject(new GuestError("NOT_FOUND", "nothing of that name is granted")),
  revoke() {},
  [Symbol.dispose]() {},
};
