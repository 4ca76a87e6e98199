/**
 * Running handlers: for a root request, and for what it composes (call.md §12, §17).
 *
 * @module
 */
import { authorityIdentity } from "../authoring/authority.ts";
import { TaskContext } from "./call_context.ts";
import { Task } from "./call_tree.ts";
import { capabilitiesOver, NO_CAPABILITIES } from "../authoring/capabilities.ts";
import type { InvokeOptions, OperationContext } from "../authoring/context.ts";
import { CallError, cancelled, mapFailure } from "../values/errors.ts";
import type { JsonValue } from "../values/json.ts";
import type { HandlerRegistration, OnceHandler, Provenance, StreamHandler } from "../authoring/registration.ts";
import { type SchemaCheck, schemaCheck } from "../authoring/schema_check.ts";
import type { ErrorDefinition } from "../authoring/spec.ts";

/** The context of a root request. */
export function rootContext(task: Task): OperationContext {
  return new TaskContext(task, task.tree.identity, task.registration.capabilities);
}

/**
 * Runs a composed call that was found and permitted: type, input, context, handler (call.md §17, steps 4 to 6).
 *
 * @throws {CallError} What went wrong.
 */
export async function runChild(
  parent: OperationContext,
  registration: HandlerRegistration,
  input: JsonValue,
  { policy, signal }: InvokeOptions,
): Promise<JsonValue> {
  const above = TaskContext.taskOf(parent);
  if (above.isBelowCut || signal?.aborted) throw cancelled();
  const { handler, spec } = registration;
  if (handler.kind === "stream") {
    throw new CallError("INVALID_OPERATION_TYPE", `${spec.name} is a subscription; subscriptions are not composed`);
  }
  const wrong = registration.checkInput(input);
  if (wrong !== undefined) throw new CallError("INVALID_INPUT", wrong);
  const { promise, resolve, reject } = Promise.withResolvers<JsonValue>();
  const task = new Task(crypto.randomUUID(), registration, above.tree, reject, above, policy ?? above.policy);
  const { authority } = above.registration;
  // Only what the node itself provides is lent the credentials of whoever composes it: no session, no import.
  const lent = registration.provenance === "local" ? TaskContext.capabilitiesOf(parent) : NO_CAPABILITIES;
  const capabilities = capabilitiesOver(registration.capabilities, lent);
  const context = new TaskContext(task, authority && authorityIdentity(authority), capabilities);
  // Not at once, so that whoever composes and is aborted in the same breath starts nothing.
  queueMicrotask(() => {
    if (!task.ended) runOnce(task, handler.fn, input, context, resolve, reject);
  });
  if (!signal) return await promise;
  const abort = (): void => task.abort();
  signal.addEventListener("abort", abort);
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Runs a handler that answers once. Nothing is told of it when the task was cut before. */
export function runOnce(
  task: Task,
  fn: OnceHandler,
  input: JsonValue,
  context: OperationContext,
  done: (output: JsonValue) => void,
  failed: (error: CallError) => void,
): void {
  const succeed = (output: JsonValue | void): void => {
    if (task.ended) return;
    task.end();
    done(output ?? null);
  };
  const fail = (failure: unknown): void => {
    if (task.ended) return;
    task.end();
    failed(failureOf(task, failure));
  };
  task.started = true;
  let answer: ReturnType<OnceHandler>;
  try {
    answer = fn(input, context);
  } catch (failure) {
    return fail(failure);
  }
  if (answer instanceof Promise) answer.then(succeed, fail);
  else succeed(answer);
}

/** Runs a handler that streams; each value is taken before the next is asked for. */
export async function runStream(
  task: Task,
  fn: StreamHandler,
  input: JsonValue,
  context: OperationContext,
  next: (output: JsonValue) => void | Promise<void>,
  done: () => void,
  failed: (error: CallError) => void,
): Promise<void> {
  task.started = true;
  let iterator: AsyncIterator<JsonValue> | undefined;
  // A generator that waits hears of it when it goes on; one that pumps something else hears at once.
  const release = async (): Promise<void> => {
    try {
      await iterator?.return?.();
    } catch {
      // Nobody asks any more how it ends.
    }
  };
  task.release = release;
  try {
    iterator = fn(input, context)[Symbol.asyncIterator]();
    while (true) {
      const result = await iterator.next();
      if (task.ended) return;
      if (result.done) break;
      const taken = next(result.value ?? null);
      if (taken) await taken;
      if (task.ended) return;
    }
  } catch (failure) {
    if (task.ended) return;
    void release();
    task.end();
    return failed(failureOf(task, failure));
  }
  task.end();
  done();
}

/** What a caller is told of a handler's failure (call.md §8.3). */
export function failureOf(task: Task, failure: unknown): CallError {
  const { spec, provenance } = task.registration;
  const declared = spec.error_schemas;
  const { error, hidden } = mapFailure(failure, (code, details) => {
    const definition = declared.find((error) => error.code === code);
    if (!definition) return isForeignStatus(code, provenance) ? "yes" : "no";
    // What a service or a peer says of its own failure passes through: both the schema and the details are its own.
    if (provenance !== "local" && provenance !== "session") return "yes";
    return details === undefined || detailsCheck(definition)(details) === undefined ? "yes" : "misfit";
  });
  if (hidden) task.tree.hidden(task, failure);
  return error;
}

/** A foreign service answers with statuses that its description forgot; they are let through (http.md §11.2). */
function isForeignStatus(code: string, provenance: Provenance): boolean {
  return (provenance === "from_openapi" || provenance === "from_jsonschema") && /^HTTP_\d{3}$/.test(code);
}

const detailsChecks = new WeakMap<ErrorDefinition, SchemaCheck>();

function detailsCheck(definition: ErrorDefinition): SchemaCheck {
  let check = detailsChecks.get(definition);
  if (!check) detailsChecks.set(definition, check = schemaCheck(definition.schema, "foreign"));
  return check;
}
