/**
 * Under which URLs a node's repositories are reached.
 *
 * @module
 */
import { parseListenAddress } from "@alknet/core/address";
import type { StaticConfig } from "@alknet/core/config";
import type { Home } from "../home/home.ts";
import { DEFAULT_PORT } from "./node.ts";
import { publicIdentity } from "./node_key.ts";

/** A node, as its files say it. */
export interface NodeFiles {
  /** Its home. */
  readonly home: Home;
  /** Its configuration, where it has one. */
  readonly config?: StaticConfig;
}

const LOOPBACK = /^(?:localhost|127\.|::1$)/;

/**
 * The URLs of a repository: over HTTPS, over `alknet://`, which names the node's key where there is one, and over SSH where
 * the configuration serves it.
 */
export async function urlsOf(name: string, home: NodeFiles): Promise<string[]> {
  return (await urlMaker(home))(name);
}

/** As {@linkcode urlsOf}, for many. */
export async function urlMaker(
  { home, config }: NodeFiles,
): Promise<(name: string) => string[]> {
  const names = config?.certificate.mode === "selfSigned" ? config.certificate.names ?? [] : [];
  const found = names.find((one) => !LOOPBACK.test(one)) ?? "localhost";
  const host = found.includes(":") ? `[${found}]` : found;
  const [listen] = config?.listen ?? [];
  const port = listen === undefined ? DEFAULT_PORT : parseListenAddress(listen.address).port || DEFAULT_PORT;
  const id = await publicIdentity(home).then(({ nodeId }) => `${nodeId}@`, () => "");
  return (name) => {
    const urls = [`https://${host}:${port}/${name}`, `alknet://${id}${host}:${port}/${name}`];
    if (config?.handlers.ssh !== undefined) urls.push(`ssh://${host}:${port}/${name}`);
    return urls;
  };
}
