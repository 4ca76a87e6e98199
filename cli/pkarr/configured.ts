/**
 * What the configuration of a home says of pkarr, for commands.
 *
 * @module
 */
import { loadConfig } from "@alknet/core/config";
import { exists, locateHome } from "../home/home.ts";

/** What a command can use of it. */
export interface ConfiguredPkarr {
  /** Relays. */
  readonly relays: readonly string[];
  /** Domains below which nodes are looked for. */
  readonly origins: readonly string[];
  /** Where the node is. */
  readonly publish?: "auto" | { readonly addresses: readonly string[]; readonly private?: boolean };
  /** Where it listens. */
  readonly listen: readonly string[];
}

/**
 * What the configuration of a home says.
 *
 * @throws {AlknetError} It cannot be read.
 */
export async function configuredPkarr(
  choice: { readonly home?: string; readonly config?: string },
): Promise<ConfiguredPkarr> {
  const file = choice.config ?? locateHome(choice.home).configFile;
  if (!await exists(file)) return { relays: [], origins: [], listen: [] };
  const { static: { handlers, listen } } = await loadConfig(file);
  const { pkarr } = (handlers.dns ?? {}) as { pkarr?: Partial<ConfiguredPkarr> };
  const { relays, origins, publish } = pkarr ?? {};
  return {
    relays: textsIn(relays),
    origins: textsIn(origins),
    listen: listen.map(({ address }) => address),
    ...(publish && { publish }),
  };
}

/** A command works beside a configuration that a node would refuse. */
function textsIn(list: unknown): string[] {
  return Array.isArray(list) ? list.filter((one) => typeof one === "string") : [];
}
