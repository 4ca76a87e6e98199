/**
 * Which zones a command works on: those of its home folder, or those of the node that `--node` names.
 *
 * @module
 */
import { UsageError } from "../../terminal/output.ts";
import type { PlaceOptions } from "../options.ts";
import type { ZonesPlace } from "../place.ts";

/** Options that say something to a node or about it. */
const OF_NODES = { token: "--token", tokenFile: "--token-file", insecure: "--insecure", ca: "--ca" } as const;

/**
 * Runs what a command does with the zones that its options mean.
 *
 * @returns The exit code.
 * @throws {UsageError} An option says how to reach a node, and there is no `--node`.
 * @throws {AlknetError} What the store or the node refuses.
 */
export async function atZones(
  options: PlaceOptions,
  run: (zones: ZonesPlace) => Promise<number>,
): Promise<number> {
  const { node } = options;
  if (node === undefined) {
    const [other] = Object.entries(OF_NODES).filter(([name]) => options[name as keyof typeof OF_NODES]);
    if (other) throw new UsageError(`${other[1]} without --node: the zones of this home are no node's to guard`);
    const { openHomeZones } = await import("./home_zones.ts");
    using zones = await openHomeZones(options);
    return await run(zones);
  }
  const [{ withRemote }, { nodeZones }] = await Promise.all([
    import("../../reaching/remote.ts"),
    import("./node_zones.ts"),
  ]);
  return await withRemote({ ...options, address: node }, (client, signal) => run(nodeZones(client, signal)));
}
