/**
 * The messenger as the configuration has it.
 *
 * @module
 */
import Type, { type Static, type TSchema } from "typebox";

const closed = { additionalProperties: false };

const messengerSchema = Type.Object({
  read_receipts: Type.Optional(
    Type.Boolean({
      description: "whether contacts are told that their messages were shown; default: that they came, alone",
    }),
  ),
  mailbox: Type.Optional(
    Type.String({ minLength: 1, description: "ID@HOST:PORT where new queues are made; default: this node" }),
  ),
  name: Type.Optional(
    Type.String({ minLength: 1, maxLength: 64, description: "how tokens call their owner; default: not at all" }),
  ),
}, closed);

/** The schema of `handlers.messenger`. */
export const MESSENGER_SCHEMA: TSchema = messengerSchema;
/** Options of `handlers.messenger`. */
export type MessengerConfig = Static<typeof messengerSchema>;
