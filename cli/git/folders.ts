/**
 * The repositories of a home folder, as its commands see them, with or without a running node.
 *
 * @module
 */
import { loadConfig, type StaticConfig } from "@alknet/core/config";
import type { RepositoryFolders } from "@alknet/handlers/git";
import { exists, type Home, locateHome } from "../home/home.ts";
import { DEFAULT_HANDLERS } from "../node/node.ts";
import { type GitConfig, repositoryFolders } from "../serving/git.ts";

/** Which home is meant. */
export interface GitHomeChoice {
  /** Home folder. */
  readonly home?: string;
  /** Configuration file, instead of that of the home folder. */
  readonly config?: string;
}

/** What commands need to know of a home. */
export interface GitHome {
  /** The home. */
  readonly home: Home;
  /** Its configuration file, which need not be there. */
  readonly configFile: string;
  /** What it says, where it is there. */
  readonly config?: StaticConfig;
  /** Whether a node of this configuration serves repositories. */
  readonly served: boolean;
  /** Where the repositories are. */
  readonly folders: RepositoryFolders;
}

/**
 * Looks at a home.
 *
 * @throws {AlknetError} The configuration cannot be read, or is invalid.
 */
export async function openGitHome(choice: GitHomeChoice): Promise<GitHome> {
  const home = locateHome(choice.home);
  const configFile = choice.config ?? home.configFile;
  const known = choice.config !== undefined || await exists(configFile);
  const config = known ? (await loadConfig(configFile)).static : undefined;
  const named = config && Object.keys(config.handlers).length > 0 ? config.handlers : DEFAULT_HANDLERS;
  const folders = await repositoryFolders((named.git ?? {}) as GitConfig, { configFile, home });
  return { home, configFile, config, served: named.git !== undefined, folders };
}
