/**
 * Changes to a repository's own `config`, which leave everything else in it as it is (git-config, "Syntax").
 *
 * @module
 */
import { existsSync, linkSync, readFileSync, renameSync, unlinkSync } from "node:fs";
import { AlknetError } from "@alknet/core/handler";
import { codeOf, sync, writeNew } from "../files.ts";
import { GitConfig, quotedValue } from "../git_config.ts";
import type { Holder } from "../holder.ts";
import { unlessMissing } from "../loose.ts";

/** Values of keys of one section, all that each is to have: none where it is not to be set. */
export type ConfigValues = Readonly<Record<string, readonly string[]>>;

/**
 * The text of a config whose section without a subsection has these values, and no others of these keys.
 *
 * @throws {AlknetError} `GIT_CORRUPT`: the text is no config.
 */
export function withValues(text: string, section: string, values: ConfigValues): string {
  // What cannot be read is not written anew.
  new GitConfig(text);
  const keys = new Set(Object.keys(values).map((key) => key.toLowerCase()));
  const kept: string[] = [];
  const lines = text === "" ? [] : text.replace(/\n$/, "").split("\n");
  let inside = false;
  let last: number | undefined;
  for (let i = 0; i < lines.length; i++) {
    const whole = [lines[i]];
    // A line that ends in a backslash goes on in the next.
    while (/\\\r?$/.test(lines[i]) && i + 1 < lines.length) whole.push(lines[++i]);
    const [, head = "", name, sub] = /^(\s*\[\s*([A-Za-z0-9.-]+)(\s+"(?:[^"\\]|\\.)*")?\s*\])/.exec(whole[0]) ?? [];
    if (head !== "") inside = name.toLowerCase() === section && sub === undefined;
    const rest = whole[0].slice(head.length);
    const key = /^\s*([A-Za-z][A-Za-z0-9-]*)/.exec(rest)?.[1]?.toLowerCase();
    if (!inside || key === undefined || !keys.has(key)) kept.push(...whole);
    else if (head !== "") kept.push(head);
    if (inside) last = kept.length;
  }
  const added: string[] = [];
  for (const [key, all] of Object.entries(values)) {
    for (const value of all) added.push(`\t${key} = ${quotedValue(value)}`);
  }
  if (added.length > 0 && last === undefined) kept.push(`[${section}]`, ...added);
  else if (last !== undefined) kept.splice(last, 0, ...added);
  return kept.length === 0 ? "" : `${kept.join("\n")}\n`;
}

/**
 * Edits the config of a repository under git's own lock.
 *
 * @throws {AlknetError} `REPOSITORY_BUSY`: somebody else is at it; `GIT_CORRUPT`: it cannot be read.
 */
export async function editConfig(
  folder: string,
  section: string,
  values: ConfigValues,
  holder: Holder,
): Promise<void> {
  const [file, lock, own] = [`${folder}/config`, `${folder}/config.lock`, holder.temporary()];
  const before = (): string => unlessMissing(() => readFileSync(file, "utf8")) ?? "";
  const read = before();
  await writeNew(own, withValues(read, section, values));
  try {
    linkSync(own, lock);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    throw new AlknetError("REPOSITORY_BUSY", "somebody else is changing the settings; try again");
  } finally {
    if (existsSync(own)) unlinkSync(own);
  }
  let done = false;
  try {
    // Changed by whoever had the lock before.
    if (before() !== read) throw new AlknetError("REPOSITORY_BUSY", "the settings have changed meanwhile; try again");
    renameSync(lock, file);
    done = true;
    await sync(folder);
  } finally {
    if (!done) unlessMissing(() => unlinkSync(lock));
  }
}
