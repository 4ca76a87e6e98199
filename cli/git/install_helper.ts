/**
 * `git-remote-alknet`, which git looks for on the search path when a URL begins with `alknet://` (gitremote-helpers).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { delimiter, join } from "node:path";

const NAME = "git-remote-alknet";
/** Says whose script it is. */
const MARK = "# alknet: the remote helper of git";

/** What became of it. */
export interface Installed {
  /** The script. */
  readonly file: string;
  /** Whether git finds it. */
  readonly onPath: boolean;
}

/**
 * Writes the script, over one of ours and no other.
 *
 * @param folder Default: `~/.local/bin`.
 * @throws {AlknetError} `FILE_EXISTS`: a file of that name is somebody else's; `FILE_UNWRITABLE`; `NO_HOME`.
 */
export async function installHelper(folder: string | undefined): Promise<Installed> {
  const into = folder ?? homeBin();
  const file = join(into, NAME);
  const there = await Deno.readTextFile(file).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw unwritable(file, error);
  });
  if (there !== undefined && !there.includes(MARK)) {
    throw new AlknetError(
      "FILE_EXISTS",
      `${file} is there and is not Alknet's; nothing was changed. Choose with --dir`,
    );
  }
  const next = `${file}.${crypto.randomUUID()}`;
  try {
    await Deno.mkdir(into, { recursive: true });
    await Deno.writeTextFile(next, script(), { mode: 0o755, createNew: true });
    await Deno.rename(next, file);
  } catch (error) {
    throw unwritable(file, error);
  }
  const path = (Deno.env.get("PATH") ?? "").split(delimiter);
  return { file, onPath: path.includes(into) };
}

/** Runs the program that runs now. */
function script(): string {
  const program = Deno.build.standalone ? [] : ["run", "-A", "--quiet", new URL("../main.ts", import.meta.url).href];
  const words = [Deno.execPath(), ...program].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  return `#!/bin/sh\n${MARK}\nexec ${words.join(" ")} git remote-helper "$@"\n`;
}

function homeBin(): string {
  const home = Deno.env.get("HOME");
  if (!home) throw new AlknetError("NO_HOME", "$HOME is not set; say where with --dir DIR");
  return join(home, ".local", "bin");
}

function unwritable(file: string, cause: unknown): AlknetError {
  return new AlknetError("FILE_UNWRITABLE", `cannot write ${file}: ${(cause as Error).message}`, { cause });
}
