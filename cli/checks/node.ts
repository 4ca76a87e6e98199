/**
 * Checks of the node's own files.
 *
 * @module
 */
import { loadConfig } from "@alknet/core/config";
import { AlknetError } from "@alknet/core/handler";
import { exists, type Home } from "../home/home.ts";
import { HANDLER_SCHEMAS } from "../serving/handlers.ts";
import { DEFAULT_PORT } from "../node/node.ts";
import { publicIdentity } from "../node/node_key.ts";
import type { Finding } from "./finding.ts";

/** Permission bits of everyone but the owner. */
const OTHERS = 0o077;

/** The home folder and who may look into it. */
export async function checkHome(home: Home): Promise<Finding> {
  const name = "home";
  const { folder } = home;
  if (!await exists(folder)) {
    return { name, status: "warn", finding: `${folder} is not there yet`, mend: "run: alknet init" };
  }
  const { isDirectory, mode } = await Deno.stat(folder);
  if (!isDirectory) {
    return { name, status: "fail", finding: `${folder} is not a folder`, mend: "name another with --home DIR" };
  }
  if (mode !== null && (mode & OTHERS) !== 0) {
    const octal = (mode & 0o777).toString(8).padStart(4, "0");
    const finding = `${folder} is open to others (mode ${octal})`;
    return { name, status: "warn", finding, mend: `run: chmod 700 ${folder}` };
  }
  return { name, status: "ok", finding: folder };
}

/** The node's key, as far as it can be said without a passphrase. */
export async function checkKey(home: Home): Promise<Finding> {
  const name = "key";
  try {
    const { nodeId, keptIn } = await publicIdentity(home);
    const sealing = keptIn === "vault" ? await checkSealing(home) : `from ${home.keyFile}`;
    return { name, status: "ok", finding: `node ${nodeId}, ${sealing}` };
  } catch (error) {
    if (!(error instanceof AlknetError)) throw error;
    if (error.code === "NO_NODE") {
      return { name, status: "warn", finding: "no node was made yet", mend: "run: alknet init" };
    }
    return {
      name,
      status: "fail",
      finding: error.message,
      mend: "put the right file there, or use another --home",
    };
  }
}

/** By what the vault is sealed. One that opens unattended is opened. */
async function checkSealing(home: Home): Promise<string> {
  const { openVault } = await import("../vault/vault_folder.ts");
  const { requireVaultFile } = await import("../vault/reading.ts");
  const { sealed_by } = await requireVaultFile(home);
  if (sealed_by.kind === "passphrase") return "vault sealed with a passphrase";
  using _open = await openVault(home);
  return "vault opened with vault.key";
}

/** The configuration. */
export async function checkConfig(home: Home): Promise<Finding | undefined> {
  if (!await exists(home.configFile)) return;
  const name = "config";
  try {
    const { dynamic: { auth } } = await loadConfig(home.configFile, { handlers: HANDLER_SCHEMAS });
    const finding = `valid; ${auth.peers.length} peers, ${auth.api_keys.length} tokens`;
    return { name, status: "ok", finding };
  } catch (error) {
    if (!(error instanceof AlknetError)) throw error;
    return { name, status: "fail", finding: error.message, mend: `edit ${home.configFile}` };
  }
}

/** The ports that the node listens on; the default where no configuration says. */
export async function configuredPorts(home: Home): Promise<number[]> {
  try {
    const { static: { listen } } = await loadConfig(home.configFile);
    const ports = listen.map(({ address }) => Number(address.slice(address.lastIndexOf(":") + 1))).filter((port) =>
      port > 0
    );
    if (ports.length > 0) return [...new Set(ports)];
  } catch (error) {
    if (!(error instanceof AlknetError)) throw error;
  }
  return [DEFAULT_PORT];
}
