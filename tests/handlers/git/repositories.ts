/**
 * Repositories that stock git makes for tests, with fixed names and dates.
 *
 * @module
 */
import { equal } from "node:assert/strict";
import { runProgram } from "../../support/process.ts";

/** What git is told whatever the machine's own configuration says. */
export const GIT_ENV: Readonly<Record<string, string>> = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.org",
  GIT_AUTHOR_DATE: "1700000000 +0000",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.org",
  GIT_COMMITTER_DATE: "1700000000 +0000",
  LC_ALL: "C",
};

/** Runs git in a folder; fails where git does. What it printed, without the last line end. */
export async function git(cwd: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram("git", args, { cwd, env: GIT_ENV });
  equal(code, 0, `git ${args.join(" ")}\n${stderr}`);
  return stdout.replace(/\n$/, "");
}

/** As {@linkcode git}, with input. */
export async function gitWith(
  cwd: string,
  stdin: string | Uint8Array<ArrayBuffer>,
  ...args: string[]
): Promise<string> {
  const { code, stdout, stderr } = await runProgram("git", args, { cwd, env: GIT_ENV, stdin });
  equal(code, 0, `git ${args.join(" ")}\n${stderr}`);
  return stdout.replace(/\n$/, "");
}

/** Commits a file's content in a working copy. */
export async function commit(work: string, name: string, content: string, seconds: number): Promise<void> {
  const folder = name.includes("/") ? `${work}/${name.slice(0, name.lastIndexOf("/"))}` : work;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${work}/${name}`, content);
  await git(work, "add", "--all");
  const date = `${seconds} +0000`;
  const env = { ...GIT_ENV, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
  const { code, stderr } = await runProgram("git", ["commit", "-q", "-m", `change ${name}`], { cwd: work, env });
  equal(code, 0, stderr);
}

/** A text of lines that differ little from one number to the next, so that git makes deltas of it. */
export function lines(number: number): string {
  return Array.from({ length: 200 }, (_, i) => `line ${i} of many${i === number % 200 ? `, changed by ${number}` : ""}`)
    .join("\n") + "\n";
}

/**
 * A working copy at `work` and the bare repository `bare` that it pushes to: branches, a merge, an executable, a link,
 * names with spaces and beyond ASCII, annotated, nested and light tags, tags of a tree and of a blob; packed with deltas,
 * and loose objects on top.
 */
export async function makeRepository(work: string, bare: string): Promise<void> {
  await git(".", "init", "-q", "--bare", "--initial-branch=main", bare);
  await git(".", "init", "-q", "--initial-branch=main", work);
  for (let i = 0; i < 8; i++) await commit(work, `a folder/träume ${i % 3}.txt`, lines(i), 1_700_000_000 + i);
  await git(work, "tag", "-a", "v1", "-m", "first");
  await git(work, "tag", "-a", "nested", "-m", "of a tag", "v1");
  await git(work, "tag", "light");
  await git(work, "checkout", "-q", "-b", "side/日本");
  await Deno.symlink("a folder", `${work}/link`);
  await commit(work, "run.sh", "#!/bin/sh\n", 1_700_000_020);
  await Deno.chmod(`${work}/run.sh`, 0o755);
  await commit(work, "side", "side\n", 1_700_000_021);
  await git(work, "checkout", "-q", "main");
  // A clock that was wrong: younger commits have older dates.
  await commit(work, "main", "main\n", 1_600_000_000);
  await git(work, "merge", "-q", "--no-edit", "side/日本");
  await git(work, "tag", "-a", "of-tree", "-m", "tree", "HEAD^{tree}");
  await git(work, "tag", "of-blob", "HEAD:main");
  await git(work, "push", "-q", bare, "--all");
  await git(work, "push", "-q", bare, "--tags");
  await git(bare, "repack", "-a", "-d", "-f", "-q", "--depth=20", "--window=20");
  await git(bare, "pack-refs", "--all");
  await commit(work, "loose/file", lines(50), 1_700_000_100);
  await git(work, "push", "-q", bare, "main");
}

/** All that refs reach, and the refs, to compare two repositories. */
export async function contentsOf(repository: string): Promise<{ objects: string[]; refs: string }> {
  const objects = (await git(repository, "rev-list", "--objects", "--all")).split("\n");
  return {
    objects: objects.map((line) => line.slice(0, 40)).filter((oid) => oid !== "").sort(),
    refs: await git(repository, "for-each-ref"),
  };
}
