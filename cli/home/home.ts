/**
 * The home folder: where a node keeps its vault and its configuration.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { isAbsolute, join } from "node:path";

/** The files of a node. */
export interface Home {
  /** The folder, mode 0700. */
  readonly folder: string;
  /** The vault: the phrase, sealed; mode 0600. Files that change with it lie in the same folder. */
  readonly vaultFile: string;
  /** The key that opens a vault without a passphrase, mode 0600. */
  readonly vaultKeyFile: string;
  /** Sealed credentials, mode 0600. */
  readonly credentialsFile: string;
  /** A key of the node's own, mode 0600: where there is one, it stands before that of the vault. */
  readonly keyFile: string;
  /** SSH host keys of nodes that were asked for them. */
  readonly knownHostsFile: string;
  /** The zones, mode 0600; made by whoever needs it first. */
  readonly zonesFile: string;
  /** The messages, contacts and sessions, mode 0600; made by the first command that needs it. */
  readonly messagesFile: string;
  /** What lies in the mailbox that the node serves, mode 0600; made by the node. */
  readonly mailboxFile: string;
  /** The configuration. */
  readonly configFile: string;
}

/**
 * The home folder that is meant: the one given, else `$ALKNET_HOME`, else the platform's data folder. Touches no disk. A
 * variable that is empty is not set; one of the platform that is relative is none (XDG Base Directory Specification).
 *
 * @throws {AlknetError} `NO_HOME` when the platform names no folder.
 */
export function locateHome(given: string | undefined): Home {
  const folder = given ?? (Deno.env.get("ALKNET_HOME") || platformFolder());
  return {
    folder,
    vaultFile: join(folder, "vault.json"),
    vaultKeyFile: join(folder, "vault.key"),
    credentialsFile: join(folder, "credentials.json"),
    keyFile: join(folder, "node.key"),
    knownHostsFile: join(folder, "known_hosts"),
    // Apart from the configuration: who watches a folder opens and closes its files, and whoever closes a database's gives
    // up all locks that the process has on it.
    zonesFile: join(folder, "dns", "dns.db"),
    // Only commands open it, and they watch nothing.
    messagesFile: join(folder, "msg.sqlite"),
    mailboxFile: join(folder, "mailbox", "mailbox.sqlite"),
    configFile: join(folder, "config.json"),
  };
}

/**
 * Makes the folder if it is not there, for its owner alone.
 *
 * @throws {AlknetError} `HOME_UNUSABLE` when it cannot be made, or is not a folder.
 */
export async function makeHome(home: Home): Promise<void> {
  try {
    await Deno.mkdir(home.folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new AlknetError(
      "HOME_UNUSABLE",
      `cannot make the home folder ${home.folder}: ${(error as Error).message}; name another with --home`,
      { cause: error },
    );
  }
}

/** Whether a file is there. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

function platformFolder(): string {
  const folder = {
    darwin: () => under("HOME", "Library", "Application Support"),
    windows: () => under("LOCALAPPDATA"),
  }[Deno.build.os as string] ?? (() => under("XDG_DATA_HOME") ?? under("HOME", ".local", "share"));
  const base = folder();
  if (base === undefined) {
    throw new AlknetError("NO_HOME", "this system names no data folder; say where with --home DIR or $ALKNET_HOME");
  }
  return join(base, "alknet");
}

function under(variable: string, ...rest: string[]): string | undefined {
  const base = Deno.env.get(variable);
  return base && isAbsolute(base) ? join(base, ...rest) : undefined;
}
