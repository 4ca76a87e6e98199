/**
 * Histories of every shape, from a seed, and what is sent of them.
 *
 * @module
 */
import type { Random } from "../../support/random.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { git, gitWith } from "./repositories.ts";

/**
 * A stream for `git fast-import`: commits with up to three parents and dates of any order, on few files with few contents,
 * so that trees come back again and again. Each commit has a branch `c<number>`.
 */
export function history(random: Random, commits: number): string {
  const parts: string[] = [];
  for (let i = 1; i <= commits; i++) {
    const date = 1_700_000_000 + (random.below(4) === 0 ? -random.below(1_000_000) : i * 60);
    parts.push(`commit refs/heads/c${i}\nmark :${i}\ncommitter A <a@example.org> ${date} +0000\ndata 1\nx`);
    // Two roots at least, and octopuses.
    const parents = i === 1 || random.below(20) === 0 ? 0 : random.between(1, 3);
    const chosen = new Set(Array.from({ length: parents }, () => Math.max(1, i - 1 - random.below(6))));
    let first = true;
    for (const parent of chosen) {
      if (parent === i) continue;
      parts.push(`${first ? "from" : "merge"} :${parent}`);
      first = false;
    }
    for (let change = random.between(1, 4); change > 0; change--) {
      const path = `d${random.below(2)}/e${random.below(2)}/f${random.below(3)}`;
      parts.push(random.below(4) === 0 ? `D ${path}` : `M 100644 inline ${path}\ndata 1\n${random.below(3)}`);
    }
  }
  return parts.join("\n") + "\n";
}

/** All that some objects reach, as git sees it; of commits after `^` nothing. */
export async function closure(bare: string, oids: readonly string[], ...args: string[]): Promise<Set<string>> {
  const text = await gitWith(bare, oids.join("\n") + "\n", "rev-list", "--objects", ...args, "--stdin");
  return new Set(text.split("\n").map((line) => line.slice(0, 40)).filter((oid) => oid !== ""));
}

/** The objects of a pack, each as often as it is there. */
export async function objectsOf(folder: string, pack: Uint8Array<ArrayBuffer>): Promise<string[]> {
  await using into = await temporaryFolder();
  await git(folder, "index-pack", "-o", into.join("p.idx"), await into.write("p.pack", pack));
  const shown = await gitWith(folder, await Deno.readFile(into.join("p.idx")), "show-index");
  return shown.split("\n").map((line) => line.split(" ")[1]).filter((oid) => oid !== undefined);
}
