/**
 * Repositories of a size, from a fixed seed, by `git fast-import`.
 *
 * @module
 */
import { git, GIT_ENV } from "../repositories.ts";

/** The shape of a repository. */
export interface Shape {
  /** Folders in its root. */
  readonly folders: number;
  /** Files in each. */
  readonly files: number;
  /** Bytes of a file, about. */
  readonly bytes: number;
  /** Commits that change a file each. */
  readonly commits: number;
}

/** About 50 MB in 50 000 objects: contents that deflate to a half, and a history. */
export const FIFTY_MB: Shape = { folders: 50, files: 600, bytes: 2400, commits: 6500 };
/** 5 000 objects, and 500 000, in folders of the same size. */
export const SMALL: Shape = { folders: 7, files: 700, bytes: 20, commits: 10 };
export const LARGE: Shape = { folders: 700, files: 700, bytes: 20, commits: 10 };

/** Makes a bare repository with one branch, `main`, in one pack. */
export async function makeLarge(bare: string, shape: Shape): Promise<void> {
  await git(".", "init", "-q", "--bare", "--initial-branch=main", bare);
  const child = new Deno.Command("git", {
    args: ["-c", "fastimport.unpackLimit=1", "fast-import", "--quiet"],
    cwd: bare,
    env: GIT_ENV,
    stdin: "piped",
  }).spawn();
  await ReadableStream.from(stream(shape)).pipeTo(child.stdin);
  const { success } = await child.status;
  if (!success) throw new Error("git fast-import failed");
}

function* stream({ folders, files, bytes, commits }: Shape): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  let state = 7;
  const next = (): number => state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  const words = Array.from({ length: 4096 }, () => next().toString(16).slice(0, 6));
  const file = (folder: number, name: number): string => {
    let text = "";
    while (text.length < bytes) text += words[next() >>> 20] + " ";
    return `M 100644 inline d${folder}/f${name}\ndata ${text.length}\n${text}\n`;
  };
  const head = (seconds: number): string =>
    `commit refs/heads/main\ncommitter A <a@example.org> ${seconds} +0000\ndata 1\nx\n`;
  yield encoder.encode(head(1_700_000_000));
  for (let folder = 0; folder < folders; folder++) {
    yield encoder.encode(Array.from({ length: files }, (_, name) => file(folder, name)).join(""));
  }
  for (let i = 0; i < commits; i++) {
    yield encoder.encode(head(1_700_000_001 + i) + file(i % folders, i % files));
  }
}
