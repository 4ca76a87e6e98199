/**
 * Pushes that say exactly what a test wants said.
 *
 * @module
 */
import type { Identity } from "@alknet/core/handler";
import type { GitLimits } from "../../../../handlers/git/mod.ts";
import { FLUSH, pktLine, PktReader } from "../../../../handlers/git/wire/pkt_line.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { answers, type GitNode, gitNode, joined, requestLine, textOf } from "../client.ts";
import { bytesOf, oidOf, type PackEntry } from "../packs.ts";
import { git } from "../repositories.ts";

/** No object. */
export const ZERO = "0".repeat(40);
/** Whoever may write everything. */
export const WRITER: Identity = { id: "writer", scopes: ["git:write"], resources: {} };
/** What a client can do, where a test says nothing else. */
export const CAPABILITIES = "report-status side-band-64k object-format=sha1 agent=test";

/** A request to move refs: each `OLD NEW NAME`, with capabilities after the first. */
export function commands(capabilities: string, ...updates: readonly string[]): Uint8Array<ArrayBuffer> {
  const parts = updates.map((update, i) => pktLine(bytesOf(i === 0 ? `${update}\0 ${capabilities}` : update)));
  return joined([...parts, FLUSH]);
}

/** What a push came to: bands apart. */
export interface Result {
  readonly report: string[];
  readonly progress: string;
  readonly lines: string[];
}

/** Pushes over a stream, and reads the report in its side band. */
export async function push(node: GitNode, request: Uint8Array, pack: Uint8Array = new Uint8Array()): Promise<Result> {
  const sent = joined([requestLine("/r", 0, "git-receive-pack"), request, pack]);
  const packets = await answers(node, sent, WRITER);
  const rest = packets.slice(packets.indexOf("flush") + 1);
  const band = (number: number) =>
    joined(
      rest.filter((part) => typeof part !== "string" && part[0] === number).map((part) =>
        (part as Uint8Array).subarray(1)
      ),
    );
  const inner = new PktReader(ReadableStream.from([band(1)]));
  const report: string[] = [];
  for (let packet = await inner.next(); packet !== undefined; packet = await inner.next()) {
    report.push(...textOf([packet]));
  }
  return { report, progress: new TextDecoder().decode(band(2)), lines: textOf(rest) };
}

/** Everything in a folder, to see that it is unchanged. */
export async function filesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory && name !== "alknet") found.push(...await filesOf(path));
    else if (!isDirectory) found.push(`${path} ${(await Deno.stat(path)).size}`);
  }
  return found.sort();
}

/** A node with one empty repository `r`. */
export async function world(limits: Partial<GitLimits> = {}) {
  const folder = await temporaryFolder();
  const bare = folder.join("r.git");
  await git(".", "init", "-q", "--bare", "--initial-branch=main", bare);
  const node = gitNode({ root: folder.path, limits });
  return { folder, bare, node, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

/** The content of a file. */
export const BLOB = bytesOf("content\n");
/** A tree. */
export const treeOf = (...entries: readonly [mode: string, name: string, oid: string][]) =>
  joined(entries.map(([mode, name, oid]) => joined([bytesOf(`${mode} ${name}\0`), Uint8Array.fromHex(oid)])));
const WHO = "A <a@example.org> 1700000000 +0000";
/** A commit. */
export const commitOf = (tree: string, ...parents: readonly string[]) =>
  bytesOf(
    `tree ${tree}\n${parents.map((parent) => `parent ${parent}\n`).join("")}author ${WHO}\ncommitter ${WHO}\n\nx\n`,
  );
/** A tree with one file. */
export const TREE = treeOf(["100644", "f", oidOf("blob", BLOB)]);
/** Its commit, without parents. */
export const COMMIT = commitOf(oidOf("tree", TREE));
/** That commit. */
export const HEAD = oidOf("commit", COMMIT);
/** A pack of all three. */
export const ENTRIES: PackEntry[] = [{ type: 1, data: COMMIT }, { type: 2, data: TREE }, { type: 3, data: BLOB }];
/** A request to make `main` of it. */
export const CREATE = commands(CAPABILITIES, `${ZERO} ${HEAD} refs/heads/main`);
