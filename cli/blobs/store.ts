/**
 * The blobs of a home folder, as its commands see them, with or without a running node.
 *
 * @module
 */
import { formatSocketAddress, isIpAddress, parseListenAddress } from "@alknet/core/address";
import { loadConfig, type StaticConfig } from "@alknet/core/config";
import { AlknetError } from "@alknet/core/handler";
import { announcedAddresses, type TreeFs } from "@alknet/handlers/fs";
import { join } from "node:path";
import { exists, type Home, locateHome } from "../home/home.ts";
import { DEFAULT_HANDLERS } from "../node/node.ts";
import { note } from "../terminal/output.ts";
import { type FsConfig, openStore, storeFolder } from "../serving/fs.ts";

/** Addresses that a ticket names at most, so that it stays short. */
const MOST_ADDRESSES = 8;

/** Which home is meant. */
export interface BlobHomeChoice {
  /** Home folder. */
  readonly home?: string;
  /** Configuration file, instead of that of the home folder. */
  readonly config?: string;
}

/** What commands need to know of a home. */
export interface BlobHome extends AsyncDisposable {
  /** The home. */
  readonly home: Home;
  /** Its store. */
  readonly fs: TreeFs;
  /** Whether a node of this configuration serves it. */
  readonly served: boolean;
  /**
   * Where the node is, for tickets.
   *
   * @throws {AlknetError} `NO_ADDRESS`.
   */
  addresses(): Promise<readonly string[]>;
}

/**
 * Opens the store of a home, which is made if it is not there.
 *
 * @throws {AlknetError} The configuration cannot be read, or is invalid; the store cannot be opened.
 */
export async function openBlobHome(choice: BlobHomeChoice): Promise<BlobHome> {
  const home = locateHome(choice.home);
  const configFile = choice.config ?? home.configFile;
  const known = choice.config !== undefined || await exists(configFile);
  const config = known ? (await loadConfig(configFile)).static : undefined;
  const named = config && Object.keys(config.handlers).length > 0 ? config.handlers : DEFAULT_HANDLERS;
  const options = (named.fs ?? {}) as FsConfig;
  const place = { configFile, home };
  const fs = await openStore(options, place);
  return {
    home,
    fs,
    served: named.fs !== undefined,
    addresses: () => addressesOf(options, config, storeFolder(options, place)),
    async [Symbol.asyncDispose]() {
      if (options.bucket) await settled(fs);
      await fs[Symbol.asyncDispose]();
    },
  };
}

/** Nobody else may send what a command added: without a node it is the only process that has the store open. */
async function settled(fs: TreeFs): Promise<void> {
  const { left, failure } = await fs.settle();
  if (failure === undefined || left === 0) return;
  note(
    `alknet: ${left} ${left === 1 ? "blob is" : "blobs are"} not in the bucket yet, and will be sent later: ${failure}`,
  );
}

/** Those that are configured, else those that a running node listens on, else those that it would. */
async function addressesOf(
  options: FsConfig,
  config: StaticConfig | undefined,
  folder: string,
): Promise<readonly string[]> {
  if (options.addresses) return options.addresses;
  const announced = await announcedAddresses(join(folder, "tmp"));
  const listening = announced.length > 0 ? announced : (config?.listen ?? []).map(({ address }) => address);
  const found = [...new Set(listening.flatMap(reachable))].slice(0, MOST_ADDRESSES);
  if (found.length > 0) return found;
  throw new AlknetError(
    "NO_ADDRESS",
    "a ticket says where the node is, and that is not known: start it, or name HOST:PORTs in handlers.fs.addresses",
  );
}

/** An address of one interface as it is; that of all of them as those of the machine. */
function reachable(address: string): string[] {
  const { hostname, port } = parseListenAddress(address);
  if (port === 0) return [];
  if (hostname !== "0.0.0.0" && hostname !== "::") return [formatSocketAddress({ hostname, port })];
  const all = Deno.networkInterfaces()
    .filter(({ family }) => hostname === "::" || family === "IPv4")
    .map(({ address }) => address)
    .filter((one) => isIpAddress(one) && !/^(?:127\.|::1$|fe80:)/.test(one));
  const local = hostname === "::" ? "::1" : "127.0.0.1";
  return (all.length > 0 ? all : [local]).map((one) => formatSocketAddress({ hostname: one, port }));
}
