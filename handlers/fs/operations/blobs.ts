/**
 * `blobs/…`: what a store has of blobs, and what keeps them (fs.md §8).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { type HandlerRegistration, operation, provide } from "@alknet/core/operations";
import Type from "typebox";
import type { BlobStatus, Tag, TagPage } from "../blobs/blob_store.ts";
import { notFound } from "../errors.ts";
import { mayRead } from "../rights.ts";
import type { TreeFs } from "../store.ts";
import { callError, closed, ERRORS as errors, hash, known, next, page, paged, told, whole } from "./declaring.ts";

const admins = { anyScope: ["blobs:admin", "admin"] };
const writers = { anyScope: ["blobs:write", "blobs:admin", "admin"] };
const text = Type.String({ minLength: 1, maxLength: 1024, pattern: "^[^\\u0000]*$" });
const format = Type.Enum(["raw", "hashSeq"]);
const expires = Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 40, description: "Unix seconds" }));
const statusShape = Type.Object({
  hash,
  state: Type.Enum(["absent", "partial", "complete"]),
  size: Type.Optional(whole),
  have: Type.Array(Type.String(), { description: "rising boundaries of chunks; an odd number is open at the end" }),
}, closed);
const tagShape = Type.Object({
  name: Type.String(),
  hash,
  format,
  owner: Type.Optional(Type.String()),
  expires,
}, closed);

const status = operation({
  name: "blobs/status",
  type: "query",
  description: "What is there of a blob that the caller may read.",
  input: Type.Object({ hash }, closed),
  output: statusShape,
  errors,
});
const list = operation({
  name: "blobs/list",
  type: "query",
  description: "The blobs of the store, by their hashes.",
  input: Type.Object({ ...page, after: Type.Optional(hash) }, closed),
  output: Type.Object({ blobs: Type.Array(statusShape), next }, closed),
  errors,
  access: admins,
});
const tag = operation({
  name: "blobs/tag",
  type: "mutation",
  description: "Keeps a blob under a name.",
  input: Type.Object({ name: text, hash, format, expires }, closed),
  output: tagShape,
  errors,
  access: writers,
});
const untag = operation({
  name: "blobs/untag",
  type: "mutation",
  description: "Takes a name away; a blob that nothing else keeps goes some minutes later.",
  input: Type.Object({ name: text }, closed),
  output: tagShape,
  errors,
  access: writers,
});
const tags = operation({
  name: "blobs/tags",
  type: "query",
  description: "The names that keep blobs.",
  input: Type.Object({ ...page }, closed),
  output: Type.Object({ tags: Type.Array(tagShape), next }, closed),
  errors,
  access: writers,
});
const verify = operation({
  name: "blobs/verify",
  type: "subscription",
  description: "Hashes what is stored, of one blob or of all, and says what is wrong.",
  input: Type.Object({ hash: Type.Optional(hash) }, closed),
  output: Type.Object({
    hash,
    done: whole,
    size: whole,
    fault: Type.Optional(Type.Enum(["missing", "data", "outboard", "reference"])),
  }, closed),
  errors,
  access: admins,
});
const collect = operation({
  name: "blobs/collect",
  type: "mutation",
  description: "Takes the blobs away that nothing keeps.",
  input: Type.Object({ full: Type.Optional(Type.Boolean()), dryRun: Type.Optional(Type.Boolean()) }, closed),
  output: Type.Object({ blobs: whole, bytes: whole }, closed),
  errors,
  access: admins,
});

/** The operations on blobs. */
export function blobOperations({ blobs, grants, tree }: TreeFs, publicBlobs: boolean): HandlerRegistration[] {
  return [
    provide(status, ({ hash }, { identity }) =>
      told(async () => {
        if (!await mayRead(hash, { identity }, { grants, tree, publicBlobs })) {
          throw notFound(hash, "it is not for you");
        }
        return shown(await blobs.status(hash));
      })),
    provide(list, ({ after, limit }) =>
      told(async () => {
        const found = await some(blobs.list(after), limit);
        return paged("blobs", found.map(shown), limit, ({ hash }) => hash);
      })),
    provide(tag, ({ name, hash, format, expires }, { identity }) =>
      told(async () => {
        const owner = known(identity).id;
        const until = expires === undefined ? undefined : new Date(expires * 1000);
        await blobs.setTag(name, { hash, format }, { owner, expires: until });
        return shownTag({ name, hash, format, owner, expires: until });
      })),
    provide(untag, ({ name }) =>
      told(async () => {
        // The first of those that do not come before it, nearly.
        const before: TagPage = { after: predecessor(name) };
        let there: Tag | undefined;
        for await (const one of blobs.tags(before)) {
          if (one.name === name) there = one;
          if (one.name >= name) break;
        }
        if (!there || !await blobs.dropTag(name)) {
          throw new AlknetError("TAG_NOT_FOUND", `no blob is tagged ${JSON.stringify(name)}`);
        }
        return shownTag(there);
      })),
    provide(tags, ({ after, limit }) =>
      told(async () => {
        const found = await some(blobs.tags({ after }), limit);
        return paged("tags", found.map(shownTag), limit, ({ name }) => name);
      })),
    provide(verify, async function* ({ hash }, { signal }) {
      try {
        for await (const step of blobs.verify(hash)) {
          if (signal.aborted) return;
          yield { ...step };
        }
      } catch (error) {
        throw callError(error);
      }
    }),
    provide(collect, (options) => told(async () => ({ ...await blobs.collect(options) }))),
  ];
}

function shown({ hash, state, size, have }: BlobStatus) {
  return { hash, state, ...size !== undefined && { size }, have: have.map(String) };
}

function shownTag({ name, hash, format, owner, expires }: Tag) {
  return {
    name,
    hash,
    format,
    ...owner !== undefined && { owner },
    ...expires && { expires: Math.floor(expires.getTime() / 1000) },
  };
}

async function some<T>(items: AsyncIterable<T>, limit = 1000): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) if (found.push(item) === limit) break;
  return found;
}

/** A text that comes before another, and after nearly all others that do. */
function predecessor(name: string): string {
  const points = [...name];
  const last = points.pop()!.codePointAt(0)!;
  const isAfterHalves = last === 0xe000;
  return `${points.join("")}${String.fromCodePoint(isAfterHalves ? 0xd7ff : last - 1)}\u{10ffff}`;
}
