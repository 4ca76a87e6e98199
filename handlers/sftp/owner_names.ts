/**
 * Names of the node's users and groups, as its own files have them.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import type { OwnerNames } from "./engine/owners.ts";

/** Reads `/etc/passwd` and `/etc/group`. What cannot be read has no names in it. */
export async function localOwnerNames(): Promise<OwnerNames> {
  const [users, groups] = await Promise.all([namesIn("/etc/passwd"), namesIn("/etc/group")]);
  return { users, groups };
}

/** Lines of `name:password:number:…`; the first name of a number counts. */
async function namesIn(file: string): Promise<Map<number, string>> {
  const text = await readFile(file, "utf8").catch(() => "");
  const names = new Map<number, string>();
  for (const line of text.split("\n")) {
    const [name, , id] = line.split(":");
    if (/^\d+$/.test(id ?? "") && !names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}
