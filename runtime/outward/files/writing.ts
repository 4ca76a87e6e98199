/**
 * Writing a file whole: beside its place, then in its place in one step, so that no reader sees half of it.
 *
 * @module
 */
import { fsError } from "./paths.ts";

/**
 * Puts bytes in place of a file, or where none is.
 *
 * @param path By way of the handle of its directory: the last name is never followed if it is a link.
 * @param directory The handle's own path.
 * @param making Called before something is made that was not there; what it throws prevents it.
 * @throws {AlknetError} `FS_REFUSED`: what is there is no regular file.
 */
export async function replaceFile(
  path: string,
  directory: string,
  bytes: Uint8Array,
  making: () => void,
): Promise<void> {
  const before = await Deno.lstat(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (before && !before.isFile) throw fsError("FS_REFUSED", "it is no regular file");
  if (!before) making();
  const beside = `${directory}/.alknet-${crypto.randomUUID()}`;
  const file = await Deno.open(beside, { write: true, createNew: true, mode: (before?.mode ?? 0o666) & 0o777 });
  try {
    try {
      for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
      await file.syncData();
    } finally {
      file.close();
    }
    await Deno.rename(beside, path);
  } catch (error) {
    await Deno.remove(beside).catch(() => {});
    throw error;
  }
}
