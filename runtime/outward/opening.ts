/**
 * From what is granted to what answers a guest.
 *
 * @module
 */
import { type Doors, NO_DOORS } from "./doors.ts";
import type { OutwardGrants } from "./outward.ts";

/**
 * The doors of one guest. What is behind them is loaded where something is granted: the process of a guest, which asks its
 * host, starts faster without.
 *
 * @throws {GuestError} `E_REFUSED`, `E_UNAVAILABLE`: a grant that cannot be given.
 */
export async function doorsOf(grants: OutwardGrants): Promise<Doors> {
  const { allowFetch, allowFs, allowGpu } = grants;
  if (!allowFetch && !allowFs && !allowGpu) return NO_DOORS;
  return new (await import("./outward.ts")).Outward(grants);
}
