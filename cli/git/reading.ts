/**
 * `alknet git log`, `show` and `files`: what they ask, and how they print it.
 *
 * @module
 */
import type { ChangeRecord, CommitRecord, FileRecord, RepositoryKeeper } from "@alknet/handlers/git";
import { ExitCode, note, print, printJson } from "../terminal/output.ts";
import { visibleLine } from "../terminal/visible.ts";
import { askTarget, type TargetOptions } from "./target.ts";

/** What of a repository is asked. */
export interface ReadingOptions extends TargetOptions {
  /** Revision. */
  readonly rev?: string;
}

/** Changes and entries that one answer of a node has; here there is no bound. */
const MOST_CHANGES = 1000;
const MOST_ENTRIES = 10_000;
const LETTERS: Readonly<Record<ChangeRecord["change"], string>> = { added: "A", removed: "D", changed: "M" };

/** Prints the commits of a history, the youngest first. */
export async function showLog(
  options: ReadingOptions & { readonly number: number; readonly path?: string },
): Promise<number> {
  const { rev, number: limit, path, json } = options;
  const question = {
    operation: "git/log",
    input: { rev, path, limit },
    local: (keeper: RepositoryKeeper, name: string, signal: AbortSignal) =>
      keeper.log(name, { rev, path, limit }, signal),
  };
  return await askTarget(options, question, ({ commits }) => {
    for (const commit of commits) {
      if (json) printJson({ ...commit });
      else print(summary(commit));
    }
    return ExitCode.DONE;
  });
}

/** Prints one commit, and the paths that it changed. */
export async function showCommit(options: ReadingOptions): Promise<number> {
  const { rev = "HEAD", json } = options;
  const question = {
    operation: "git/commit",
    input: { rev },
    local: (keeper: RepositoryKeeper, name: string, signal: AbortSignal) =>
      keeper.commit(name, { rev, limit: Infinity }, signal),
  };
  return await askTarget(options, question, (answer) => {
    if (json) {
      printJson({ ...answer });
      return ExitCode.DONE;
    }
    const { oid, parents, author: { name, email, at }, message, changes, more } = answer;
    print(`commit ${oid}`);
    if (parents.length > 1) print(`merge  ${parents.map((parent) => parent.slice(0, 12)).join(" ")}`);
    print(`author ${visibleLine(`${name} <${email}>`)}`);
    print(`date   ${visibleLine(at)}`);
    print("");
    for (const line of message.replace(/\n+$/, "").split("\n")) print(`    ${line}`);
    if (changes.length > 0) print("");
    for (const { change, path } of changes) print(`${LETTERS[change]}  ${visibleLine(path)}`);
    if (more) note(`alknet: note: only the first ${MOST_CHANGES} changes; git fetch has all`);
    return ExitCode.DONE;
  });
}

/** Prints the files of a revision. */
export async function showFiles(options: ReadingOptions & { readonly path?: string }): Promise<number> {
  const { rev, path, json } = options;
  const question = {
    operation: "git/tree",
    input: { rev, path, recursive: true },
    local: (keeper: RepositoryKeeper, name: string, signal: AbortSignal) =>
      keeper.files(name, { rev, path, recursive: true, limit: Infinity }, signal),
  };
  return await askTarget(options, question, ({ entries, more }: { entries: FileRecord[]; more: boolean }) => {
    for (const entry of entries) {
      if (json) printJson({ ...entry });
      else print(`${entry.mode}  ${entry.size ?? "-"}  ${visibleLine(entry.path)}`);
    }
    if (more) note(`alknet: note: only the first ${MOST_ENTRIES} files; --path FOLDER shows those of one folder`);
    return ExitCode.DONE;
  });
}

function summary({ oid, author: { name, at }, message }: CommitRecord): string {
  const [subject] = message.split("\n");
  return [oid.slice(0, 12), at.slice(0, 10), name, subject].map(visibleLine).join("  ").trimEnd();
}
