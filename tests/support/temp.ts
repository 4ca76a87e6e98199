/**
 * Folders that are gone when the test is.
 *
 * @module
 */
import { join } from "node:path";

/** A folder that disposal removes with all it holds. */
export interface TemporaryFolder extends AsyncDisposable {
  /** Its absolute path. */
  readonly path: string;
  /** The path of something in it. */
  join(...parts: string[]): string;
  /** Writes a file in it and returns its path. Mode 0600 unless told otherwise. */
  write(name: string, content: string | Uint8Array, options?: { mode?: number }): Promise<string>;
}

/** Makes one. Hold it with `await using`. */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await Deno.makeTempDir({ prefix: "alknet-test-" });
  return {
    path,
    join: (...parts) => join(path, ...parts),
    async write(name, content, { mode = 0o600 } = {}) {
      const file = join(path, name);
      if (typeof content === "string") await Deno.writeTextFile(file, content, { mode });
      else await Deno.writeFile(file, content, { mode });
      return file;
    },
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}
