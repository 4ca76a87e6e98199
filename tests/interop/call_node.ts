/**
 * The node that the independent client of the call protocol talks to: operations that succeed, fail, wait, stream, compose
 * and call back, each in the way that a row of call.md §26 asks for.
 *
 * Nothing here waits for time: what has to last waits on a named gate, which another call opens.
 *
 * @module
 */
import { type Endpoint, type ListenOptions, router } from "@alknet/core";
import type { Identity, IdentityProvider } from "@alknet/core/handler";
import { createToken } from "@alknet/core/identity";
import {
  CallError,
  Dispatcher,
  type DispatcherOptions,
  type HandlerRegistration,
  type JsonValue,
  nodeRegistry,
  operation,
  type OperationContext,
  provide,
  SessionLayer,
} from "@alknet/core/operations";
import { call, type CallHandlerOptions, type CallPeer, CallSession } from "@alknet/handlers/call";
import Type from "typebox";
import { forever, query, silent, stream } from "./call_operations.ts";

/** A node with the operations of the cases. */
export interface CallNode extends AsyncDisposable {
  /** It listens. */
  readonly endpoint: Endpoint;
  /** Tokens by the name of the identity that they stand for. */
  readonly tokens: Readonly<Record<string, string>>;
  /** What they did. */
  readonly operations: CaseOperations;
}

/** What can be counted from outside. */
export interface Counters {
  /** Runs of `counters/bump`. */
  bumped: number;
  /** Calls that wait at a gate. */
  waiting: number;
  /** Waiting calls whose signal was aborted. */
  aborted: number;
  /** Streams whose iterator has not been returned. */
  open: number;
}

const SCOPES: Readonly<Record<string, readonly string[]>> = {
  notes: ["notes:write"],
  files: ["files:read"],
  fleeting: [],
  admin: ["admin", "notes:write", "files:read", "a"],
  peer: ["a"],
  nobody: [],
};

/** The operations, over state of their own. */
export class CaseOperations {
  readonly counters: Counters = { bumped: 0, waiting: 0, aborted: 0, open: 0 };
  readonly tokens: Record<string, string> = Object.fromEntries(
    Object.keys(SCOPES).map((name) => [name, createToken()]),
  );
  /** Values that `count/up` has made. */
  counted = 0;
  /** The connections that run. */
  readonly peers = new Set<CallSession>();
  /** Operations of the session that every request has. */
  readonly session: SessionLayer = new SessionLayer({
    authority: { label: "session", scopes: [], resources: {} },
    scope: { allowedOps: new Set(), peerPinned: new Set() },
  });
  readonly #revoked = new Set<string>();
  readonly #gates = new Map<string, PromiseWithResolvers<void>>();
  readonly #changed = new Set<() => void>();

  constructor() {
    const declared = operation({ name: "session/own", type: "query", input: Type.Unknown(), output: Type.Unknown() });
    this.session.add(provide(declared, () => "of the session", { provenance: "session" }));
  }

  /** A dispatcher of them. */
  dispatcher(options: Partial<DispatcherOptions> = {}): Dispatcher {
    const registry = nodeRegistry(this.registrations());
    return new Dispatcher({ registry, sessions: () => this.session, ...options });
  }

  /** Notes a connection for as long as it runs. */
  readonly connected = (peer: CallPeer): void => {
    if (!(peer instanceof CallSession)) throw new TypeError("a connection is a session");
    this.peers.add(peer);
    peer.closed.then(() => this.peers.delete(peer));
  };

  /** Knows the tokens, and one fingerprint as the peer with scope `a`. */
  provider(fingerprint: string): IdentityProvider {
    return {
      resolveFingerprint: (given) => given === fingerprint ? identity("peer", ["a"]) : undefined,
      resolveToken: (given) => {
        const name = Object.keys(this.tokens).find((name) => this.tokens[name] === given && !this.#revoked.has(name));
        return name === undefined ? undefined : identity(name, SCOPES[name]);
      },
    };
  }

  /** What is registered. */
  registrations(): HandlerRegistration[] {
    return [...this.#plain(), ...this.#failing(), ...this.#restricted(), ...this.#lasting(), ...this.#backwards()];
  }

  /** Resolves once the counters are as asked. */
  async reached(wanted: Partial<Counters>, signal?: AbortSignal): Promise<void> {
    const isReached = () =>
      Object.entries(wanted).every(([name, value]) => this.counters[name as keyof Counters] === value);
    while (!isReached()) {
      signal?.throwIfAborted();
      await new Promise<void>((resolve) => this.#changed.add(resolve));
    }
  }

  /** Lets those through who wait at a gate. */
  open(gate: string): void {
    this.#gate(gate).resolve();
    this.#gates.delete(gate);
  }

  #plain(): HandlerRegistration[] {
    const numbers = Type.Object({ a: Type.Number(), b: Type.Number() });
    const add = operation({ name: "math/add", type: "query", input: numbers, output: Type.Number() });
    const sum = operation({
      name: "compose/sum",
      type: "query",
      input: Type.Object({ values: Type.Array(Type.Number()) }),
      output: Type.Number(),
    });
    return [
      query("clock/now", () => ({ iso: "2026-07-18T09:30:00Z" })),
      provide(add, ({ a, b }) => a + b),
      query("math/slow", async (input) => {
        const { turns } = input as { turns: number };
        for (let n = 0; n < turns; n++) await new Promise((resolve) => setTimeout(resolve, 0));
        return "done";
      }),
      query("echo/input", (input, { identity, forwardedFor }) => ({
        input,
        identity: identity ? { ...identity } : null,
        forwarded_for: forwardedFor ? { ...forwardedFor } : null,
      })),
      provide(sum, async ({ values }, context) => {
        let total = 0;
        for (const value of values) total = await context.invoke("math/add", { a: total, b: value }) as number;
        return total;
      }, { scope: { allowedOps: new Set(["math/add"]), peerPinned: new Set() } }),
      provide(
        operation({
          name: "counters/bump",
          type: "mutation",
          input: Type.Union([Type.Null(), Type.Object({ by: Type.Optional(Type.Integer()) })]),
          output: Type.Null(),
        }),
        () => {
          this.counters.bumped++;
          return null;
        },
      ),
      query("counters/read", () => ({ ...this.counters })),
      // Answers once the counters are as asked.
      query("counters/quiet", async (input, { signal }) => {
        await this.reached(input as Partial<Counters>, signal);
        return { ...this.counters };
      }),
    ];
  }

  #failing(): HandlerRegistration[] {
    return [
      query("fail/undefined-output", () => undefined),
      query("fail/undeclared", () => {
        throw new CallError("QUOTA", "disk quota reached", { details: { limit: 1048576 } });
      }),
      query("fail/throw", () => {
        throw new Error("password=hunter2");
      }),
      query("fail/value", () => {
        throw "password=hunter2";
      }),
      query("fail/undefined", () => Promise.reject(undefined)),
    ];
  }

  #restricted(): HandlerRegistration[] {
    const read = operation({
      name: "files/read",
      type: "query",
      input: Type.Object({ path: Type.String() }),
      output: Type.Object({ data: Type.String() }),
      errors: {
        FILE_NOT_FOUND: {
          description: "path does not exist",
          details: Type.Object({ path: Type.String() }),
          httpStatus: 404,
        },
      },
      access: { scopes: ["files:read"] },
    });
    const create = operation({
      name: "notes/create",
      type: "mutation",
      input: Type.Object({ title: Type.String(), body: Type.Optional(Type.String()) }),
      output: Type.Object({ noteId: Type.String() }),
      access: { scopes: ["notes:write"] },
    });
    const revoke = operation({
      name: "control/revoke",
      type: "mutation",
      input: Type.Object({ name: Type.String() }),
      output: Type.Null(),
      access: { scopes: ["admin"] },
    });
    return [
      provide(read, ({ path }) => {
        if (path === "/no/details") throw new CallError("FILE_NOT_FOUND", "no such file");
        throw new CallError("FILE_NOT_FOUND", "no such file", { details: { path } });
      }),
      provide(create, () => ({ noteId: "n-204" })),
      query("notes/reindex", () => "done", { visibility: "internal" }),
      provide(revoke, ({ name }) => {
        this.#revoked.add(name);
        return null;
      }),
      query("restricted/a", (_input, { identity }) => identity!.id, { access: { scopes: ["a"] } }),
      query("identity/wait", async (input, context) => {
        await this.#wait(input, context);
        return { ...context.identity! };
      }),
    ];
  }

  #lasting(): HandlerRegistration[] {
    const follow = operation({
      name: "log/follow",
      type: "subscription",
      input: Type.Object({ lines: Type.Integer(), fail: Type.Optional(Type.Boolean()) }),
      output: Type.Object({ line: Type.Integer() }),
      errors: { SOURCE_LOST: { description: "the source went away" } },
    });
    return [
      provide(follow, async function* (this: void, { lines, fail }) {
        for (let line = 0; line < lines; line++) yield { line };
        if (fail) throw new CallError("SOURCE_LOST", "upstream gone", { retryable: true, details: { after: lines } });
      }),
      stream("log/forever", (context) => this.#counted(forever(context))),
      stream("log/silent", (context) => this.#counted(silent(context))),
      // One value for each gate, once it is open.
      stream("log/gates", (context, input) => this.#gated((input as { gates: string[] }).gates, context)),
      stream("count/up", (_context, input) => this.#counted(this.#count((input as { to: number }).to))),
      query("gate/wait", async (input, context) => {
        await this.#wait(input, context);
        return "opened";
      }),
      query("gate/open", (input) => {
        this.open((input as { gate: string }).gate);
        return null;
      }),
    ];
  }

  #backwards(): HandlerRegistration[] {
    const ask = (input: unknown) => this.#askPeer((input as { input?: JsonValue }).input ?? null);
    return [
      query("worker/ask", ask),
      query("worker/ask-later", async (input, context) => {
        await this.#wait(input, context);
        return await ask({});
      }),
    ];
  }

  /** Asks who is connected. Cases run one after another, but the connection of the one before may still be ending. */
  async #askPeer(input: JsonValue): Promise<JsonValue> {
    for (const peer of this.peers) {
      try {
        return await peer.call("worker/status", input);
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
      }
    }
    throw new CallError("INTERNAL", "nobody is connected who has worker/status");
  }

  async #wait(input: unknown, { signal }: OperationContext): Promise<void> {
    const aborted = () => {
      this.counters.aborted++;
      this.#tell();
      stop.reject(signal.reason);
    };
    const stop = Promise.withResolvers<void>();
    stop.promise.catch(() => {});
    signal.addEventListener("abort", aborted);
    this.counters.waiting++;
    this.#tell();
    try {
      await Promise.race([this.#gate((input as { gate: string }).gate).promise, stop.promise]);
    } finally {
      signal.removeEventListener("abort", aborted);
      this.counters.waiting--;
      this.#tell();
    }
  }

  #gate(name: string): PromiseWithResolvers<void> {
    const known = this.#gates.get(name);
    if (known) return known;
    const made = Promise.withResolvers<void>();
    this.#gates.set(name, made);
    return made;
  }

  async *#gated(gates: readonly string[], context: OperationContext): AsyncGenerator<string> {
    for (const gate of gates) {
      await this.#wait({ gate }, context);
      yield gate;
    }
  }

  async *#count(to: number): AsyncGenerator<number> {
    for (let n = 0; n < to; n++) {
      this.counted++;
      yield n;
    }
  }

  async *#counted<T>(values: AsyncIterable<T>): AsyncGenerator<T> {
    this.counters.open++;
    this.#tell();
    try {
      yield* values;
    } finally {
      this.counters.open--;
      this.#tell();
    }
  }

  #tell(): void {
    for (const resolve of this.#changed) resolve();
    this.#changed.clear();
  }
}

/** Starts a node with the operations of the cases. */
export async function startCallNode(
  fingerprint: string,
  options: Partial<ListenOptions> = {},
  handlerOptions: CallHandlerOptions & Pick<DispatcherOptions, "timeout" | "clock"> = {},
): Promise<CallNode> {
  const operations = new CaseOperations();
  const { timeout, clock, ...rest } = handlerOptions;
  const dispatcher = operations.dispatcher({ timeout, clock });
  const handler = call(dispatcher, { ...rest, onConnection: operations.connected });
  const endpoint = await router().use(handler).listen({
    transports: ["tls"],
    identityProvider: operations.provider(fingerprint),
    drain: 0,
    ...options,
  });
  return {
    endpoint,
    tokens: operations.tokens,
    operations,
    [Symbol.asyncDispose]: () => endpoint.shutdown(),
  };
}

function identity(id: string, scopes: readonly string[]): Identity {
  return { id, scopes, resources: {} };
}
