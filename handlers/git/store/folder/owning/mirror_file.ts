/**
 * `alknet/mirror.json` of a repository: what it follows, and what came of it last (git.md §7).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import Type, { type TSchema } from "typebox";
import { Value } from "typebox/value";
import { writeNew } from "../files.ts";
import { unlessMissing } from "../loose.ts";
import { mirrorFile } from "../repository.ts";
import { isRefName } from "../../../wire/names.ts";
import { parseMirrorUrl } from "./mirror_url.ts";

/** Seconds between two fetches, at least: the node looks once a minute. */
export const LEAST_EVERY = 60;
/** Seconds between two fetches, where nothing is said. */
export const EVERY = 300;
/** What is followed, where nothing is said. */
export const PREFIXES: readonly string[] = ["refs/heads/", "refs/tags/"];
const MOST_PREFIXES = 16;
const WEEK = 7 * 24 * 3600;

const schema = Type.Object({
  url: Type.String({ minLength: 1, maxLength: 2048 }),
  every: Type.Integer({ minimum: LEAST_EVERY, maximum: WEEK }),
  refs: Type.Array(Type.String({ maxLength: 1024 }), { minItems: 1, maxItems: MOST_PREFIXES }),
  last: Type.Optional(
    Type.Object({
      at: Type.Integer({ description: "seconds since 1970" }),
      ok: Type.Boolean(),
      error: Type.Optional(Type.String({ maxLength: 1024 })),
    }, { additionalProperties: false }),
  ),
}, { additionalProperties: false });

/** The schema of {@linkcode Mirror}. */
export const MIRROR: TSchema = schema;

/** What a repository follows. */
export interface Mirror {
  /** Where it is fetched from. */
  readonly url: string;
  /** Seconds between two fetches. */
  readonly every: number;
  /** Beginnings of refs. */
  readonly refs: readonly string[];
  /** What came of the last fetch: when, in seconds since 1970, and why it failed. */
  readonly last?: { readonly at: number; readonly ok: boolean; readonly error?: string };
}

/** What is said of a mirror that begins. */
export interface MirrorWish {
  /** Where it is fetched from: `https://HOST/…` or `alknet://[NODEID@]HOST[:PORT]/NAME`. */
  readonly url: string;
  /** Seconds. Default {@linkcode EVERY}. */
  readonly every?: number;
  /** Beginnings of refs. Default {@linkcode PREFIXES}. */
  readonly refs?: readonly string[];
}

/**
 * A wish as a record.
 *
 * @throws {AlknetError} `INVALID_MIRROR`, which says what is wrong and what is expected.
 */
export function mirrorOf({ url, every = EVERY, refs = PREFIXES }: MirrorWish): Mirror {
  parseMirrorUrl(url);
  if (!Number.isSafeInteger(every) || every < LEAST_EVERY || every > WEEK) {
    throw invalid(`it is fetched every ${LEAST_EVERY} to ${WEEK} seconds, not ${every}`);
  }
  if (refs.length === 0 || refs.length > MOST_PREFIXES) {
    throw invalid(`1 to ${MOST_PREFIXES} beginnings of refs are followed, not ${refs.length}`);
  }
  for (const prefix of refs) {
    // Whole names, or folders of them.
    const name = prefix.endsWith("/") ? `${prefix}x` : prefix;
    if (prefix !== "refs/" && !isRefName(name)) {
      throw invalid(`${JSON.stringify(prefix.slice(0, 200))} begins no ref; write refs/heads/, or refs/heads/main`);
    }
  }
  return { url, every, refs: [...refs] };
}

/**
 * The record of a repository; nothing where it follows no other.
 *
 * @throws {AlknetError} `GIT_CORRUPT`: the file is none.
 */
export function readMirror(folder: string): Mirror | undefined {
  const text = unlessMissing(() => readFileSync(mirrorFile(folder), "utf8"));
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (Value.Check(schema, value)) return value;
  } catch { /* as below */ }
  throw new AlknetError(
    "GIT_CORRUPT",
    `${mirrorFile(folder)} cannot be read; alknet git mirror NAME URL writes it anew`,
  );
}

/** Writes the record, in place of the one that is there. */
export async function writeMirror(folder: string, mirror: Mirror): Promise<void> {
  mkdirSync(`${folder}/alknet`, { recursive: true, mode: 0o700 });
  const temporary = `${mirrorFile(folder)}.${crypto.randomUUID()}`;
  await writeNew(temporary, JSON.stringify(mirror, undefined, 2) + "\n");
  renameSync(temporary, mirrorFile(folder));
}

/** The repository follows nobody any more; its refs stay. */
export function removeMirror(folder: string): void {
  rmSync(mirrorFile(folder), { force: true });
}

function invalid(why: string): AlknetError {
  return new AlknetError("INVALID_MIRROR", why);
}
