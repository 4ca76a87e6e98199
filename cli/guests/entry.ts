/**
 * `handlers.call.guests` in the configuration: a folder of guests whose operations the node offers as its own.
 *
 * @module
 */
import Type, { type Static, type TSchema } from "typebox";

const closed = { additionalProperties: false };
const names = (description: string) => Type.Array(Type.String({ minLength: 1 }), { description });

const guestSchema = Type.Object({
  scopes: Type.Optional(names("whoever has one of these may call what it offers; default: NAME:call and admin")),
  calls: Type.Optional(names("operations of the node that it may call; default: none")),
  calls_as: Type.Optional(names("scopes with which it calls them; default: none")),
  fetch: Type.Optional(names("origins that its fetch reaches, as https://example.com; default: it has none")),
  folders: Type.Optional(
    names("folders that its fs reads, as /NAME there; FOLDER:write and FOLDER:readwrite write; default: it has none"),
  ),
  gpu: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 65_536,
      description: "MiB that its buffers on the GPU may hold; default: it has no gpu",
    }),
  ),
}, closed);

const schema = Type.Object({
  folder: Type.String({ minLength: 1, description: "each of its .js, .mjs, .ts and .mts files is a guest" }),
  memory: Type.Optional(
    Type.Integer({ minimum: 18, maximum: 2048, description: "MiB that each may use, engine included; default: 32" }),
  ),
  compute_ms: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 86_400_000, description: "time computing that a call may take; default: 200" }),
  ),
  timeout_ms: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 86_400_000, description: "time that a call may take; default: 10000" }),
  ),
  guests: Type.Optional(
    Type.Record(Type.String(), guestSchema, { description: "rights of guests, by the names of their files" }),
  ),
}, closed);

/** The schema of `handlers.call.guests`. */
export const GUESTS_SCHEMA: TSchema = schema;
/** Options of `handlers.call.guests`. */
export type GuestsConfig = Static<typeof schema>;
/** What is configured of one guest. */
export type GuestConfig = Static<typeof guestSchema>;
