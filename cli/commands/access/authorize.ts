/**
 * `alknet authorize`: which keys are known, by what name, and what they may do. A running node follows at once.
 *
 * @module
 */
import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, flag, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { Action, Command } from "../../grammar/action.ts";
import { configOption, homeOption, jsonFlag } from "../../grammar/arguments.ts";
import { ExitCode, note, print, printJson, UsageError } from "../../terminal/output.ts";

interface AuthorizeOptions {
  readonly key?: string;
  readonly name?: string;
  readonly scopes: readonly string[];
  readonly change: "add" | "remove" | "disable";
  readonly home?: string;
  readonly config?: string;
  readonly json: boolean;
}

/** `alknet authorize KEY`. */
export const authorizeCommand: Command = command(
  "authorize",
  map(
    object({
      key: optional(argument(string({ metavar: "KEY" }), {
        description:
          message`Node id, fingerprint (ed25519:… or SHA256:…), or public SSH key in quotes. Without one, lists who is authorized.`,
      })),
      name: optional(option("--name", string({ metavar: "NAME" }), {
        description: message`What to call it. A name that is there already gets the key as another of its own.`,
      })),
      scopes: multiple(option("--scope", string({ metavar: "SCOPE" }), {
        description: message`What it may do, such as relay:connect. Repeat for more; replaces those it had.`,
      })),
      change: withDefault(
        or(
          map(flag("--remove", { description: message`Forget the key.` }), () => "remove" as const),
          map(
            flag("--disable", { description: message`Keep the entry, but let it count for nothing.` }),
            () => "disable" as const,
          ),
        ),
        "add" as const,
      ),
      home: homeOption(),
      config: configOption(),
      json: jsonFlag(),
    }),
    (options): Action => () => authorize(options),
  ),
  {
    brief: message`Say which keys are known and what they may do.`,
    description:
      message`Say which keys are known, by what name, and what they may do. Works on the configuration of a running node too.`,
  },
);

async function authorize(options: AuthorizeOptions): Promise<number> {
  const { key, change } = options;
  const { addPeer, disablePeer, readAuthorization, removePeerKey } = await import("../../node/authorization.ts");
  if (key === undefined) {
    if (change !== "add") throw new UsageError(`--${change} needs a KEY: a node id or a fingerprint`);
    const { peers } = await readAuthorization(options);
    for (const peer of peers) report(peer, options);
    if (peers.length === 0 && !options.json) note("nobody is authorized; begin with: alknet authorize KEY --name NAME");
    return ExitCode.DONE;
  }
  switch (change) {
    case "add":
      report(await addPeer(options, key, options), options);
      break;
    case "remove":
      report(await removePeerKey(options, key), options, "removed");
      break;
    case "disable":
      report(await disablePeer(options, key), options);
      break;
  }
  return ExitCode.DONE;
}

interface Peer {
  readonly peer_id: string;
  readonly fingerprints?: readonly string[];
  readonly scopes?: readonly string[];
  readonly enabled?: boolean;
}

function report(peer: Peer, { json }: AuthorizeOptions, done?: string): void {
  const { peer_id, fingerprints = [], scopes = [], enabled = true } = peer;
  if (json) {
    printJson({ peer: peer_id, fingerprints, scopes, enabled, ...(done === undefined ? {} : { [done]: true }) });
    return;
  }
  const state = done ?? (enabled ? undefined : "disabled");
  print(
    [peer_id, state, scopes.join(",") || "no scopes", ...fingerprints].filter((part) => part !== undefined).join("  "),
  );
}
