/**
 * Several files of one folder changed at once: a crash, at any byte, leaves all of the old files or all of the new ones.
 *
 * Each new file is written beside its place (`.NAME.new`) and synced. Then a journal with the renames that are left to
 * do gets its name, `vault.journal`: from this moment the change is made, and whoever comes next finishes it. Before it,
 * nothing has happened, and what lies beside is rubbish. One new file alone needs no journal: its rename is the moment.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { reason } from "@alknet/core/private-file";
import { join } from "node:path";
import { exists } from "./home.ts";
import { type Disk, realDisk } from "./disk.ts";

const JOURNAL = "vault.journal";
const STAGED = /^\.(?:vault\.json|vault\.key|credentials\.json|config\.json|node\.key|vault\.journal)\.new$/;
/** Names that a journal may speak of: files of the same folder. */
const PLAIN_NAME = /^[\w.-]+$/;

/** What is to change in a folder. Names are those of files in it. */
export interface Changes {
  /** Files that are moved aside under another name, which is free; before all else. Old name to new name. */
  readonly aside?: Readonly<Record<string, string>>;
  /** Files that are made or replaced, with their new content. */
  readonly write?: Readonly<Record<string, string>>;
  /** Files that go. */
  readonly remove?: readonly string[];
}

/** One thing that is left to do; each may be done twice without harm. */
type Step =
  /** Only while `to` is free: done twice, it would move the new file. */
  | { readonly do: "aside"; readonly from: string; readonly to: string }
  /** Only while `from` is there. */
  | { readonly do: "place"; readonly from: string; readonly to: string }
  | { readonly do: "remove"; readonly from: string };

/**
 * Changes files of a folder, all or none. The caller has the turn to write.
 *
 * @param disk Default: that of the machine.
 * @throws {AlknetError} `VAULT_WRITE`: nothing has changed, or everything will have at the next use, as the message says.
 */
export async function commit(folder: string, changes: Changes, disk: Disk = realDisk): Promise<void> {
  const steps = stepsOf(changes);
  const staged: string[] = [];
  try {
    await tidy(folder, disk);
    for (const [name, content] of Object.entries(changes.write ?? {})) {
      staged.push(stagedName(name));
      await writeWhole(join(folder, stagedName(name)), content, disk);
    }
    if (steps.length > 1) {
      await disk.syncFolder(folder);
      staged.push(stagedName(JOURNAL));
      await writeWhole(join(folder, stagedName(JOURNAL)), JSON.stringify({ version: 1, steps }), disk);
      await disk.rename(join(folder, stagedName(JOURNAL)), join(folder, JOURNAL));
      staged.length = 0;
    }
  } catch (error) {
    for (const name of staged) await disk.remove(join(folder, name)).catch(() => {});
    throw new AlknetError("VAULT_WRITE", `cannot write to ${folder}: ${reason(error)}; nothing was changed`, {
      cause: error,
    });
  }
  await finish(folder, steps, staged, disk);
}

/** Whether a change was made and not finished. */
export async function isUnfinished(folder: string): Promise<boolean> {
  return await exists(join(folder, JOURNAL));
}

/**
 * Finishes a change that was made and not finished, if there is one. The caller has the turn to write.
 *
 * @throws {AlknetError} `VAULT_WRITE`; `VAULT_JOURNAL` when the journal is not one of ours.
 */
export async function recover(folder: string, disk: Disk = realDisk): Promise<void> {
  const path = join(folder, JOURNAL);
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw new AlknetError("VAULT_JOURNAL", `cannot read ${path}: ${reason(error)}`, { cause: error });
  }
  await finish(folder, parseJournal(text, path), [], disk);
}

/** A name for a file that is moved aside: free, and saying when. */
export async function asideName(folder: string, name: string, now = new Date()): Promise<string> {
  const stamp = now.toISOString().replace(/[-:]|\.\d+/g, "");
  for (let n = 0;; n++) {
    const candidate = `${name}.${stamp}${n === 0 ? "" : `-${n}`}.old`;
    if (!await exists(join(folder, candidate))) return candidate;
  }
}

function stepsOf({ aside = {}, write = {}, remove = [] }: Changes): Step[] {
  return [
    ...Object.entries(aside).map(([from, to]): Step => ({ do: "aside", from, to })),
    ...Object.keys(write).map((to): Step => ({ do: "place", from: stagedName(to), to })),
    ...remove.map((from): Step => ({ do: "remove", from })),
  ];
}

async function finish(folder: string, steps: readonly Step[], staged: readonly string[], disk: Disk): Promise<void> {
  try {
    // Names may come to the disk in any order but for a sync: the journal before its steps, what goes aside before what
    // takes its place.
    if (steps.length > 1) await disk.syncFolder(folder);
    for (const [i, step] of steps.entries()) {
      if (step.do !== "aside" && steps[i - 1]?.do === "aside") await disk.syncFolder(folder);
      await perform(folder, step, disk);
    }
    await disk.syncFolder(folder);
    if (steps.length > 1) {
      await disk.remove(join(folder, JOURNAL));
      await disk.syncFolder(folder);
    }
  } catch (error) {
    for (const name of staged) await disk.remove(join(folder, name)).catch(() => {});
    const after = steps.length > 1 ? "; the change is kept and will be finished at the next use of the vault" : "";
    throw new AlknetError("VAULT_WRITE", `cannot write to ${folder}: ${reason(error)}${after}`, { cause: error });
  }
}

async function perform(folder: string, step: Step, disk: Disk): Promise<void> {
  const from = join(folder, step.from);
  switch (step.do) {
    case "aside":
      if (await exists(from) && !await exists(join(folder, step.to))) await disk.rename(from, join(folder, step.to));
      break;
    case "place":
      if (await exists(from)) await disk.rename(from, join(folder, step.to));
      break;
    case "remove":
      if (await exists(from)) await disk.remove(from);
      break;
  }
}

/** Removes what changes that were never made have left: it may hold a key. */
async function tidy(folder: string, disk: Disk): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) if (STAGED.test(name)) await disk.remove(join(folder, name));
}

async function writeWhole(path: string, content: string, disk: Disk): Promise<void> {
  const file = await disk.makeFile(path);
  try {
    for (let rest = new TextEncoder().encode(content); rest.byteLength > 0;) {
      rest = rest.subarray(await file.write(rest));
    }
    await file.sync();
  } finally {
    file.close();
  }
}

function parseJournal(text: string, path: string): Step[] {
  try {
    const { version, steps } = JSON.parse(text);
    if (version === 1 && Array.isArray(steps) && steps.every(isStep)) return steps;
  } catch { /* not JSON */ }
  throw new AlknetError(
    "VAULT_JOURNAL",
    `${path} is not a journal that this version of alknet can finish; nothing was changed. Use the version that wrote it`,
  );
}

function isStep(step: unknown): step is Step {
  if (typeof step !== "object" || step === null) return false;
  const { do: what, from, to } = step as Record<string, unknown>;
  if (!isPlainName(from)) return false;
  return what === "remove" || ((what === "aside" || what === "place") && isPlainName(to));
}

function isPlainName(name: unknown): boolean {
  return typeof name === "string" && PLAIN_NAME.test(name) && name !== "." && name !== "..";
}

function stagedName(name: string): string {
  return `.${name}.new`;
}
