/**
 * The one entry to the operations of a node: the wire, HTTP, WebSocket, MCP, the command line and guests all call
 * {@linkcode Dispatcher.dispatch} or one of its two shorter forms (call.md §11.1, §12).
 *
 * @module
 */
import type { Identity } from "../../identity/identity.ts";
import { foreign, type Logger, logger } from "../../log.ts";
import { denial, resourceIdOf } from "../access/access.ts";
import type { OwnershipProvider } from "../authoring/authority.ts";
import { type Clock, SYSTEM_CLOCK } from "../values/clock.ts";
import type { OperationContext } from "../authoring/context.ts";
import type { OperationLayer, PeerLayers } from "../layers/layer.ts";
import { LayeredEnv } from "./environment.ts";
import { CallError, cancelled, notFound } from "../values/errors.ts";
import { Task, type TreeOptions } from "./call_tree.ts";
import { type Deadline, Deadlines } from "../values/deadlines.ts";
import { failureOf, rootContext, runOnce, runStream } from "./execution.ts";
import type { JsonValue } from "../values/json.ts";
import { operationName } from "../values/names.ts";
import { CALL_TIMEOUT } from "../values/limits.ts";
import { type Subscription, SubscriptionQueue } from "./subscription.ts";
import type { HandlerRegistration } from "../authoring/registration.ts";
import { type SchemaCheck, schemaCheck } from "../authoring/schema_check.ts";
import type { Registry } from "../layers/registry.ts";

/** A request, from wherever it came. */
export interface CallRequest {
  /** The operation, with or without a leading slash. */
  readonly operation: string;
  /** Its input; absent is `null`. */
  readonly input?: JsonValue;
  /** Who asks; see {@linkcode requestIdentity}. */
  readonly identity?: Identity;
  /** Becomes the context's request id. Default: a fresh one. */
  readonly id?: string;
  /** What a forwarding node claims; never a right. */
  readonly forwardedFor?: Identity;
  /** The caller's wish for a time limit, in milliseconds. */
  readonly timeoutMs?: number;
  /** What the connection offers on which the request arrived. */
  readonly layer?: OperationLayer;
  /** The only kind of answer that the caller can take. Default: whichever the operation gives. */
  readonly answer?: "once" | "stream";
}

/** Where the answers of one request go. After a terminal call, nothing more comes; after an abort, nothing at all. */
export interface CallSink {
  /**
   * One value. With `last`, it is the answer of a query or mutation, and terminal. A promise holds the handler back.
   * What it throws fails the request.
   */
  responded(output: JsonValue, last: boolean): void | Promise<void>;
  /** The subscription has ended. Terminal. */
  completed(): void;
  /** The request failed. Terminal. */
  failed(error: CallError): void;
}

/** A request being served. */
export interface RunningCall {
  /** Whether it gives values until it ends, rather than one answer. */
  readonly streams: boolean;
  /** Stops it and, by policy, what it composed. The sink hears nothing more. Twice is harmless. */
  abort(): void;
}

/** Options of {@linkcode Dispatcher}. */
export interface DispatcherOptions {
  /** The node's operations. */
  readonly registry: Registry;
  /** Operations of the caller's session, if it has one. */
  readonly sessions?: (context: OperationContext) => OperationLayer | undefined;
  /** Peers whose operations every request may compose. Default: those of its own connection alone. */
  readonly peers?: PeerLayers;
  /** Who owns what. */
  readonly ownership?: OwnershipProvider;
  /** Time for a query or mutation, in milliseconds. Default 30 000. */
  readonly timeout?: number;
  /**
   * What becomes of values that break the output schema: `trust` does not look, `log` sends and logs them, `refuse`
   * answers `INTERNAL`. Default `trust`.
   */
  readonly outputs?: "trust" | "log" | "refuse";
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: `alknet.call`. */
  readonly log?: Logger;
}

const ENDED: RunningCall = { streams: false, abort: () => {} };

/** Finds, authorises, checks and runs operations. */
export class Dispatcher {
  /** The node's operations. */
  readonly registry: Registry;
  /** The clock of deadlines. */
  readonly clock: Clock;
  /** Time for a query or mutation, in milliseconds. */
  readonly timeout: number;
  readonly #options: DispatcherOptions;
  readonly #log: Logger;
  readonly #deadlines: Deadlines;
  readonly #outputChecks = new WeakMap<HandlerRegistration, SchemaCheck>();

  /**
   * A dispatcher over a registry.
   *
   * @param options The registry, and what surrounds it.
   */
  constructor(options: DispatcherOptions) {
    const { registry, timeout = CALL_TIMEOUT, clock = SYSTEM_CLOCK, log = logger("call") } = options;
    this.registry = registry;
    this.clock = clock;
    this.timeout = timeout;
    this.#options = options;
    this.#log = log;
    this.#deadlines = new Deadlines(clock);
  }

  /** External operations that somebody may call, in order of name: what every projection lists. */
  permitted(identity: Identity | undefined): Iterable<HandlerRegistration> {
    return this.registry.permitted(identity, this.#options.ownership);
  }

  /** Serves a request. Never throws: what is wrong goes to the sink, possibly before this returns. */
  dispatch(request: CallRequest, sink: CallSink): RunningCall {
    const { identity, input = null } = request;
    const name = operationName(request.operation);
    const registration = this.registry.find(name);
    if (registration?.spec.visibility !== "external") {
      sink.failed(notFound(name, this.registry.suggestion(name, identity, this.#options.ownership)));
      return ENDED;
    }
    const { handler } = registration;
    const error = this.#refusal(registration, request, input);
    if (error) {
      sink.failed(error);
      return ENDED;
    }
    const limit = timeLimit(request.timeoutMs, handler.kind === "once" ? this.timeout : undefined);
    let deadline: Deadline | undefined;
    let over = false;
    const tree = this.#tree(request, limit, () => {
      over = true;
      deadline?.cancel();
    });
    // Cut for whatever reason but time, the caller has gone and hears nothing.
    const task: Task = new Task(request.id ?? crypto.randomUUID(), registration, tree, (error) => {
      if (error.code === "TIMEOUT") sink.failed(error);
    });
    const context = rootContext(task);
    const session = this.#session(context);
    if (session) tree.env = this.#env(request, session);
    const failed = (failure: CallError): void => sink.failed(failure);
    if (handler.kind === "once") {
      const done = (output: JsonValue): void => this.#answer(task, sink, output);
      runOnce(task, handler.fn, input, context, done, failed);
    } else {
      const next = (output: JsonValue): void | Promise<void> => {
        this.#checkOutput(registration, output);
        return sink.responded(output, false);
      };
      runStream(task, handler.fn, input, context, next, () => sink.completed(), failed);
    }
    // What ended at once, with all that it composed, never waits, and so needs none.
    if (limit !== undefined && !over) deadline = this.#deadlines.after(limit, () => task.expire(), tree.deadline);
    return { streams: handler.kind === "stream", abort: () => task.abort() };
  }

  /**
   * Serves a request that has one answer.
   *
   * @param signal Aborts it.
   * @throws {CallError} What went wrong; `INVALID_OPERATION_TYPE` for a subscription.
   */
  call(request: CallRequest, signal?: AbortSignal): Promise<JsonValue> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const settled = (): void => signal?.removeEventListener("abort", abort);
      let running = ENDED;
      const abort = (): void => {
        running.abort();
        reject(cancelled());
      };
      signal?.addEventListener("abort", abort, { once: true });
      running = this.dispatch({ ...request, answer: "once" }, {
        responded: (output) => (settled(), resolve(output)),
        completed: settled,
        failed: (error) => (settled(), reject(error)),
      });
      // A handler that runs at once may have led to the abort before there was anything to abort.
      if (signal?.aborted) running.abort();
    });
  }

  /**
   * Serves a subscription, once the first value is asked for. Leaving the loop aborts it.
   *
   * @param signal Aborts it: the loop then throws.
   * @throws {CallError} From the loop: what went wrong; `INVALID_OPERATION_TYPE` for a query or mutation.
   */
  subscribe(request: CallRequest, signal?: AbortSignal): Subscription {
    let running = ENDED;
    const settled = (): void => signal?.removeEventListener("abort", abort);
    const abort = (): void => {
      running.abort();
      subscription.failed(cancelled());
    };
    const subscription: SubscriptionQueue = new SubscriptionQueue({
      begin: () => {
        if (signal?.aborted) return subscription.failed(signal.reason);
        signal?.addEventListener("abort", abort, { once: true });
        running = this.dispatch({ ...request, answer: "stream" }, {
          // It has a consumer of its own, so it is held back rather than cut off.
          responded: (output) => subscription.responded(output, 0) as void | Promise<void>,
          completed: () => (settled(), subscription.completed()),
          failed: (error) => (settled(), subscription.failed(error)),
        });
        if (signal?.aborted) running.abort();
      },
      leave: () => {
        settled();
        running.abort();
      },
    });
    subscription.own = true;
    return subscription;
  }

  /** Why a request does not reach its handler. Whoever is asked who owns what may fail: then nobody may pass. */
  #refusal(registration: HandlerRegistration, request: CallRequest, input: JsonValue): CallError | undefined {
    const { spec, handler } = registration;
    try {
      const { ownership } = this.#options;
      const reason = denial(spec.access_control, request.identity, resourceIdOf(spec, input), ownership);
      if (reason !== undefined) return new CallError("FORBIDDEN", reason);
      if (request.answer && request.answer !== handler.kind) {
        return new CallError("INVALID_OPERATION_TYPE", `${spec.name} is a ${spec.op_type}`);
      }
      const wrong = registration.checkInput(input);
      return wrong === undefined ? undefined : new CallError("INVALID_INPUT", wrong);
    } catch (failure) {
      this.#log.warn("a request for {operation} could not be checked: {message}", {
        operation: spec.name,
        message: foreign(failure instanceof Error ? failure.message : String(failure)),
      });
      return new CallError("INTERNAL", "handler failed");
    }
  }

  /** Gives the answer, unless it is none or no JSON; the handler's task has ended by then. */
  #answer(task: Task, sink: CallSink, output: JsonValue): void {
    try {
      this.#checkOutput(task.registration, output);
      sink.responded(output, true);
    } catch (failure) {
      sink.failed(failureOf(task, failure));
    }
  }

  /** Looks at what a handler gives, where that was asked for (call.md §10.1). */
  #checkOutput(registration: HandlerRegistration, output: JsonValue): void {
    const { outputs = "trust" } = this.#options;
    if (outputs === "trust") return;
    let check = this.#outputChecks.get(registration);
    if (!check) this.#outputChecks.set(registration, check = schemaCheck(registration.spec.output_schema, "foreign"));
    const wrong = check(output);
    if (wrong === undefined) return;
    const { name } = registration.spec;
    this.#log.warn("{operation} gave what its schema forbids: {wrong}", { operation: name, wrong: foreign(wrong) });
    if (outputs === "refuse") throw new CallError("INTERNAL", `${name} gave what its schema forbids: ${wrong}`);
  }

  #tree(request: CallRequest, limit: number | undefined, over: () => void): TreeOptions {
    return {
      identity: request.identity,
      forwardedFor: request.forwardedFor,
      env: this.#env(request),
      ownership: this.#options.ownership,
      clock: this.clock,
      deadline: limit === undefined ? undefined : this.clock.now() + limit,
      hidden: this.#hidden,
      cutAll: this.#cutAll,
      over,
    };
  }

  #env(request: CallRequest, session?: OperationLayer): LayeredEnv {
    return new LayeredEnv({ session, connection: request.layer, peers: this.#options.peers, base: this.registry });
  }

  /** A source of sessions that fails costs the request its session, not its answer. */
  #session(context: OperationContext): OperationLayer | undefined {
    try {
      return this.#options.sessions?.(context);
    } catch (error) {
      this.#log.warn("no session for {operation}: {message}", {
        operation: context.operation,
        message: foreign(error instanceof Error ? error.message : String(error)),
      });
    }
  }

  readonly #hidden = (task: Task, failure: unknown): void => {
    this.#log.warn("handler of {operation} failed: {message}", {
      operation: task.registration.spec.name,
      message: foreign(failure instanceof Error ? failure.message : String(failure)),
    });
  };

  readonly #cutAll = (ids: readonly string[]): void => {
    this.#log.debug("cut {count} calls: {ids}", { count: ids.length, ids: foreign(ids.join(" ")) });
  };
}

function timeLimit(wish: number | undefined, own: number | undefined): number | undefined {
  if (wish === undefined || !Number.isSafeInteger(wish) || wish <= 0) return own;
  return own === undefined ? wish : Math.min(wish, own);
}
