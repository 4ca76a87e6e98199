/**
 * Sees which arrays of bytes a piece of code copies into, as those that must be wiped are nowhere given out.
 *
 * @module
 */

/** The arrays that `set` was called on while `work` ran. */
export function arraysCopiedInto(work: () => void): Uint8Array[] {
  const arrays: Uint8Array[] = [];
  const original = Uint8Array.prototype.set;
  Uint8Array.prototype.set = function (...args) {
    arrays.push(this);
    return original.apply(this, args);
  };
  try {
    work();
  } finally {
    Uint8Array.prototype.set = original;
  }
  return arrays;
}
