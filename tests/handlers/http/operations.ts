/**
 * Operations for tests of the HTTP projection, and those who call them.
 *
 * @module
 */
import type { IdentityProvider } from "@alknet/core/handler";
import {
  CallError,
  type Clock,
  Dispatcher,
  type JsonValue,
  nodeRegistry,
  operation,
  provide,
  SYSTEM_CLOCK,
} from "@alknet/core/operations";
import { http, type HttpOptions } from "@alknet/handlers/http";
import Type from "typebox";

/** A token whose bearer may do everything that the operations ask for. */
export const WRITER = "alk_writer";
/** A token whose bearer may read files. */
export const READER = "alk_reader";
/** A token whose bearer may do nothing. */
export const NOBODY = "alk_nobody";

const SCOPES: Readonly<Record<string, readonly string[]>> = {
  [WRITER]: ["notes:write", "files:read", "log:read"],
  [READER]: ["files:read"],
  [NOBODY]: [],
};

/** Knows the three tokens, until one is revoked. */
export class Tokens implements IdentityProvider {
  /** Tokens that count no longer. */
  readonly revoked = new Set<string>();

  resolveFingerprint(): undefined {}

  resolveToken(token: string | Uint8Array): ReturnType<IdentityProvider["resolveToken"]> {
    const text = typeof token === "string" ? token : new TextDecoder().decode(token);
    const scopes = this.revoked.has(text) ? undefined : SCOPES[text];
    return scopes && { id: text.slice(4), scopes, resources: {} };
  }
}

/** A clock that the test turns. */
export class TestClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  /** Timers that are set. */
  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.#now + milliseconds, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Lets time pass; what is due is called, in order. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.callback();
    }
    this.#now = end;
  }
}

/** What the operations did. */
export class Witness {
  /** What happened, in order. */
  readonly events: string[] = [];
  /** Values that `stream/endless` produced. */
  produced = 0;
  /** Lets `stream/steps` give its next value. */
  step: () => void = () => {};
  readonly #awaited = new Map<string, () => void>();

  /** Notes that something happened. */
  note(event: string): void {
    this.events.push(event);
    this.#awaited.get(event)?.();
  }

  /** Waits until it happened. */
  until(event: string): Promise<void> {
    if (this.events.includes(event)) return Promise.resolve();
    return new Promise((resolve) => this.#awaited.set(event, resolve));
  }
}

const nothing = Type.Object({});
const anything = Type.Unknown();

const now = operation({
  name: "clock/now",
  type: "query",
  input: nothing,
  output: Type.Object({ iso: Type.String() }),
});
const add = operation({
  name: "math/add",
  type: "query",
  description: "adds two numbers",
  input: Type.Object({ a: Type.Number(), b: Type.Number() }),
  output: Type.Number(),
});
const create = operation({
  name: "notes/create",
  type: "mutation",
  input: Type.Object({ title: Type.String() }),
  output: Type.Object({ noteId: Type.String() }),
  access: { scopes: ["notes:write"] },
});
const reindex = operation({
  name: "notes/reindex",
  type: "mutation",
  visibility: "internal",
  input: nothing,
  output: anything,
});
const pets = operation({ name: "shop/pets", type: "query", visibility: "internal", input: nothing, output: anything });
const read = operation({
  name: "files/read",
  type: "query",
  input: Type.Object({ path: Type.String() }),
  output: Type.String(),
  errors: { FILE_NOT_FOUND: { description: "no such file", httpStatus: 404 } },
  access: { scopes: ["files:read"] },
});
const fail = operation({
  name: "errors/fail",
  type: "query",
  input: Type.Object({
    code: Type.String(),
    retryable: Type.Optional(Type.Boolean()),
    details: Type.Optional(anything),
  }),
  output: Type.Null(),
  errors: {
    FILE_NOT_FOUND: { description: "404", httpStatus: 404 },
    PLAIN: { description: "no status" },
    ODD: { description: "a status of success", httpStatus: 200 },
    RATE_LIMITED: { description: "later", httpStatus: 429 },
    BROKEN: { description: "server error", httpStatus: 500 },
    HTTP_418: { description: "of a foreign service" },
    HTTP_200: { description: "of a strange one" },
  },
});
const echo = operation({ name: "echo/value", type: "query", input: anything, output: anything });
const typed = operation({
  name: "echo/typed",
  type: "query",
  input: Type.Object({
    flag: Type.Optional(Type.Boolean()),
    count: Type.Optional(Type.Integer()),
    nothing: Type.Optional(Type.Null()),
    list: Type.Optional(Type.Array(Type.Integer())),
    object: Type.Optional(Type.Object({ x: Type.Number() })),
    either: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
    text: Type.Optional(Type.String()),
  }),
  output: anything,
});
const context = operation({ name: "context/show", type: "query", input: nothing, output: anything });
const late = operation({ name: "echo/late", type: "query", input: anything, output: anything });
const hang = operation({ name: "hang/query", type: "query", input: anything, output: Type.Null() });
const child = operation({
  name: "hang/child",
  type: "query",
  visibility: "internal",
  input: anything,
  output: Type.Null(),
});
const crash = operation({ name: "errors/throw", type: "query", input: nothing, output: anything });
const count = operation({
  name: "stream/count",
  type: "subscription",
  input: Type.Object({ to: Type.Integer() }),
  output: Type.Object({ n: Type.Integer() }),
});
const say = operation({
  name: "stream/say",
  type: "subscription",
  input: Type.Array(anything),
  output: anything,
});
const lost = operation({
  name: "stream/lost",
  type: "subscription",
  input: nothing,
  output: anything,
  errors: { SOURCE_LOST: { description: "upstream gone" } },
});
const steps = operation({ name: "stream/steps", type: "subscription", input: nothing, output: Type.Integer() });
const silent = operation({ name: "stream/silent", type: "subscription", input: anything, output: anything });
const endless = operation({ name: "stream/endless", type: "subscription", input: anything, output: Type.String() });
const follow = operation({
  name: "log/follow",
  type: "subscription",
  input: anything,
  output: anything,
  access: { scopes: ["log:read"] },
});

/** The operations on a dispatcher of their own. */
export function testDispatcher(witness: Witness = new Witness(), clock: Clock = SYSTEM_CLOCK): Dispatcher {
  /** Waits until the call is aborted. */
  const forever = (name: string, signal: AbortSignal) =>
    new Promise<null>((_, reject) => {
      const aborted = () => {
        witness.note(`${name} aborted`);
        reject(signal.reason);
      };
      if (signal.aborted) return aborted();
      signal.addEventListener("abort", aborted);
      witness.note(`${name} started`);
    });
  const registry = nodeRegistry([
    provide(now, () => ({ iso: "2026-07-18T09:30:00Z" })),
    provide(add, ({ a, b }) => a + b),
    provide(create, ({ title }) => ({ noteId: `n-${title.length}` })),
    provide(reindex, () => null),
    provide(pets, () => null, { provenance: "from_openapi" }),
    provide(read, ({ path }) => {
      throw new CallError("FILE_NOT_FOUND", "no such file", { details: { path } });
    }),
    provide(fail, ({ code, retryable, details }) => {
      throw new CallError(code, "as asked", { retryable, details: details as JsonValue });
    }),
    provide(echo, (input) => input),
    provide(typed, (input) => input),
    provide(late, (input) => {
      witness.note("late started");
      return new Promise((resolve) => witness.step = () => resolve(input));
    }),
    provide(context, (_, { requestId, internal, forwardedFor, timeLeft, identity, abortPolicy }) => {
      return { requestId, internal, forwardedFor, timeLeft, identity, abortPolicy };
    }),
    provide(hang, async (_, context) => {
      await Promise.all([context.invoke("hang/child", null), forever("query", context.signal)]);
      return null;
    }, {
      authority: { label: "hang", scopes: [], resources: {} },
      scope: { allowedOps: new Set(["hang/child"]), peerPinned: new Set() },
    }),
    provide(child, (_, { signal }) => forever("child", signal)),
    provide(crash, () => {
      throw new Error("the secret is 42");
    }),
    provide(count, async function* ({ to }) {
      for (let n = 1; n <= to; n++) yield { n };
    }),
    provide(say, async function* (values) {
      yield* values;
    }),
    provide(lost, async function* () {
      yield { n: 1 };
      throw new CallError("SOURCE_LOST", "upstream gone", { retryable: true, details: { after: 1 } });
    }),
    provide(steps, async function* () {
      for (let n = 1; n <= 3; n++) {
        yield n;
        await new Promise<void>((resolve) => witness.step = resolve);
      }
    }),
    provide(silent, async function* (_, { signal }) {
      try {
        yield await forever("silent", signal);
      } finally {
        witness.note("silent returned");
      }
    }),
    provide(endless, async function* () {
      try {
        for (;;) {
          witness.produced++;
          yield "x".repeat(10_000);
        }
      } finally {
        witness.note("endless returned");
      }
    }),
    provide(follow, async function* () {
      yield { line: "start" };
      yield { line: "ready" };
    }),
  ]);
  return new Dispatcher({ registry, clock });
}

/** The HTTP handler with the operations behind it. */
export function testApi(options: HttpOptions = {}): ReturnType<typeof http> {
  return http({ dispatcher: testDispatcher(), ...options });
}
