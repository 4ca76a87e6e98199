/**
 * One call being served, and the tree of the calls that it composes: contexts, deadlines, abort (call.md §13, §15, §17).
 *
 * The wire path and the environment are the only makers of contexts, and both come here.
 *
 * @module
 */
import type { Identity } from "@alknet/core/handler";
import { authorityIdentity, type Capabilities, type OwnershipProvider, type ScopedPeerEnv } from "./authority.ts";
import type { CompositionAuthority } from "./authority.ts";
import { capabilitiesOver } from "./capabilities.ts";
import type { Clock } from "./clock.ts";
import type { AbortPolicy, InvokeOptions, OperationContext, OperationEnv } from "./context.ts";
import { CallError, cancelled, mapFailure, timedOut } from "./errors.ts";
import type { JsonValue } from "./json.ts";
import type { HandlerRegistration, OnceHandler, StreamHandler } from "./registration.ts";

/** What a tree of calls shares. */
export interface TreeOptions {
  /** Who made the root request. */
  readonly identity: Identity | undefined;
  /** What a forwarding node claims. */
  readonly forwardedFor: Identity | undefined;
  /** What composition reaches; set once more where a session joins, before the handler runs. */
  env: OperationEnv;
  /** Who owns what. */
  readonly ownership: OwnershipProvider | undefined;
  /** The clock of deadlines. */
  readonly clock: Clock;
  /** When the tree ends in `TIMEOUT`. */
  readonly deadline: number | undefined;
  /** Told of a failure whose text no caller may see. */
  readonly hidden: (task: Task, failure: unknown) => void;
}

const EMPTY_SCOPE: ScopedPeerEnv = { allowedOps: new Set(), peerPinned: new Set() };

/** A call in the tree. */
export class Task {
  /** Id on the wire for a root, a fresh one below. */
  readonly id: string;
  /** What is served. */
  readonly registration: HandlerRegistration;
  /** The call that composed this one. */
  readonly parent: Task | undefined;
  /** What the tree shares. */
  readonly tree: TreeOptions;
  /** What becomes of this call when its parent is aborted. */
  readonly policy: AbortPolicy;
  /** Why the call was cut, once it was. */
  cut: CallError | undefined;
  /** Whether the handler was called. */
  started = false;
  /** Whether the handler's answer is in, or no longer of interest. */
  ended = false;
  #children: Set<Task> | undefined;
  #controller: AbortController | undefined;
  #onCut: ((error: CallError) => void) | undefined;

  /** @param onCut Told once, if the call is cut before it has ended. */
  constructor(
    id: string,
    registration: HandlerRegistration,
    tree: TreeOptions,
    onCut: (error: CallError) => void,
    parent?: Task,
    policy: AbortPolicy = "abort-dependents",
  ) {
    this.id = id;
    this.registration = registration;
    this.tree = tree;
    this.parent = parent;
    this.policy = policy;
    this.#onCut = onCut;
    if (parent) (parent.#children ??= new Set()).add(this);
  }

  /** Made when first asked for: most handlers never look at it. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.cut) this.#controller.abort(this.cut);
    }
    return this.#controller.signal;
  }

  /** The call has its answer. */
  end(): void {
    this.ended = true;
    this.#leave();
  }

  /** Cuts the call and, by their policies, what it composed. */
  abort(error: CallError): void {
    if (this.ended) return;
    this.ended = true;
    this.cut = error;
    this.#controller?.abort(error);
    this.#onCut?.(error);
    for (const child of this.#children ?? []) if (child.policy === "abort-dependents") child.abort(error);
    this.#leave();
  }

  #leave(): void {
    if (this.parent) this.parent.#children?.delete(this);
  }

  /** Whether this call or one above it was cut. */
  get belowCut(): boolean {
    return this.cut !== undefined || (this.parent?.belowCut ?? false);
  }
}

/** What a handler sees of a task. */
class TaskContext implements OperationContext {
  readonly #task: Task;
  readonly #identity: Identity | undefined;
  readonly #capabilities: Capabilities;
  #metadata: Map<string, JsonValue> | undefined;

  constructor(task: Task, identity: Identity | undefined, capabilities: Capabilities) {
    this.#task = task;
    this.#identity = identity;
    this.#capabilities = capabilities;
  }

  /** The task of a context; the class alone can read it. */
  static taskOf(context: OperationContext): Task {
    if (!(context instanceof TaskContext)) throw new TypeError("a parent is the context that a handler was given");
    return context.#task;
  }

  get requestId(): string {
    return this.#task.id;
  }
  get parentRequestId(): string | undefined {
    return this.#task.parent?.id;
  }
  get operation(): string {
    return this.#task.registration.spec.name;
  }
  get identity(): Identity | undefined {
    return this.#identity;
  }
  get rootIdentity(): Identity | undefined {
    return this.#task.tree.identity;
  }
  get handlerIdentity(): CompositionAuthority | undefined {
    return this.#task.registration.authority;
  }
  get forwardedFor(): Identity | undefined {
    return this.#task.parent ? undefined : this.#task.tree.forwardedFor;
  }
  get capabilities(): Capabilities {
    return this.#capabilities;
  }
  get metadata(): Map<string, JsonValue> {
    return this.#metadata ??= new Map();
  }
  get scopedEnv(): ScopedPeerEnv {
    return this.#task.registration.scope ?? EMPTY_SCOPE;
  }
  get env(): OperationEnv {
    return this.#task.tree.env;
  }
  get abortPolicy(): AbortPolicy {
    return this.#task.policy;
  }
  get deadline(): number | undefined {
    return this.#task.tree.deadline;
  }
  get timeLeft(): number | undefined {
    const { deadline, clock } = this.#task.tree;
    return deadline === undefined ? undefined : Math.max(0, deadline - clock.now());
  }
  get internal(): boolean {
    return this.#task.parent !== undefined;
  }
  get ownership(): OwnershipProvider | undefined {
    return this.#task.tree.ownership;
  }
  get signal(): AbortSignal {
    return this.#task.signal;
  }

  async invoke(name: string, input: JsonValue, options?: InvokeOptions): Promise<JsonValue> {
    if (this.#task.belowCut) throw cancelled();
    return await this.env.invoke(name, input, this, options);
  }
}

/** The context of a root request. */
export function rootContext(task: Task): OperationContext {
  return new TaskContext(task, task.tree.identity, task.registration.capabilities);
}

/**
 * Runs a composed call that was found and permitted: type, input, context, handler (call.md §17, steps 4 to 6).
 *
 * @throws {CallError} What went wrong.
 */
export function runChild(
  parent: OperationContext,
  registration: HandlerRegistration,
  input: JsonValue,
  policy?: AbortPolicy,
): Promise<JsonValue> {
  const above = TaskContext.taskOf(parent);
  return new Promise((resolve, reject) => {
    if (above.belowCut) throw cancelled();
    const { handler, spec } = registration;
    if (handler.kind === "stream") {
      throw new CallError("INVALID_OPERATION_TYPE", `${spec.name} is a subscription; subscriptions are not composed`);
    }
    const wrong = registration.checkInput(input);
    if (wrong !== undefined) throw new CallError("INVALID_INPUT", wrong);
    const id = crypto.randomUUID();
    const task = new Task(id, registration, above.tree, reject, above, policy ?? above.policy);
    const identity = above.registration.authority && authorityIdentity(above.registration.authority);
    const capabilities = capabilitiesOver(registration.capabilities, parent.capabilities);
    const context = new TaskContext(task, identity, capabilities);
    queueMicrotask(() => {
      if (!task.ended) runOnce(task, handler.fn, input, context, resolve, reject);
    });
  });
}

/** Runs a handler that answers once. Nothing is told when the task is cut before. */
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

/** Runs a handler that streams; each value is handed over before the next is asked for. */
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
  try {
    for await (const value of fn(input, context)) {
      if (task.ended) return;
      const accepted = next(value ?? null);
      if (accepted) await accepted;
      if (task.ended) return;
    }
  } catch (failure) {
    if (task.ended) return;
    task.end();
    return failed(failureOf(task, failure));
  }
  if (task.ended) return;
  task.end();
  done();
}

/** What a caller is told of a handler's failure. */
function failureOf(task: Task, failure: unknown): CallError {
  const { error, hidden } = mapFailure(failure, (code) => {
    return task.registration.spec.error_schemas.some((declared) => declared.code === code) ? "yes" : "no";
  });
  if (hidden) task.tree.hidden(task, failure);
  return error;
}

/** The deadline of a tree passed. */
export function expire(task: Task): void {
  task.abort(timedOut());
}
