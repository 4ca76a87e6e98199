/**
 * Operations of another node, as the commands that call them share it.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { CallError, JsonValue, ListedOperation, PublishedSpec } from "@alknet/core/operations";
import type { CallClient } from "@alknet/handlers/call";
import { ExitCode, printJson, UsageError } from "../terminal/output.ts";
import { givenToken, prepareReach, type ReachOptions } from "./reach.ts";
import { schemaText } from "./schema_text.ts";
import { StopSignals } from "../terminal/signals.ts";

/** Schemas that are asked for at the same time. */
const SCHEMAS_AT_ONCE = 64;

/**
 * Connects to a node for calls. The token, where one is given, goes with every request.
 *
 * @throws {DialError} The node cannot be reached.
 */
export async function openRemote(options: ReachOptions, signal: AbortSignal): Promise<CallClient> {
  const [token, dial, { CALL_ALPN, CallConnection, clientOf }] = await Promise.all([
    givenToken(options),
    prepareReach(options),
    import("@alknet/handlers/call"),
  ]);
  return clientOf(new CallConnection(await dial(CALL_ALPN, signal)), { token });
}

/** The operations that the node shows us. */
export async function listOperations(client: CallClient, signal: AbortSignal): Promise<ListedOperation[]> {
  const answer = await client.call("services/list", {}, { signal }) as { operations?: unknown } | null;
  if (!Array.isArray(answer?.operations)) {
    throw new AlknetError("UNEXPECTED_ANSWER", "the node's services/list holds no list of operations");
  }
  return answer.operations.filter((one) => typeof one?.name === "string" && typeof one.op_type === "string");
}

/** What the node says of one operation. */
export async function describeOperation(client: CallClient, name: string, signal: AbortSignal): Promise<PublishedSpec> {
  const answer = await client.call("services/schema", { name }, { signal });
  if (isSpec(answer)) return answer;
  throw new AlknetError("UNEXPECTED_ANSWER", `the node's services/schema describes no operation for ${name}`);
}

/** Whether an answer has what is read of a description. What a foreign node says is taken for nothing more. */
function isSpec(answer: unknown): answer is PublishedSpec {
  const { name, op_type, input_schema, output_schema, error_schemas, access_control } = (answer ?? {}) as Partial<
    PublishedSpec
  >;
  const { required_scopes, required_scopes_any } = access_control ?? {};
  const texts = (list: unknown): boolean => Array.isArray(list) && list.every((one) => typeof one === "string");
  return typeof name === "string" && ["query", "mutation", "subscription"].includes(op_type as string) &&
    input_schema !== undefined && output_schema !== undefined && texts(required_scopes) &&
    (required_scopes_any === null || texts(required_scopes_any)) && Array.isArray(error_schemas) &&
    error_schemas.every((one) => typeof one?.code === "string" && typeof one.description === "string");
}

/** What the node says of each operation that it shows us, in the order of the list. */
export async function describeAll(client: CallClient, signal: AbortSignal): Promise<PublishedSpec[]> {
  const listed = await listOperations(client, signal);
  const specs: PublishedSpec[] = [];
  for (let at = 0; at < listed.length; at += SCHEMAS_AT_ONCE) {
    const some = listed.slice(at, at + SCHEMAS_AT_ONCE);
    specs.push(...await Promise.all(some.map(({ name }) => describeOperation(client, name, signal))));
  }
  return specs;
}

/**
 * The input that a command line gives: JSON, or `-` for JSON on stdin. Nothing is `null`.
 *
 * @throws {UsageError} It is no JSON.
 */
export async function readInput(given: string | undefined): Promise<JsonValue> {
  if (given === undefined) return null;
  const text = given === "-" ? await new Response(Deno.stdin.readable).text() : given;
  try {
    return JSON.parse(text);
  } catch (error) {
    const where = given === "-" ? "on stdin" : "of the command line";
    throw new UsageError(`the input ${where} is no JSON: ${(error as Error).message}. Text needs quotes: '"text"'`);
  }
}

/**
 * Runs what a command does with a node, until it is done or ctrl-C.
 *
 * @returns The exit code.
 */
export async function withRemote(
  options: ReachOptions & { readonly json: boolean },
  run: (client: CallClient, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  using signals = new StopSignals();
  const interrupted = new AbortController();
  signals.first.then(() => interrupted.abort());
  const { CallError } = await import("@alknet/core/operations");
  try {
    await using client = await openRemote(options, interrupted.signal);
    return await run(client, interrupted.signal);
  } catch (error) {
    if (interrupted.signal.aborted) return ExitCode.INTERRUPTED;
    if (!(error instanceof CallError)) throw error;
    // For programs a failure is an answer, which they read where they read the others.
    if (options.json) printJson({ error: errorPayloadOf(error) });
    throw new AlknetError(error.code, `${error.code}: ${error.message}`, { cause: error });
  }
}

/**
 * Calls an operation by the way that fits its type; what is wrong with the input is said together with what fits.
 *
 * @param way The command that runs.
 * @throws {UsageError} The operation is called by the other way.
 * @throws {CallError} What the node answered.
 */
export async function explained<T>(
  client: CallClient,
  { address, operation }: { readonly address: string; readonly operation: string },
  way: "call" | "subscribe",
  signal: AbortSignal,
  run: () => Promise<T>,
): Promise<T> {
  const { CallError } = await import("@alknet/core/operations");
  // What may not be seen is the business of the call itself, whose error says most.
  const spec = await describeOperation(client, operation, signal).catch((error) => {
    if (error instanceof CallError) return;
    throw error;
  });
  if (spec && (spec.op_type === "subscription") !== (way === "subscribe")) {
    const other = way === "call" ? "subscribe" : "call";
    throw new UsageError(`${operation} is a ${spec.op_type}; use: alknet ${other} ${address} ${operation}`);
  }
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof CallError) || error.code !== "INVALID_INPUT" || !spec) throw error;
    const { code, message, retryable, details } = error;
    const fits = `${message}; the input is ${schemaText(spec.input_schema)}`;
    throw new CallError(code, fits, { retryable, details, cause: error });
  }
}

function errorPayloadOf({ code, message, retryable, details }: CallError): Record<string, unknown> {
  return { code, message, retryable, details };
}
