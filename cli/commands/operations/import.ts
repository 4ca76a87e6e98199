/**
 * `alknet import`: makes the operations of a foreign service operations of this node.
 *
 * @module
 */
import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, constant, flag, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { Action, Command } from "../../grammar/action.ts";
import {
  addressArgument,
  authoritiesOption,
  configOption,
  homeOption,
  jsonFlag,
  passphraseFileOption,
  secretFileOption,
} from "../../grammar/arguments.ts";
import type { ImportRequest } from "../../imports/write.ts";
import { ExitCode, note, print, printJson } from "../../terminal/output.ts";

interface ImportCommandOptions extends ImportRequest {
  readonly json: boolean;
}

/** `alknet import openapi|mcp|node URL`. */
export const importCommand: Command = command(
  "import",
  or(
    command(
      "openapi",
      map(
        object({
          kind: constant("openapi"),
          url: argument(string({ metavar: "URL" }), {
            description: message`The OpenAPI document, 3.0 or 3.1, JSON or YAML: a URL or a file.`,
          }),
          baseUrl: optional(option("--base-url", string({ metavar: "URL" }), {
            description: message`Where the service is. Default: the first server of the document.`,
          })),
          auth: optional(option("--auth", string({ metavar: "SCHEME" }), {
            description: message`How the credential is sent: bearer, basic, or the name of a header. Default: bearer.`,
          })),
          ...shared(),
        }),
        run,
      ),
      { brief: message`A service that has an OpenAPI document.` },
    ),
    command(
      "mcp",
      map(
        object({
          kind: constant("mcp"),
          url: argument(string({ metavar: "URL" }), { description: message`Where it speaks streamable HTTP.` }),
          ...shared(),
        }),
        run,
      ),
      { brief: message`The tools of an MCP server.` },
    ),
    command(
      "node",
      map(object({ kind: constant("node"), url: addressArgument(), ...shared() }), run),
      { brief: message`Another node, over TCP and TLS.` },
    ),
  ),
  {
    brief: message`Offer the operations of a foreign service as your own.`,
    description:
      message`Offer the operations of a foreign service as your own, from the next start of the node. The service is asked now what it offers; the configuration gets a reference to its credential, never the credential.`,
  },
);

// deno-lint-ignore explicit-function-return-type
function shared() {
  return {
    namespace: option("--namespace", string({ metavar: "NAME" }), {
      description: message`First segment of the names that the operations get here.`,
    }),
    credential: optional(option("--credential", string({ metavar: "NAME" }), {
      description: message`Name of the credential in the vault.`,
    })),
    credentialFile: secretFileOption("--credential-file", message`File with the credential, for its owner alone.`),
    scopes: multiple(option("--scope", string({ metavar: "SCOPE" }), {
      description: message`Who has it may call. Repeat for more, of which one is enough. Default: NAME:call and admin.`,
    })),
    only: multiple(option("--only", string({ metavar: "OPERATION" }), {
      description: message`Import this operation, by its name there. Repeat for more. Default: all.`,
    })),
    ca: authoritiesOption(),
    replace: withDefault(flag("--replace", { description: message`Replace what has that namespace.` }), false),
    dryRun: withDefault(
      flag("--dry-run", { description: message`Show what would be imported, and write nothing.` }),
      false,
    ),
    home: homeOption(),
    config: configOption(),
    passphraseFile: passphraseFileOption(),
    json: jsonFlag(),
  };
}

function run(options: ImportCommandOptions): Action {
  return () => importService(options);
}

async function importService(options: ImportCommandOptions): Promise<number> {
  const { addImport } = await import("../../imports/write.ts");
  const { HANDLER_SCHEMAS } = await import("../../serving/handlers.ts");
  const { entry, operations, leftOut, config } = await addImport(options, HANDLER_SCHEMAS);
  const { dryRun, json } = options;
  if (json) {
    printJson({ import: entry, operations, leftOut, config, written: !dryRun });
    return ExitCode.DONE;
  }
  for (const { name, type } of operations) print(`${name}  ${type}`);
  for (const { method = "*", path, reason } of leftOut) note(`left out ${method} ${path}: ${reason}`);
  const what = `${operations.length} ${operations.length === 1 ? "operation" : "operations"} of ${entry.url}`;
  note(dryRun ? `${what}; nothing was written` : `${what}, in ${config}; a running node offers them after a restart`);
  return ExitCode.DONE;
}
