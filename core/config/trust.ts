/**
 * Whether a file that decides who may do what is its owner's alone to write: the rule of sshd's StrictModes.
 *
 * @module
 */
import { dirname } from "node:path";
import { AlknetError } from "../errors.ts";

const GROUP_WRITES = 0o020;
const OTHERS_WRITE = 0o002;
/** In a folder with this bit only the owner of a file replaces it: `/tmp`. */
const STICKY = 0o1000;
const ROOT = 0;

/**
 * Checks that nobody but this user and root may change a file, or put another one in its place: itself and all folders
 * above it, and those of what a link there leads to. A group may write if it is the one that this process runs as.
 *
 * @param what What the file is, for messages: `config`.
 * @throws {AlknetError} `CONFIG_PERMISSIONS`: who else may, and the command that mends it.
 * @throws {Deno.errors.NotFound} There is no such file.
 */
export async function assertTrusted(path: string, what: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  const real = await Deno.realPath(path);
  for (const place of new Set([real, ...above(path), ...above(real)])) {
    const fault = faultOf(await Deno.stat(place), place === real);
    if (fault === undefined) continue;
    const where = place === real ? "it" : `folder ${place}`;
    throw new AlknetError(
      "CONFIG_PERMISSIONS",
      `${what} ${path} is not used: ${where} ${fault.why}, who could give themselves any right; run: ${fault.mend} ${place}`,
    );
  }
}

function faultOf({ uid, gid, mode }: Deno.FileInfo, isFile: boolean): { why: string; mend: string } | undefined {
  if (uid === null || mode === null) return undefined;
  const own = Deno.uid()!;
  if (uid !== own && uid !== ROOT) return { why: `belongs to another user (uid ${uid})`, mend: `chown ${own}` };
  if (!isFile && (mode & STICKY) !== 0) return undefined;
  const octal = (mode & 0o7777).toString(8).padStart(4, "0");
  if ((mode & OTHERS_WRITE) !== 0) return { why: `may be written by everyone (mode ${octal})`, mend: "chmod go-w" };
  if ((mode & GROUP_WRITES) !== 0 && gid !== Deno.gid()) {
    return { why: `may be written by the group ${gid} (mode ${octal})`, mend: "chmod g-w" };
  }
}

/** The folders above a path. */
function above(path: string): string[] {
  const folder = dirname(path);
  return folder === path ? [] : [folder, ...above(folder)];
}
