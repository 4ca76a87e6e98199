/**
 * Whom `alknet dns query` asks: what stands behind the @, or the node of the home folder.
 *
 * @module
 */
import { formatSocketAddress, parseAddress, parseListenAddress } from "@alknet/core/address";
import { loadConfig } from "@alknet/core/config";
import { exists, locateHome } from "../../home/home.ts";
import { DEFAULT_PORT } from "../../node/node.ts";
import { publicIdentity } from "../../node/node_key.ts";
import { UsageError } from "../../terminal/output.ts";

/** By which way a server is asked. */
export type Via = "dot" | "doq" | "doh" | "alknet" | "udp";

/** A server. */
export interface Server {
  /** `[NODEID@]HOST:PORT`. */
  readonly address: string;
  /** By which way. */
  readonly via: Via;
  /** Where DNS is answered over HTTPS. */
  readonly path: string;
}

const PORTS: Readonly<Record<Via, number>> = { dot: 853, doq: 853, doh: 443, alknet: DEFAULT_PORT, udp: 53 };
const PATH = "/dns-query";

/**
 * The server that somebody wrote.
 *
 * @param text `HOST[:PORT]`, `ID@HOST:PORT` or `https://…`.
 * @throws {UsageError} It is none, or does not go with `via`.
 */
export function serverOf(text: string, via: Via | undefined): Server {
  if (/^https:/i.test(text)) return byUrl(text, via);
  const way = via ?? (text.includes("@") ? "alknet" : "dot");
  const address = withPort(text, PORTS[way]);
  if (!provesKey(way) && address.includes("@")) {
    throw new UsageError(`${text}: ${way} proves no node's key; leave the id out, or ask --via alknet`);
  }
  return { address, via: way, path: PATH };
}

/** Over QUIC `doq` shows the certificate that the public knows, and plain DNS nothing. */
function provesKey(via: Via): boolean {
  return via !== "udp" && via !== "doq";
}

function byUrl(text: string, via: Via | undefined): Server {
  if (via !== undefined && via !== "doh") throw new UsageError(`${text} is asked --via doh, not ${via}`);
  if (!URL.canParse(text)) throw new UsageError(`${text} is no URL`);
  const { hostname, port, pathname, search, username } = new URL(text);
  if (username !== "" || search !== "") throw new UsageError(`${text}: neither user nor query stands in the URL`);
  return {
    address: withPort(port === "" ? hostname : `${hostname}:${port}`, PORTS.doh),
    via: "doh",
    path: pathname === "/" ? PATH : pathname,
  };
}

function withPort(text: string, port: number): string {
  const bare = /^(?:[^@]+@)?(?:\[[^\]]+\]|[^:]+)$/.test(text) ? `${text}:${port}` : text;
  try {
    parseAddress(bare);
    return bare;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/**
 * The node of a home folder, at the first address of its configuration.
 *
 * @throws {AlknetError} `NO_NODE`; what is wrong with the configuration.
 */
export async function homeServer(
  choice: { readonly home?: string; readonly config?: string },
  via: Via = "alknet",
): Promise<Server> {
  const home = locateHome(choice.home);
  const file = choice.config ?? home.configFile;
  const { nodeId } = await publicIdentity(home);
  const config = await exists(file) ? await loadConfig(file) : undefined;
  const { hostname, port } = parseListenAddress(config?.static.listen[0]?.address ?? `127.0.0.1:${DEFAULT_PORT}`);
  // What is listened on everywhere is reached here.
  const reached = hostname === "0.0.0.0" ? "127.0.0.1" : hostname === "::" ? "::1" : hostname;
  const address = formatSocketAddress({ hostname: reached, port });
  return { address: provesKey(via) ? `${nodeId}@${address}` : address, via, path: PATH };
}
