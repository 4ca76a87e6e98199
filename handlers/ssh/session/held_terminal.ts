/**
 * A terminal that outlives its program.
 *
 * `@lydell/node-pty` closes a terminal as soon as nobody has it open at the other end. A program that closes its standard
 * streams before it ends, as those of GNU do, would get SIGHUP for its last words, and its exit code be lost.
 *
 * @module
 */
import { closeSync, constants, openSync } from "node:fs";

/** Inside of a terminal of node-pty. */
interface Inside {
  /** Path of the program's end. */
  readonly _pty: string;
  /** Set when the program has ended, before anything else is done about it. */
  _boundClose: boolean;
}

/**
 * Keeps a terminal that has just been opened until its program has ended.
 *
 * @returns Lets go of it before, for who has closed it by himself.
 */
export function holdTerminal(terminal: object): () => void {
  const inside = terminal as Inside;
  let held: number | undefined = openSync(inside._pty, constants.O_RDWR | constants.O_NOCTTY);
  const letGo = (): void => {
    if (held !== undefined) closeSync(held);
    held = undefined;
  };
  let hasEnded = false;
  Object.defineProperty(inside, "_boundClose", {
    get: () => hasEnded,
    set(value: boolean) {
      hasEnded = value;
      letGo();
    },
  });
  return letGo;
}
