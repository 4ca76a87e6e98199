/**
 * The tree of calls below one request: who composed whom, who is cut when one is, and the time that all share
 * (call.md §13, §15).
 *
 * @module
 */
import type { Identity } from "../../identity/identity.ts";
import type { OwnershipProvider } from "../authoring/authority.ts";
import type { Clock } from "../values/clock.ts";
import type { AbortPolicy, OperationEnv } from "../authoring/context.ts";
import { type CallError, cancelled, timedOut } from "../values/errors.ts";
import type { HandlerRegistration } from "../authoring/registration.ts";

/** What the calls of a tree share. */
export interface TreeOptions {
  /** Who made the root request. */
  readonly identity: Identity | undefined;
  /** What a forwarding node claims. */
  readonly forwardedFor: Identity | undefined;
  /** What composition reaches; set once more where a session joins, before the handler runs. */
  env: OperationEnv;
  /** Who owns what. */
  readonly ownership: OwnershipProvider | undefined;
  /** The clock of the deadline. */
  readonly clock: Clock;
  /** When everything in the tree ends in `TIMEOUT`. */
  readonly deadline: number | undefined;
  /** Told of a failure of which the caller hears less than it says. */
  readonly hidden: (task: Task, failure: unknown) => void;
  /** Told which calls were cut, when more than one was; ids in order. */
  readonly cutAll: (ids: readonly string[]) => void;
  /** The last call of the tree has ended. */
  readonly over: () => void;
}

/** A call in a tree. */
export class Task {
  /** The id on the wire for a root, a fresh one below. */
  readonly id: string;
  /** What is served. */
  readonly registration: HandlerRegistration;
  /** The call that composed this one. */
  readonly parent: Task | undefined;
  /** What the tree shares. */
  readonly tree: TreeOptions;
  /** What becomes of this call when its parent is aborted. */
  readonly policy: AbortPolicy;
  /** Whether the handler was called. */
  started = false;
  /** Stops what streams, besides the signal. */
  release: (() => void) | undefined;
  #cut: CallError | undefined;
  #ended = false;
  /** Composed calls that run, or below which some run. */
  #children: Set<Task> | undefined;
  #controller: AbortController | undefined;
  #fail: ((error: CallError) => void) | undefined;

  /** @param fail Told once, when the call is cut or its answer is of no interest any more. */
  constructor(
    id: string,
    registration: HandlerRegistration,
    tree: TreeOptions,
    fail: (error: CallError) => void,
    parent?: Task,
    policy: AbortPolicy = "abort-dependents",
  ) {
    this.id = id;
    this.registration = registration;
    this.tree = tree;
    this.parent = parent;
    this.policy = policy;
    this.#fail = fail;
    if (parent) (parent.#children ??= new Set()).add(this);
  }

  /** Whether the answer is in, or will not come. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Made when first asked for: most handlers never look at it. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#cut) this.#controller.abort(this.#cut);
    }
    return this.#controller.signal;
  }

  /** Whether this call or one above it was cut: then it composes nothing more. */
  get isBelowCut(): boolean {
    return this.#cut !== undefined || (this.parent?.isBelowCut ?? false);
  }

  /** The call has its answer. */
  end(): void {
    this.#ended = true;
    this.#leave();
  }

  /** Cuts the call, and of what it composed whatever does not go on by itself (call.md §15.2). */
  abort(): void {
    this.#cutFrom(cancelled(), (child) => child.policy === "continue-running" && child.started);
  }

  /** The time of the tree is over: everything in it is cut, whatever its policy. */
  expire(): void {
    this.#cutFrom(timedOut(), () => false);
  }

  #cutFrom(error: CallError, goesOn: (child: Task) => boolean): void {
    const cut: string[] = [];
    // Breadth first; `survived` says that the parent goes on, and so does whatever below it has started.
    const queue: { readonly task: Task; readonly survived: boolean }[] = [{ task: this, survived: false }];
    for (const { task, survived } of queue) {
      if (!survived && !task.#ended) cut.push(task.id);
      if (!survived) task.#cutThis(error);
      for (const child of task.#children ?? []) {
        const survives = (survived && child.started) || goesOn(child);
        // Whoever waits for the answer is cut; it is thrown away.
        if (survives && !survived) child.#failOnce(error);
        queue.push({ task: child, survived: survives });
      }
    }
    for (const { task, survived } of queue.reverse()) if (!survived) task.#leave();
    if (cut.length > 1) this.tree.cutAll(cut.sort());
  }

  #cutThis(error: CallError): void {
    this.#cut ??= error;
    if (this.#ended) return;
    this.#ended = true;
    this.#controller?.abort(error);
    this.release?.();
    this.#failOnce(error);
  }

  #failOnce(error: CallError): void {
    const fail = this.#fail;
    this.#fail = undefined;
    fail?.(error);
  }

  /** Leaves the tree, once nothing runs below: until then whoever is above must find it. */
  #leave(): void {
    if (!this.#ended || (this.#children && this.#children.size > 0)) return;
    if (!this.parent) return this.tree.over();
    if (this.parent.#children?.delete(this)) this.parent.#leave();
  }
}
