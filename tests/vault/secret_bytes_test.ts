/**
 * Comparing and wiping of secrets.
 *
 * @module
 */
import assert from "node:assert/strict";
import { constantTimeEqual, wipe } from "../../vault/secret_bytes.ts";

Deno.test("constantTimeEqual(): same bytes, another byte, another length", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  for (
    const [other, equal] of [
      [Uint8Array.of(1, 2, 3), true],
      [Uint8Array.of(1, 2, 4), false],
      [Uint8Array.of(0, 2, 3), false],
      [Uint8Array.of(1, 2), false],
      [new Uint8Array(), false],
    ] as const
  ) assert.equal(constantTimeEqual(bytes, other), equal);
  assert.ok(constantTimeEqual(new Uint8Array(), new Uint8Array()));
});

Deno.test("wipe() overwrites each array, a view only where it looks", () => {
  const whole = Uint8Array.of(1, 2, 3, 4);
  const other = Uint8Array.of(5);
  wipe(whole.subarray(1, 3), undefined, other);
  assert.deepEqual(whole, Uint8Array.of(1, 0, 0, 4));
  assert.deepEqual(other, Uint8Array.of(0));
});
