/**
 * Two sockets as one connection.
 *
 * @module
 */
import type { Duplex } from "node:stream";

/**
 * Carries bytes both ways, as fast as the slower side takes them. The end of one direction ends that direction at the
 * other side; a side that breaks breaks the other.
 *
 * @returns Resolves when both directions are over. Never rejects.
 */
export function join(a: Duplex, b: Duplex): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let closed = 0;
  const carry = (from: Duplex, to: Duplex): void => {
    from.on("error", () => to.destroy());
    from.on("close", () => {
      // Closed before its end was read: the other side is not to wait for the rest.
      if (!from.readableEnded) to.destroy();
      // Nobody is left to take what it may still say: what is on its way to it goes there, then it is closed as well.
      else if (to.writableFinished) to.destroy();
      else to.once("finish", () => to.destroy());
      if (++closed === 2) resolve();
    });
    from.pipe(to);
  };
  carry(a, b);
  carry(b, a);
  // What had ended before this began has no event left.
  for (const [side, other] of [[a, b], [b, a]] as const) if (side.destroyed) other.destroy();
  return promise;
}
