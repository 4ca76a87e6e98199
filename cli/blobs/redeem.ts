/**
 * Redeeming tickets: the right that one holds goes to the key of this home.
 *
 * @module
 */
import { locateHome } from "../home/home.ts";
import type { ReachOptions } from "../reaching/reach.ts";

/** How the node is reached. */
export type RedeemOptions = Omit<ReachOptions, "address" | "token" | "tokenFile">;

/**
 * Gives the right that a ticket holds to the key of this home.
 *
 * @param address The node that made the ticket: no other learns its secret.
 * @throws {AlknetError} `GRANT_EXPIRED`: it has ended, or was redeemed by another key. What dialling throws.
 */
export async function redeem(
  address: string,
  secret: Uint8Array,
  options: RedeemOptions,
  signal: AbortSignal,
): Promise<void> {
  const [{ openRemote }, { publicIdentity }] = await Promise.all([
    import("../reaching/remote.ts"),
    import("../node/node_key.ts"),
  ]);
  const { fingerprint: key } = await publicIdentity(locateHome(options.home));
  await using client = await openRemote({ ...options, address }, signal);
  await client.call("blobs/redeem", { secret: secret.toHex(), key }, { signal });
}
