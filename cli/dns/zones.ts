/**
 * The zones of a home, as commands work on them: with or without a running node, which notices.
 *
 * @module
 */
import { loadConfig } from "@alknet/core/config";
import { AlknetError } from "@alknet/core/handler";
import { type DnsName, type DnsStore, formatName, openDnsStore, parseName, type Zone } from "@alknet/handlers/dns";
import { exists, type Home, locateHome, makeHome } from "../home/home.ts";
import { DEFAULT_HANDLERS } from "../node/node.ts";
import { UsageError } from "../terminal/output.ts";

/** Whose zones are meant. */
export interface ZonesChoice {
  /** Home folder. */
  readonly home?: string;
  /** Configuration file. */
  readonly config?: string;
}

/** Opened zones; disposing of them closes the database. */
export interface OpenZones extends Disposable {
  /** The database. */
  readonly store: DnsStore;
  /** Whose it is. */
  readonly home: Home;
}

/**
 * Opens the zones of a home, whose folder is made if it is not there.
 *
 * @throws {AlknetError} `DNS_STORE`, `DNS_BUSY`, `HOME_UNUSABLE`.
 */
export async function openZones(choice: ZonesChoice): Promise<OpenZones> {
  const home = locateHome(choice.home);
  await makeHome(home);
  const store = openDnsStore(home.zonesFile);
  return { store, home, [Symbol.dispose]: () => store[Symbol.dispose]() };
}

/** Whether a node with this configuration serves its zones. */
export async function servesZones({ configFile }: Home, { config }: ZonesChoice): Promise<boolean> {
  const file = config ?? configFile;
  if (!await exists(file)) return true;
  const { static: { handlers } } = await loadConfig(file);
  const named = Object.keys(handlers).length > 0 ? handlers : DEFAULT_HANDLERS;
  return named.dns !== undefined;
}

/**
 * The name of a zone as a person wrote it: whole, with or without its dot.
 *
 * @throws {UsageError} It is none.
 */
export function zoneName(text: string): DnsName {
  try {
    return parseName(text.endsWith(".") ? text : `${text}.`);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/**
 * The zone of this name.
 *
 * @throws {AlknetError} `NO_SUCH_ZONE`.
 */
export function zoneNamed({ zones }: DnsStore, text: string): Zone {
  const name = zoneName(text);
  const zone = zones.find(name);
  if (zone?.name.key === name.key) return zone;
  throw noZone(name);
}

/** There is no zone of this name. */
export function noZone(name: DnsName): AlknetError {
  return new AlknetError("NO_SUCH_ZONE", `there is no zone ${shown(name)}; \`alknet dns zone create\` makes one`);
}

/** A name for people: without its last dot, but for the root. */
export function shown(name: DnsName): string {
  const text = formatName(name);
  return text === "." ? text : text.slice(0, -1);
}
