/**
 * `alknet ops`: the operations that a node shows us, their schemas, and types for programs that call them.
 *
 * @module
 */
import type { PublishedSpec } from "@alknet/core/operations";
import type { CallClient } from "@alknet/handlers/call";
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional, withDefault } from "@optique/core/modifiers";
import { command, flag } from "@optique/core/primitives";
import type { Action, Command } from "../../grammar/action.ts";
import { jsonFlag } from "../../grammar/arguments.ts";
import { operationParsers } from "../../reaching/operation_names.ts";
import { ExitCode, note, print, printJson, UsageError } from "../../terminal/output.ts";
import { type ReachOptions, reachOptions } from "../../reaching/reach.ts";
import { schemaText } from "../../reaching/schema_text.ts";
import { describeAll, describeOperation, listOperations, withRemote } from "../../reaching/remote.ts";

interface OpsOptions extends ReachOptions {
  readonly operation?: string;
  readonly types: boolean;
  readonly json: boolean;
}

const { operation, ...named } = operationParsers();

/** `alknet ops ADDRESS [OPERATION]`. */
export const opsCommand: Command = command(
  "ops",
  map(
    object({
      ...reachOptions(),
      ...named,
      operation: optional(operation),
      types: withDefault(
        flag("--types", { description: message`Print TypeScript types of them all, for connectCall.` }),
        false,
      ),
      json: jsonFlag(),
    }),
    (options): Action => () => ops(options),
  ),
  {
    brief: message`List the operations of a node, or describe one.`,
    description:
      message`List the operations of a node that we may call, or describe one. With --types, print their TypeScript types: alknet ops ADDRESS --types > remote.d.ts`,
  },
);

async function ops(options: OpsOptions): Promise<number> {
  if (options.types && options.operation !== undefined) {
    throw new UsageError("--types prints the types of all operations; leave OPERATION away");
  }
  return await withRemote(options, async (client, signal) => {
    if (options.types) await printTypes(client, options, signal);
    else if (options.operation !== undefined) {
      printOperation(await describeOperation(client, options.operation, signal), options);
    } else await printList(client, options, signal);
    return ExitCode.DONE;
  });
}

async function printList(client: CallClient, { json }: OpsOptions, signal: AbortSignal): Promise<void> {
  const listed = await listOperations(client, signal);
  const width = Math.max(0, ...listed.map(({ name }) => name.length));
  for (const { name, op_type } of listed) {
    if (json) printJson({ name, type: op_type });
    else print(`${name.padEnd(width)}  ${op_type}`);
  }
  if (listed.length === 0 && !json) note("the node shows no operations");
}

async function printTypes(client: CallClient, options: OpsOptions, signal: AbortSignal): Promise<void> {
  const { operationTypes } = await import("@alknet/core/operations");
  const text = operationTypes(await describeAll(client, signal), { source: options.address });
  if (options.json) printJson({ types: text });
  else print(text.trimEnd());
}

function printOperation(spec: PublishedSpec, { json }: OpsOptions): void {
  if (json) return printJson({ ...spec });
  const { required_scopes, required_scopes_any, resource_type, resource_action } = spec.access_control;
  const resource = [resource_type, resource_action].filter((part) => part !== null).join("/");
  const needs = [
    ...(required_scopes.length > 0 ? [`scope ${required_scopes.join(" and ")}`] : []),
    ...(required_scopes_any ? [`scope ${required_scopes_any.join(" or ")}`] : []),
    ...(resource === "" ? [] : [`resource ${resource}`]),
  ];
  print(`${spec.name}  ${spec.op_type}`);
  print(`needs   ${needs.join(", ") || "nothing"}`);
  print(`input   ${schemaText(spec.input_schema)}`);
  print(`output  ${schemaText(spec.output_schema)}`);
  for (const { code, description } of spec.error_schemas) print(`error   ${code}: ${description}`);
}
