/**
 * Maintenance of a folder, step by step, as tests want it.
 *
 * @module
 */
import { GIT_LIMITS } from "../../../../handlers/git/limits.ts";
import { maintain, type Maintained, type MaintainOptions } from "../../../../handlers/git/maintenance/maintain.ts";
import { packCaches } from "../../../../handlers/git/pack/pack_file.ts";
import { FolderRepositories } from "../../../../handlers/git/store/folder/repositories.ts";
import { Pace } from "../../../../handlers/git/walk/pace.ts";

/** One run on a repository. */
export async function maintained(bare: string, options: Omit<MaintainOptions, "pace"> = {}): Promise<Maintained> {
  const folders = { root: "/nowhere", elsewhere: { r: bare } };
  const repositories = new FolderRepositories(folders, packCaches(GIT_LIMITS), GIT_LIMITS.deltaBytes);
  using open = await repositories.openFolder("r");
  return await maintain(open!, { pace: new Pace(new AbortController().signal), ...options });
}

/** Files of a repository's packs that end so. */
export function packFiles(bare: string, ending: string): string[] {
  return [...Deno.readDirSync(`${bare}/objects/pack`)].map(({ name }) => name).filter((name) => name.endsWith(ending))
    .sort();
}
