/**
 * `git/create`, `git/settings`, `git/remove`, `git/maintain` and `git/stats`: what owners do.
 *
 * @module
 */
import { CallError, type HandlerRegistration, operation, provide } from "@alknet/core/operations";
import Type from "typebox";
import { mayCreate } from "../serve/policy.ts";
import { createRepository } from "../store/folder/create.ts";
import type { OwnedSettings } from "../store/folder/owning/settings.ts";
import { asked, type OperationParts, withRight } from "./asking.ts";
import { CLOSED, OWNING_ERRORS, REPO, SETTING_CHANGES, SETTINGS, STATS } from "./schemas.ts";

const create = operation({
  name: "git/create",
  type: "mutation",
  description: "Makes an empty repository, which is the caller's.",
  input: Type.Object({
    repo: REPO,
    description: Type.Optional(Type.String({ maxLength: 1024, pattern: "^[^\\x00-\\x1f\\x7f-\\x9f]*$" })),
    public: Type.Optional(Type.Boolean({ description: "whether whoever is known may read it" })),
    head: Type.Optional(Type.String({ maxLength: 1000, description: "its first branch; default main" })),
  }, CLOSED),
  output: Type.Object({ name: Type.String(), urls: Type.Array(Type.String()) }, CLOSED),
  errors: OWNING_ERRORS,
});
const settings = operation({
  name: "git/settings",
  type: "mutation",
  description: "The settings of a repository, after those that are given have been changed.",
  input: Type.Object({ repo: REPO, set: Type.Optional(SETTING_CHANGES) }, CLOSED),
  output: SETTINGS,
  errors: OWNING_ERRORS,
});
const remove = operation({
  name: "git/remove",
  type: "mutation",
  description: "Removes a repository; its folder is kept for 14 days.",
  input: Type.Object({ repo: REPO }, CLOSED),
  output: Type.Object({ removed: Type.String(), until: Type.String() }, CLOSED),
  errors: OWNING_ERRORS,
});
const maintain = operation({
  name: "git/maintain",
  type: "mutation",
  description: "Makes many packs few, and records what spares walks.",
  input: Type.Object({
    repo: REPO,
    full: Type.Optional(Type.Boolean({ description: "packs all of it anew" })),
  }, CLOSED),
  output: STATS,
  errors: OWNING_ERRORS,
});
const stats = operation({
  name: "git/stats",
  type: "query",
  description: "What a repository holds, in numbers.",
  input: Type.Object({ repo: REPO }, CLOSED),
  output: STATS,
  errors: OWNING_ERRORS,
});

/** The operations of owners. */
export function owningOperations(all: OperationParts): HandlerRegistration[] {
  const { keeper, parts, folders } = all;
  const shown = (name: string, owned: OwnedSettings) => ({
    name,
    ...owned,
    quota: owned.quota ?? parts.limits.quota,
    protected: [...owned.protected],
  });
  return [
    provide(create, ({ repo: name, head, ...options }, context) =>
      asked(all, context, async () => {
        const { identity } = context;
        if (!identity || !mayCreate(name, identity)) throw new CallError("FORBIDDEN", "no right to make repositories");
        if (Object.hasOwn(folders.elsewhere, name)) {
          throw new CallError("REPOSITORY_EXISTS", "there is a repository of that name");
        }
        await createRepository(folders.root, name, {
          ...options,
          owner: identity.id,
          ...(head !== undefined && { head: `refs/heads/${head}` }),
        }).catch((error) => {
          // Its message names the folder.
          if (error.code !== "REPOSITORY_EXISTS") throw error;
          throw new CallError("REPOSITORY_EXISTS", "there is a repository of that name");
        });
        return { name, urls: [...all.urls(name)] };
      })),
    provide(
      settings,
      ({ repo: name, set }, context) =>
        asked(
          all,
          context,
          () =>
            withRight(all, { name, right: "admin" }, context, async () =>
              shown(name, set ? await keeper.change(name, set) : await keeper.settings(name))),
        ),
    ),
    provide(remove, ({ repo: name }, context) =>
      asked(all, context, async () => {
        await withRight(all, { name, right: "admin" }, context, () => Promise.resolve());
        return { removed: name, until: new Date(await keeper.remove(name) * 1000).toISOString() };
      })),
    provide(maintain, ({ repo: name, full = false }, context) =>
      asked(all, context, async () => {
        await withRight(all, { name, right: "admin" }, context, () => Promise.resolve());
        using _turn = await parts.walks.take(context.signal);
        const { outcome, by: _, ...numbers } = await keeper.maintain(name, { full, signal: context.signal });
        if (outcome !== "locked") return numbers;
        throw new CallError("REPOSITORY_LOCKED", "somebody else is collecting it", { retryable: true });
      })),
    provide(
      stats,
      ({ repo: name }, context) =>
        asked(
          all,
          context,
          () => withRight(all, { name, right: "admin" }, context, async () => ({ ...await keeper.stats(name) })),
        ),
    ),
  ];
}
