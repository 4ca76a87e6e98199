/**
 * Who may do what with a repository.
 *
 * @module
 */
import type { Identity } from "@alknet/core/handler";
import type { RepositorySettings } from "../store/types.ts";

/** A right; each holds those before it. */
export type Right = "none" | "read" | "write" | "admin";

const RIGHTS: readonly Right[] = ["none", "read", "write", "admin"];

/** Whether a right holds another. */
export function allows(held: Right, needed: Right): boolean {
  return RIGHTS.indexOf(held) >= RIGHTS.indexOf(needed);
}

/**
 * The highest right of an identity: public repositories are read by whoever is known, and by everyone where `anonymous`
 * says so; the owner and the scope `admin` may do everything; scopes `git:read`, `git:write` and `git:admin` hold for all
 * repositories, `git:read:NAME` for one, `git:read:FOLDER/*` for those below; resources `git` and `git/NAME` name the same
 * actions.
 */
export function rightOf(
  name: string,
  settings: Pick<RepositorySettings, "public" | "owner">,
  { identity, anonymous }: { readonly identity?: Identity; readonly anonymous: boolean },
): Right {
  const everyone: Right = settings.public && (identity || anonymous) ? "read" : "none";
  if (!identity) return everyone;
  const { id, scopes, resources } = identity;
  if (settings.owner === id || scopes.includes("admin")) return "admin";
  const has = (right: Right): boolean =>
    scopes.some((scope) => isScopeFor(scope, `git:${right}`, name)) ||
    ["git", `git/${name}`].some((type) => Object.hasOwn(resources, type) && resources[type].includes(right));
  return (["admin", "write", "read"] as const).find(has) ?? everyone;
}

/** Whether an identity may make a repository: by the scope `admin`, `git:create`, or `git:create:NAME` and the like. */
export function mayCreate(name: string, { scopes }: Identity): boolean {
  return scopes.some((scope) => scope === "admin" || isScopeFor(scope, "git:create", name));
}

function isScopeFor(scope: string, right: string, name: string): boolean {
  if (scope === right) return true;
  if (!scope.startsWith(`${right}:`)) return false;
  const which = scope.slice(right.length + 1);
  return which.endsWith("/*") ? name.startsWith(which.slice(0, -1)) : which === name;
}
