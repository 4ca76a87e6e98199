/**
 * `alknet token`: API keys of the node, made, listed and revoked. A running node follows at once.
 *
 * @module
 */
import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { Action, Command } from "../../grammar/action.ts";
import { configOption, duration, homeOption, jsonFlag } from "../../grammar/arguments.ts";
import { ExitCode, note, print, printJson } from "../../terminal/output.ts";
import { visibleLine } from "../../terminal/visible.ts";

/** What may be shown of a token. */
interface Shown {
  readonly prefix: string;
  readonly scopes?: readonly string[];
  readonly description?: string;
  readonly expires_at?: number;
}

interface Shared {
  readonly home?: string;
  readonly config?: string;
  readonly json: boolean;
}

interface CreateOptions extends Shared {
  readonly scopes: readonly string[];
  readonly description: string;
  readonly expires?: number;
}

const SHARED = { home: homeOption(), config: configOption(), json: jsonFlag() };

const create = command(
  "create",
  map(
    object({
      scopes: multiple(option("--scope", string({ metavar: "SCOPE" }), {
        description: message`What its bearer may do, such as notes:read. Repeat for more.`,
      })),
      description: withDefault(
        option("--description", string({ metavar: "TEXT" }), { description: message`What it is for, in your words.` }),
        "",
      ),
      expires: optional(option("--expires", duration(), { description: message`How long it is good for: 30d, 12h.` })),
      ...SHARED,
    }),
    (options): Action => () => createToken(options),
  ),
  { brief: message`Make a token and show it, once.` },
);

const list = command("list", map(object(SHARED), (options): Action => () => listTokens(options)), {
  brief: message`List the tokens by prefix.`,
});

const revoke = command(
  "revoke",
  map(
    object({
      prefix: argument(string({ metavar: "PREFIX" }), { description: message`Its first 8 characters, as list shows.` }),
      ...SHARED,
    }),
    (options): Action => () => revokeToken(options),
  ),
  { brief: message`Take a token back.` },
);

/** `alknet token create|list|revoke`. */
export const tokenCommand: Command = command("token", or(create, list, revoke), {
  brief: message`Make, list and revoke tokens.`,
});

async function createToken(options: CreateOptions): Promise<number> {
  const { addApiKey, removeApiKey } = await import("../../node/authorization.ts");
  const { token, entry } = await addApiKey(options, {
    scopes: options.scopes,
    description: options.description,
    expiresAt: options.expires === undefined ? undefined : Math.floor((Date.now() + options.expires) / 1000),
  });
  try {
    if (options.json) printJson({ token, ...publicPart(entry) });
    else print(token);
  } catch (error) {
    // Nobody has seen it, and nobody ever could.
    await removeApiKey(options, entry.prefix);
    throw error;
  }
  note("alknet: this token is shown once and stored as a hash; keep it where only its bearer can read it");
  return ExitCode.DONE;
}

async function listTokens(options: Shared): Promise<number> {
  const { readAuthorization } = await import("../../node/authorization.ts");
  const { api_keys } = await readAuthorization(options);
  for (const entry of api_keys) {
    if (options.json) printJson(publicPart(entry));
    else print(describe(entry));
  }
  if (api_keys.length === 0 && !options.json) note("no tokens; make one with: alknet token create");
  return ExitCode.DONE;
}

async function revokeToken(options: Shared & { readonly prefix: string }): Promise<number> {
  const { removeApiKey } = await import("../../node/authorization.ts");
  await removeApiKey(options, options.prefix);
  if (options.json) printJson({ prefix: options.prefix, revoked: true });
  else print(`revoked ${options.prefix}`);
  return ExitCode.DONE;
}

function publicPart({ prefix, scopes = [], description, expires_at }: Shown): Record<string, unknown> {
  return { prefix, scopes, description, expiresAt: expires_at === undefined ? undefined : isoTime(expires_at) };
}

function describe({ prefix, scopes = [], description = "", expires_at }: Shown): string {
  const ends = expires_at === undefined ? "never expires" : `expires ${isoTime(expires_at)}`;
  return [prefix, scopes.join(",") || "no scopes", ends, description].map(visibleLine).filter((part) => part !== "")
    .join("  ");
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
