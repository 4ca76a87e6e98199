/**
 * A disk that is soon full.
 *
 * @module
 */
import type { TemporaryFolder } from "./temp.ts";

/** A file system that is mounted. */
export interface SmallDisk extends AsyncDisposable {
  /** Where. */
  readonly path: string;
}

/**
 * Mounts a file system in memory; nothing where none may be mounted.
 *
 * @param size As `mount` takes it: `16m`.
 */
export async function smallDisk(folder: TemporaryFolder, size: string): Promise<SmallDisk | undefined> {
  const path = folder.join("disk");
  await Deno.mkdir(path);
  const run = (program: string, ...args: string[]) =>
    new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output();
  const mounted = await run("mount", "-t", "tmpfs", "-o", `size=${size}`, "none", path).catch(() => undefined);
  if (!mounted?.success) return;
  return { path, [Symbol.asyncDispose]: async () => void await run("umount", path) };
}
