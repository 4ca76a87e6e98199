/**
 * Contexts over tasks. The wire path and the environment are the only makers, and both come here (call.md §10.4).
 *
 * Handlers are given contexts and may try to change them: contexts and their class are frozen, and what decides about
 * rights is read from the task, not from a context.
 *
 * @module
 */
import type { Identity } from "../../identity/identity.ts";
import type { Capabilities, CompositionAuthority, OwnershipProvider, ScopedPeerEnv } from "../authoring/authority.ts";
import type { Task } from "./call_tree.ts";
import type { AbortPolicy, InvokeOptions, OperationContext, OperationEnv } from "../authoring/context.ts";
import { cancelled } from "../values/errors.ts";
import type { JsonValue } from "../values/json.ts";

const EMPTY_SCOPE: ScopedPeerEnv = Object.freeze({ allowedOps: new Set<string>(), peerPinned: new Set<string>() });

/** What a handler sees of a task. Fields are private: JSON of a context is empty, and nothing can be set. */
export class TaskContext implements OperationContext {
  readonly #task: Task;
  readonly #identity: Identity | undefined;
  readonly #capabilities: Capabilities;
  #metadata: Map<string, JsonValue> | undefined;

  /** @param identity Who calls: for a composed call the authority of whoever composes. */
  constructor(task: Task, identity: Identity | undefined, capabilities: Capabilities) {
    this.#task = task;
    this.#identity = identity;
    this.#capabilities = capabilities;
    Object.freeze(this);
  }

  /**
   * The task of a context.
   *
   * @throws {TypeError} It is not one that a handler was given.
   */
  static taskOf(context: OperationContext): Task {
    if (!(#task in context)) throw new TypeError("a parent must be the context that a handler was given");
    return context.#task;
  }

  /** The credentials of a context, as they were when it was made. */
  static capabilitiesOf(context: OperationContext): Capabilities {
    if (!(#capabilities in context)) throw new TypeError("a parent must be the context that a handler was given");
    return context.#capabilities;
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
    return scopeOf(this.#task);
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
    if (this.#task.isBelowCut) throw cancelled();
    return await this.#task.tree.env.invoke(name, input, this, options);
  }
}

// Whoever has an instance has its class, and could have it lie to everyone.
Object.freeze(TaskContext.prototype);
Object.freeze(TaskContext);

/** What the handler of a task may compose. */
export function scopeOf({ registration: { scope } }: Task): ScopedPeerEnv {
  return scope ?? EMPTY_SCOPE;
}
