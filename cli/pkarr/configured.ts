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
  if (!await exists(file)) return { relays: [], listen: [] };
  const { static: { handlers, listen } } = await loadConfig(file);
  const { pkarr } = (handlers.dns ?? {}) as { pkarr?: Partial<ConfiguredPkarr> };
  const { relays, publish } = pkarr ?? {};
  const texts = Array.isArray(relays) ? relays.filter((one) => typeof one === "string") : [];
  return { relays: texts, listen, ...(publish && { publish }) };
}
