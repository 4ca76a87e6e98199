/**
 * `blobs/fetch`: the node gets a blob from other nodes (fs.md §4, §8, §9). Whom it may dial its operator has named: a caller
 * chooses among these, and reaches nobody else through the node.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { CallError, type HandlerRegistration, operation, provide } from "@alknet/core/operations";
import Type from "typebox";
import { shortHash } from "../errors.ts";
import type { TreeFs } from "../store.ts";
import { download } from "../transfer/several/download.ts";
import type { Provider } from "../transfer/several/source.ts";
import { closed, ERRORS as errors, hash, known, told, whole } from "./declaring.ts";

/** A node that may be asked, by its address as the operator wrote it; nothing where that is none of them. */
export type ProviderFinder = (address: string) => Provider | undefined;

const MOST_PROVIDERS = 8;

const fetch = operation({
  name: "blobs/fetch",
  type: "mutation",
  description: "Gets a blob, or a sequence with what it lists, from nodes that the operator of this one has named.",
  input: Type.Object({
    hash,
    format: Type.Enum(["raw", "hashSeq"]),
    providers: Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
      minItems: 1,
      maxItems: MOST_PROVIDERS,
      description: "[NODEID@]HOST:PORT, as in handlers.fs.providers",
    }),
    tag: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1024,
        pattern: "^[^\\u0000]*$",
        description: "keeps it; without one it may be collected soon",
      }),
    ),
  }, closed),
  output: Type.Object({ size: whole }, closed),
  errors,
  access: { anyScope: ["blobs:admin", "admin"] },
});

/** The operation; a node that dials nobody does not offer it. */
export function fetchOperations(
  { blobs }: TreeFs,
  providerOf: ProviderFinder | undefined,
  maxSize: number | undefined,
): HandlerRegistration[] {
  if (!providerOf) return [];
  return [
    provide(fetch, ({ hash, format, providers, tag }, { identity, signal }) =>
      told(async () => {
        const owner = known(identity).id;
        const from = [...new Set(providers)].map((address) => {
          const found = providerOf(address);
          if (!found) {
            throw new CallError(
              "INVALID_INPUT",
              `providers: ${
                JSON.stringify(address)
              } is none that this node asks; its operator names them in handlers.fs.providers`,
            );
          }
          return found;
        });
        try {
          for await (const _ of download({ hash, format }, from, blobs, { signal, maxSize }));
        } catch (cause) {
          signal.throwIfAborted();
          if (!(cause instanceof AlknetError) || Object.hasOwn(errors, cause.code)) throw cause;
          // What is said of the way to them is for whoever runs the node.
          throw new AlknetError("BLOB_ABSENT", `blob ${shortHash(hash)}: none of them could be reached`, { cause });
        }
        await using held = await blobs.hold(hash, format);
        if (tag !== undefined) await blobs.setTag(tag, { hash, format }, { owner });
        return { size: held.size };
      })),
  ];
}
