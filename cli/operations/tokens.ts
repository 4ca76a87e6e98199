/**
 * `tokens/…`: API keys of the node, made, listed and revoked, for administrators.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { CallError, type HandlerRegistration, operation, provide } from "@alknet/core/operations";
import Type, { type Static } from "typebox";
import { addApiKey, removeApiKey } from "../node/authorization.ts";
import { ADMIN_SCOPE, type RunningNode } from "./running_node.ts";

const closed = { additionalProperties: false };
/** A line of text: what lists show may not begin another, nor drive a terminal. */
const PRINTABLE = "^[^\\x00-\\x1f\\x7f-\\x9f]*$";
const nothing = Type.Union([Type.Null(), Type.Object({}, closed)], { description: "nothing: null or {}" });
const admins = { scopes: [ADMIN_SCOPE] };
const described = {
  prefix: Type.String({ description: "its first characters, by which lists and logs name it" }),
  scopes: Type.Array(Type.String()),
  description: Type.Optional(Type.String()),
  expiresAt: Type.Optional(Type.String({ description: "RFC 3339" })),
};
const entry = Type.Object(described, closed);

const create = operation({
  name: "tokens/create",
  type: "mutation",
  description: "Makes a token. It is in this answer and nowhere else; the node keeps its hash.",
  input: Type.Object({
    scopes: Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
      maxItems: 256,
      description: "what its bearer may do, such as notes:read",
    }),
    description: Type.Optional(
      Type.String({ maxLength: 1024, pattern: PRINTABLE, description: "what it is for, in your words" }),
    ),
    expiresIn: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 * 365 * 86_400, description: "seconds" })),
  }, closed),
  output: Type.Object({ token: Type.String(), ...described }, closed),
  access: admins,
});

const list = operation({
  name: "tokens/list",
  type: "query",
  description: "The tokens by prefix; the tokens themselves are kept nowhere.",
  input: nothing,
  output: Type.Object({ tokens: Type.Array(entry) }, closed),
  access: admins,
});

const revoke = operation({
  name: "tokens/revoke",
  type: "mutation",
  description: "Takes the tokens of a prefix back; the next request that shows one is without it.",
  input: Type.Object({ prefix: Type.String({ minLength: 1, maxLength: 8 }) }, closed),
  output: Type.Object({ prefix: Type.String() }, closed),
  errors: { NO_SUCH_TOKEN: { description: "no token has that prefix", httpStatus: 404 } },
  access: admins,
});

/** The operations of `tokens/`. What they change holds when they answer. */
export function tokenOperations({ config }: RunningNode): HandlerRegistration[] {
  const choice = { config: config.path };
  return [
    provide(create, async ({ scopes, description = "", expiresIn }) => {
      const expiresAt = expiresIn === undefined ? undefined : Math.floor(Date.now() / 1000) + expiresIn;
      const { token, entry } = await told(addApiKey(choice, { scopes, description, expiresAt }));
      await config.reload();
      return { token, ...publicPart(entry) };
    }),
    provide(list, () => ({ tokens: config.snapshot().auth.api_keys.map(publicPart) })),
    provide(revoke, async ({ prefix }) => {
      await told(removeApiKey(choice, prefix));
      await config.reload();
      return { prefix };
    }),
  ];
}

interface Kept {
  readonly prefix: string;
  readonly scopes?: readonly string[];
  readonly description?: string;
  readonly expires_at?: number;
}

function publicPart({ prefix, scopes = [], description, expires_at }: Kept): Static<typeof entry> {
  return {
    prefix,
    scopes: [...scopes],
    ...(description !== undefined && { description }),
    ...(expires_at !== undefined && { expiresAt: new Date(expires_at * 1000).toISOString() }),
  };
}

/** What is wrong with the file may be told to an administrator. */
async function told<T>(edit: Promise<T>): Promise<T> {
  try {
    return await edit;
  } catch (error) {
    if (!(error instanceof AlknetError)) throw error;
    throw new CallError(error.code, error.message, { cause: error });
  }
}
