/**
 * `blobs/grant`, `revoke`, `redeem`: who may read or push a blob beside those whose scopes let them (fs.md §8, §9).
 *
 * @module
 */
import { type HandlerRegistration, operation, provide } from "@alknet/core/operations";
import Type from "typebox";
import type { HashAndFormat } from "../blobs/blob_store.ts";
import type { Subject } from "../blobs/grants.ts";
import { notFound } from "../errors.ts";
import { linksOf } from "../blobs/sequence.ts";
import { mayPush, mayRead } from "../rights.ts";
import type { TreeFs } from "../store.ts";
import type { Hash } from "../wire/hash_text.ts";
import { closed, ERRORS as errors, hash, known, told, whole } from "./declaring.ts";

/** What the ticket of a grant is to say. */
export interface TicketContent extends HashAndFormat {
  /** What is redeemed, 32 bytes. */
  readonly secret?: Uint8Array;
  /** When it ends, Unix seconds. */
  readonly expires?: number;
}

/** Writes tickets: it knows whose they are, and where the blobs are served. */
export type TicketWriter = (content: TicketContent) => string;

/** Scopes of those who may take away what others granted. */
const ADMINS: readonly string[] = ["blobs:admin", "admin"];
/** Ten years. */
const MAX_TTL = 315_360_000;

const id = Type.String({ pattern: "^[0-9a-f]{64}$", description: "names a grant" });
const grant = operation({
  name: "blobs/grant",
  type: "mutation",
  description: "Lets somebody read a blob that the caller may read, or push one, and makes the ticket for it.",
  input: Type.Object({
    hash,
    format: Type.Optional(Type.Enum(["raw", "hashSeq"])),
    action: Type.Enum(["read", "push"]),
    subject: Type.String({
      pattern: "^(anyone|secret|id:[^\\u0000-\\u001f]{1,256}|key:(ed25519|SHA256):[0-9a-f]{64})$",
      description: "anyone, id:IDENTITY, key:FINGERPRINT, or secret: whoever redeems the ticket first",
    }),
    bytes: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: "most bytes of a push; it counts in the quota of the caller",
      }),
    ),
    ttl: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_TTL, description: "seconds; 0: for ever" })),
  }, closed),
  output: Type.Object({ id, ticket: Type.String() }, closed),
  errors,
});
const revoke = operation({
  name: "blobs/revoke",
  type: "mutation",
  description: "Takes a grant away that the caller made.",
  input: Type.Object({ id }, closed),
  output: Type.Object({}, closed),
  errors,
});
const redeem = operation({
  name: "blobs/redeem",
  type: "mutation",
  description: "Gives the grant of a ticket with a secret to a key, which alone has it from then on.",
  input: Type.Object({
    secret: Type.String({ pattern: "^[0-9a-f]{64}$", description: "32 bytes in hex" }),
    key: Type.String({ pattern: "^(ed25519|SHA256):[0-9a-f]{64}$", description: "the caller's own fingerprint" }),
  }, closed),
  output: Type.Object({ hash, expires: Type.Optional(whole) }, closed),
  errors,
});

/** The operations on grants; whoever cannot write tickets makes none. */
export function grantOperations(
  { blobs, grants, tree }: TreeFs,
  publicBlobs: boolean,
  ticketOf: TicketWriter | undefined,
): HandlerRegistration[] {
  const registrations = [
    provide(revoke, ({ id }, { identity }) =>
      told(async () => {
        const who = known(identity);
        const isAdmin = who.scopes.some((scope) => ADMINS.includes(scope));
        await grants.revoke(id, (owner) => isAdmin || owner === who.id);
        return {};
      })),
    provide(redeem, ({ secret, key }) =>
      told(async () => {
        const { hash, expires } = await grants.redeem(Uint8Array.fromHex(secret), key);
        return { hash, ...expires !== undefined && { expires } };
      })),
  ];
  if (!ticketOf) return registrations;
  return [
    provide(grant, ({ hash, format = "raw", action, subject, bytes, ttl = 0 }, { identity }) =>
      told(async () => {
        const owner = known(identity).id;
        const may = (one: Hash) => mayRead(one, { identity }, { grants, tree, publicBlobs });
        await using holds = new AsyncDisposableStack();
        if (action === "push") {
          // It need not be there, and whoever was granted a push does not hand it on.
          const right = await mayPush(hash, { identity }, { grants, tree });
          if (!right?.isForSequences || right.isGranted) throw notFound(hash, "it is not for you to push");
        } else {
          if (!await may(hash)) throw notFound(hash, "it is not for you");
          // Bytes that happen to be hashes give no right to what they name.
          if (format === "hashSeq") {
            for (const link of await linksOf(blobs, hash)) {
              if (!await may(link.toHex())) throw notFound(link.toHex(), "it is listed, and not for you");
            }
          }
          // Held as what it is: then what a sequence lists is known to be of it.
          holds.use(await blobs.hold(hash, format));
        }
        const expires = ttl === 0 ? undefined : Math.floor(Date.now() / 1000) + ttl;
        const wanted = { hash, action, expires, owner, ...action === "push" && { bytes } };
        const content = { hash, format, ...expires !== undefined && { expires } };
        if (subject === "secret") {
          const { id, secret } = await grants.grantSecret(wanted);
          return { id, ticket: ticketOf({ ...content, secret }) };
        }
        const { id } = await grants.grant({ ...wanted, subject: subject as Subject });
        return { id, ticket: ticketOf(content) };
      })),
    ...registrations,
  ];
}
