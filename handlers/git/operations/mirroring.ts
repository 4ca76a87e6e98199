/**
 * `git/mirror`: a repository that follows another one.
 *
 * @module
 */
import { CallError, type HandlerRegistration, operation, provide } from "@alknet/core/operations";
import Type from "typebox";
import { MIRROR, mirrorOf, readMirror, removeMirror, writeMirror } from "../store/folder/owning/mirror_file.ts";
import { asked, type OperationParts, withRight } from "./asking.ts";
import { CLOSED, OWNING_ERRORS, REPO } from "./schemas.ts";

const mirror = operation({
  name: "git/mirror",
  type: "mutation",
  description: "Lets a repository follow another one, or no longer; without url and off it tells what it follows.",
  input: Type.Object({
    repo: REPO,
    url: Type.Optional(
      Type.String({ maxLength: 2048, description: "https://HOST/PATH or alknet://[NODEID@]HOST[:PORT]/NAME" }),
    ),
    every: Type.Optional(Type.Integer({ description: "seconds between two fetches; default 300" })),
    refs: Type.Optional(
      Type.Array(Type.String({ maxLength: 1024 }), {
        maxItems: 16,
        description: "beginnings of refs; default refs/heads/ and refs/tags/",
      }),
    ),
    off: Type.Optional(Type.Boolean({ description: "follows nobody any more; its refs stay" })),
  }, CLOSED),
  output: Type.Union([Type.Null(), MIRROR]),
  errors: {
    ...OWNING_ERRORS,
    INVALID_MIRROR: { description: "no URL, beginning of a ref or time of a mirror", httpStatus: 400 },
  },
});

/** Scopes that let a node ask hosts of somebody's choice: to own a repository is not enough. */
const SCOPES = ["admin", "git:admin"];

/** The operation of mirrors. */
export function mirroringOperations(all: OperationParts): HandlerRegistration[] {
  return [
    provide(
      mirror,
      ({ repo: name, url, every, refs, off = false }, context) =>
        asked(all, context, () =>
          withRight(all, { name, right: "admin" }, context, async () => {
            using open = await all.repositories.openFolder(name);
            if (!open) return null;
            if (off) removeMirror(open.folder);
            else if (url !== undefined) {
              if (!context.identity?.scopes.some((scope) => SCOPES.includes(scope))) {
                throw new CallError("FORBIDDEN", "the scope git:admin is needed to make the node ask another host");
              }
              await writeMirror(open.folder, mirrorOf({ url, every, refs }));
              all.mirrors.update(name);
            } else if (every !== undefined || refs !== undefined) {
              throw new CallError("INVALID_MIRROR", "with every or refs a url is needed");
            }
            return readMirror(open.folder) ?? null;
          })),
    ),
  ];
}
