/**
 * What `handlers.dns` says of who may have zones, who is told of changes, and by which name this node is known.
 *
 * @module
 */
import { parseAddress } from "@alknet/core/address";
import { AlknetError, parseIp, type SocketAddress } from "@alknet/core/handler";
import {
  type AddressPrefix,
  type DnsName,
  isAmong,
  parseName,
  parsePrefix,
  type TransfersOptions,
} from "@alknet/handlers/dns";

/** Texts by the names of zones. */
type ByZone = Readonly<Record<string, readonly string[]>>;

/** Callers with it may have every zone. */
const TRANSFER_SCOPE = "dns:transfer";

/** The name for clients that know this node by its address. Throws `INVALID_CONFIG`. */
export function ddrName({ ddr }: { readonly ddr?: string }, configFile: string): DnsName | undefined {
  return ddr === undefined ? undefined : orInvalid(configFile, "ddr", () => wholeName(ddr));
}

/** Who may have all of a zone: by the scope `dns:transfer`, or by the address. Throws `INVALID_CONFIG`. */
export function mayTransferBy(
  { transfer = {} }: { readonly transfer?: ByZone },
  configFile: string,
): TransfersOptions["mayTransfer"] {
  const allowed = new Map<string, readonly AddressPrefix[]>();
  for (const [zone, texts] of Object.entries(transfer)) {
    orInvalid(configFile, `transfer.${zone}`, () => allowed.set(wholeName(zone).key, texts.map(parsePrefix)));
  }
  return ({ identity, address }, { name }) =>
    identity?.scopes.includes(TRANSFER_SCOPE) === true || isAmong(address, allowed.get(name.key) ?? []);
}

/** Who is told when a zone changes, by the key of its name. Throws `INVALID_CONFIG`. */
export function secondariesOf(
  { notify = {} }: { readonly notify?: ByZone },
  configFile: string,
): Map<string, readonly SocketAddress[]> {
  const found = new Map<string, readonly SocketAddress[]>();
  for (const [zone, texts] of Object.entries(notify)) {
    orInvalid(configFile, `notify.${zone}`, () => found.set(wholeName(zone).key, texts.map(addressOf)));
  }
  return found;
}

function addressOf(text: string): SocketAddress {
  const { host, port, nodeId } = parseAddress(text);
  if (nodeId !== undefined || !parseIp(host)) {
    throw new AlknetError("INVALID_ADDRESS", `${JSON.stringify(text)} is no IP:PORT`);
  }
  return { hostname: host, port };
}

function wholeName(text: string): DnsName {
  return parseName(text.endsWith(".") ? text : `${text}.`);
}

function orInvalid<T>(configFile: string, path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const { message } = cause as Error;
    throw new AlknetError("INVALID_CONFIG", `config ${configFile}: handlers.dns.${path}: ${message}`, { cause });
  }
}
