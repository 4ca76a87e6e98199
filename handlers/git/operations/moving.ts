/**
 * `git/update-refs` and `git/push`: refs that move without a pack, and who is told of those that have moved.
 *
 * @module
 */
import { logger } from "@alknet/core/handler";
import { CallError, type HandlerRegistration, operation, provide } from "@alknet/core/operations";
import Type from "typebox";
import { refusal } from "../serve/push/policy.ts";
import type { PushEvent } from "../serve/push/events.ts";
import { RefMoves } from "../serve/push/ref_moves.ts";
import { signingOf } from "../serve/service.ts";
import { Pace } from "../walk/pace.ts";
import { isHiddenRef } from "../wire/names.ts";
import { asked, type OperationParts, rightTo, told, withRight } from "./asking.ts";
import { CLOSED, OID, REPO, REPO_ERRORS } from "./schemas.ts";

const NULLABLE_OID = Type.Union([OID, Type.Null()]);
const REF = Type.String({ minLength: 1, maxLength: 1024 });
/** Patterns of refs that one who follows names. */
const MOST_PATTERNS = 64;

const updateRefs = operation({
  name: "git/update-refs",
  type: "mutation",
  description: "Moves refs to objects that the repository holds, as a push would.",
  input: Type.Object({
    repo: REPO,
    updates: Type.Array(
      Type.Object({
        name: REF,
        old: Type.Optional(NULLABLE_OID),
        new: NULLABLE_OID,
      }, CLOSED),
      { minItems: 1, maxItems: 1000, description: "old: what it has to point at now, null for not there" },
    ),
    atomic: Type.Optional(Type.Boolean({ description: "whether all move or none; default true" })),
  }, CLOSED),
  output: Type.Array(Type.Object({ name: Type.String(), refused: Type.Optional(Type.String()) }, CLOSED)),
  errors: { ...REPO_ERRORS, REF_CONFLICT: { description: "a ref is named twice", httpStatus: 409 } },
});

const push = operation({
  name: "git/push",
  type: "subscription",
  description: "Each push that moves refs, from now on.",
  input: Type.Union([
    Type.Null(),
    Type.Object({
      repo: Type.Optional(REPO),
      refs: Type.Optional(
        Type.Array(REF, {
          minItems: 1,
          maxItems: MOST_PATTERNS,
          description: "patterns such as refs/heads/*; * stays within a part",
        }),
      ),
    }, CLOSED),
  ]),
  output: Type.Object({
    repo: Type.String(),
    identity: Type.String(),
    updates: Type.Array(
      Type.Object({ name: Type.String(), old: NULLABLE_OID, new: NULLABLE_OID, forced: Type.Boolean() }, CLOSED),
    ),
    options: Type.Array(Type.String()),
    certificate: Type.Optional(
      Type.Object({ signer: Type.String(), key: Type.String(), seconds: Type.Integer(), file: Type.String() }, CLOSED),
    ),
    at: Type.String(),
  }, CLOSED),
  errors: {
    ...REPO_ERRORS,
    TOO_SLOW: { description: "more pushes wait than are kept; what was missed is in the refs", httpStatus: 503 },
  },
});

/** The operations of refs that move. */
export function movingOperations(all: OperationParts): HandlerRegistration[] {
  const { parts } = all;
  return [
    provide(
      updateRefs,
      ({ repo: name, updates, atomic = true }, context) =>
        asked(all, context, () =>
          withRight(all, { name, right: "write" }, context, async (repository) => {
            const { identity, signal } = context;
            const { hooks, events, walks } = parts;
            const names = new Set(updates.map((update) => update.name));
            if (names.size < updates.length) throw new CallError("REF_CONFLICT", "a ref is named twice");
            const refs = await repository.refs.snapshot([]);
            const commands = updates.map(({ name, old = refs.get(name)?.oid ?? null, new: new_ }) => (
              { name, old, new: new_ }
            ));
            const moves = new RefMoves(
              { repository, refs, identity: identity!, front: "call", hooks, events, signal, log: logger("git") },
              { commands, atomic, options: [] },
            );
            if (signingOf(repository, parts) === "require") moves.refuseAll(refusal("signature required"));
            moves.settle();
            {
              using _turn = await walks.take(signal);
              await moves.check(repository.objects, () => false, new Pace(signal));
            }
            moves.settle();
            await moves.ask(repository.objects, () => {});
            await moves.move(repository.objects);
            await moves.follow(signal);
            if (moves.refusedCount < commands.length) parts.maintenance?.look(name);
            return commands.map(({ name }) => {
              const refused = moves.refusalOf(name)?.reason;
              return { name, ...(refused !== undefined && { refused }) };
            });
          })),
    ),
    provide(push, async function* (input, context) {
      const { signal, identity } = context;
      const { repo, refs } = input ?? {};
      const slow = (): Error => new CallError("TOO_SLOW", "too many pushes wait to be taken");
      // From now on, whatever is looked at first.
      const following = parts.events.follow(signal, slow);
      try {
        if (repo !== undefined) {
          await withRight(all, { name: repo, right: "read" }, context, () => Promise.resolve());
        }
        const wanted = refs?.map(patternOf);
        for await (const event of following) {
          if (repo !== undefined && event.repo !== repo) continue;
          const shown = await shownOf(all, event, identity, wanted);
          if (shown) yield shown;
        }
      } catch (error) {
        throw told(error);
      } finally {
        await following.return?.();
      }
    }),
  ];
}

/** What of a push somebody sees who may read the repository now. */
async function shownOf(
  all: OperationParts,
  { repo, identity, updates, options, certificate, at }: PushEvent,
  who: PushEvent["identity"] | undefined,
  wanted: readonly RegExp[] | undefined,
) {
  if (await rightTo(all, repo, who) === "none") return undefined;
  const hidden = await hiddenOf(all, repo);
  const seen = updates.filter(({ name }) =>
    !isHiddenRef(name, hidden) && (wanted?.some((pattern) => pattern.test(name)) ?? true)
  );
  if (seen.length === 0) return undefined;
  return {
    repo,
    identity: identity.id,
    updates: seen.map((update) => ({ ...update })),
    options: [...options],
    ...(certificate && { certificate: { ...certificate } }),
    at: at.toISOString(),
  };
}

async function hiddenOf({ repositories }: OperationParts, name: string): Promise<readonly string[]> {
  using repository = await repositories.open(name);
  return repository?.settings.hidden ?? ["refs/"];
}

function patternOf(pattern: string): RegExp {
  const source = pattern.split("*").map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, "\\$&")).join("[^/]*");
  return new RegExp(`^${source}$`);
}
