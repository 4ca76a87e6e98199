/**
 * `config/…`: the configuration that the node runs with.
 *
 * @module
 */
import type { DynamicConfig } from "@alknet/core/config";
import { type HandlerRegistration, operation, provide } from "@alknet/core/operations";
import Type from "typebox";
import { ADMIN_SCOPE, type RunningNode } from "./running_node.ts";

const closed = { additionalProperties: false };
const nothing = Type.Union([Type.Null(), Type.Object({}, closed)], { description: "nothing: null or {}" });
const anything = Type.Record(Type.String(), Type.Unknown());

const show = operation({
  name: "config/show",
  type: "query",
  description: "The configuration with every default in place; hashes of tokens are left out.",
  input: nothing,
  output: Type.Object({
    path: Type.String({ description: "of the file" }),
    static: anything,
    dynamic: anything,
  }, closed),
  access: { anyScope: ["config:read", ADMIN_SCOPE] },
});

const reload = operation({
  name: "config/reload",
  type: "mutation",
  description: "Reads the configuration file now, as SIGHUP does. An invalid file changes nothing.",
  input: nothing,
  output: Type.Object({
    outcome: Type.Enum(["applied", "unchanged", "invalid"]),
    error: Type.Optional(Type.String({ description: "why the file is invalid" })),
    restartNeeded: Type.Array(Type.String(), { description: "static fields that take effect at the next start" }),
  }, closed),
  access: { anyScope: ["config:write", ADMIN_SCOPE] },
});

/** The operations of `config/`. */
export function configOperations({ config }: RunningNode): HandlerRegistration[] {
  return [
    provide(
      show,
      () => ({ path: config.path, static: { ...config.static }, dynamic: withoutHashes(config.snapshot()) }),
    ),
    provide(reload, async () => {
      const { outcome, error, staticChanged } = await config.reload();
      return { outcome, ...(error && { error: error.message }), restartNeeded: [...staticChanged] };
    }),
  ];
}

function withoutHashes({ auth, ...rest }: DynamicConfig): Record<string, unknown> {
  return {
    ...rest,
    auth: {
      peers: auth.peers.map(({ auth_token_hash, ...peer }) => ({ ...peer, token: auth_token_hash !== undefined })),
      api_keys: auth.api_keys.map(({ hash: _, ...key }) => key),
    },
  };
}
