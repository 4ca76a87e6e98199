/**
 * What was typed at the prompt, kept from one session to the next in the home folder, for its owner alone.
 *
 * @module
 */
import { join } from "node:path";

const MOST_LINES = 1000;
const MOST_LENGTH = 10_000;

/** Lines, the youngest first, as a prompt wants them. */
export interface History {
  /** The lines. */
  readonly lines: string[];
  /** Keeps them. A line that begins with a space is not kept. */
  save(lines: readonly string[]): void;
}

/** The history of a home folder; where there is none, nothing is kept. */
export function openHistory(folder: string): History {
  const file = join(folder, "repl_history");
  return {
    lines: read(file),
    save(lines) {
      const kept = lines.filter((line) => line.trim() !== "" && !line.startsWith(" ") && line.length <= MOST_LENGTH);
      if (kept.length === 0) return;
      const beside = `${file}.${crypto.randomUUID()}.tmp`;
      try {
        const text = kept.slice(0, MOST_LINES).toReversed().map((line) => line.replaceAll("\n", " ") + "\n").join("");
        Deno.writeTextFileSync(beside, text, { createNew: true, mode: 0o600 });
        Deno.renameSync(beside, file);
      } catch {
        // No home folder, or none of ours: a prompt works without.
      }
    },
  };
}

function read(file: string): string[] {
  try {
    return Deno.readTextFileSync(file).split("\n").filter((line) => line !== "").slice(-MOST_LINES).toReversed();
  } catch {
    return [];
  }
}
