/**
 * Commits as people read them: who, when, and what they say.
 *
 * @module
 */
import { corrupt, missing } from "../errors.ts";
import type { Oid } from "../objects/oid.ts";
import type { ObjectReader } from "../store/types.ts";

/** Who made a commit. */
export interface Person {
  /** Name; empty where there is none. */
  readonly name: string;
  /** Address of mail. */
  readonly email: string;
  /** When, RFC 3339, in the zone that was written. */
  readonly at: string;
}

/** A commit. */
export interface CommitRecord {
  /** Its id. */
  readonly oid: Oid;
  /** Its tree. */
  readonly tree: Oid;
  /** Its parents, in order. */
  readonly parents: readonly Oid[];
  /** Who wrote it. */
  readonly author: Person;
  /** Who committed it. */
  readonly committer: Person;
  /** What it says; what is not UTF-8 is U+FFFD. */
  readonly message: string;
}

/** Bytes of a commit that is shown; a longer one is no commit that people read. */
const MOST = 16 * 1024 * 1024;
const text = new TextDecoder();

/**
 * Reads a commit.
 *
 * @throws {AlknetError} `GIT_OBJECT_MISSING`, `GIT_CORRUPT`, `OBJECT_TOO_LARGE`.
 */
export async function commitRecord(oid: Oid, objects: ObjectReader): Promise<CommitRecord> {
  const object = await objects.read(oid, MOST);
  if (!object) throw missing(oid);
  if (object.kind !== "commit") throw corrupt(`object ${oid} is a ${object.kind}, and a commit is expected`);
  const whole = text.decode(object.bytes);
  const end = whole.indexOf("\n\n");
  const header = whole.slice(0, end < 0 ? whole.length : end);
  const fields = new Map<string, string[]>();
  for (const line of header.split("\n")) {
    const [, key, value] = /^([a-z]+) (.*)$/s.exec(line) ?? [];
    if (key !== undefined) fields.set(key, [...fields.get(key) ?? [], value]);
  }
  return {
    oid,
    tree: fields.get("tree")?.[0] ?? "",
    parents: fields.get("parent") ?? [],
    author: personOf(fields.get("author")?.[0] ?? ""),
    committer: personOf(fields.get("committer")?.[0] ?? ""),
    message: end < 0 ? "" : whole.slice(end + 2),
  };
}

function personOf(line: string): Person {
  const [, name = "", email = "", seconds = "0", sign = "+", hours = "00", minutes = "00"] =
    /^(.*?) ?<([^>]*)>(?: (\d{1,12}) ([+-])(\d\d)(\d\d))?/s.exec(line) ?? [];
  return { name, email, at: dateOf(Number(seconds), sign, hours, minutes) };
}

function dateOf(seconds: number, sign: string, hours: string, minutes: string): string {
  const offset = (sign === "-" ? -60 : 60) * (Number(hours) * 60 + Number(minutes));
  const local = new Date((seconds + offset) * 1000);
  // What no calendar has, is shown as the beginning of all.
  if (Number.isNaN(local.getTime()) || local.getUTCFullYear() > 9999 || Number(hours) > 23 || Number(minutes) > 59) {
    return "1970-01-01T00:00:00+00:00";
  }
  return `${local.toISOString().slice(0, 19)}${sign}${hours}:${minutes}`;
}
