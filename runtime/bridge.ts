/**
 * The bridge between guests and the operation registry, both ways.
 *
 * @module
 */
import type { Identity } from "@alknet/core/handler";
import {
  type AccessDeclaration,
  CallError,
  type Dispatcher,
  type HandlerRegistration,
  type JsonValue,
  operation,
  provide,
  type Registry,
  schemaCheck,
  schemaFault,
  type Visibility,
} from "@alknet/core/operations";
import Type, { type TSchema } from "typebox";
import { GuestError } from "./errors.ts";
import type { GrantedOperation, GuestHost, GuestOperation } from "./guest.ts";

/** What of a guest the registry needs; an isolate and a process guest are both. */
export interface OfferingGuest {
  /** What it has registered. */
  readonly operations: readonly GuestOperation[];
  /** Calls a query or mutation of it. */
  invoke(name: string, input: unknown, options?: { readonly signal?: AbortSignal }): Promise<unknown>;
  /** Opens a subscription of it. */
  subscribe(name: string, input: unknown, options?: { readonly signal?: AbortSignal }): AsyncIterable<unknown>;
}

/** Options of {@linkcode guestRegistrations}. */
export interface GuestRegistrationOptions {
  /** First segment of each name: `jobs` makes `jobs/sum` of the guest's `sum`. */
  readonly namespace: string;
  /** Who may call them. Default `internal`. */
  readonly visibility?: Visibility;
  /** Which rights they need. Default: none. */
  readonly access?: AccessDeclaration;
}

/** What a guest is granted, ready for `Isolate.create` and `ProcessGuest.start`. */
export interface Grants {
  /** The operations that it may call. */
  readonly operations: readonly GrantedOperation[];
  /** What answers them. */
  readonly host: GuestHost;
}

const EXHAUSTED: ReadonlySet<string> = new Set(["E_MEMORY", "E_STACK", "E_JOBS", "E_LIMIT"]);
const LATE: ReadonlySet<string> = new Set(["E_DEADLINE", "E_TIMEOUT"]);

/**
 * What a guest has registered, as registrations that a registry takes. An abort of a call reaches into the guest.
 *
 * @throws {GuestError} `E_REFUSED`: a schema of it is not usable.
 */
export function guestRegistrations(guest: OfferingGuest, options: GuestRegistrationOptions): HandlerRegistration[] {
  const { namespace, visibility = "internal", access } = options;
  return guest.operations.map(({ name, type, input, output, description }) => {
    const called = `${namespace}/${name}`;
    for (const [what, schema] of Object.entries({ input, output })) {
      const fault = schemaFault(schemaOf(schema));
      if (fault !== undefined) throw new GuestError("E_REFUSED", `operation ${called}: its ${what} schema ${fault}`);
    }
    const declared = operation({
      name: called,
      type,
      visibility,
      access,
      description,
      input: schemaOf(input),
      output: schemaOf(output),
      errors: { RESOURCE_EXHAUSTED: { description: "the guest used up what it may use" } },
    });
    const outputFault = schemaCheck(declared.spec.output_schema, "foreign");
    const checked = (value: unknown): JsonValue => {
      const fault = outputFault(value);
      if (fault !== undefined) throw new GuestError("E_CROSSING", `operation ${called}: its output ${fault}`);
      return value as JsonValue;
    };
    const once = async (value: unknown, { signal }: { readonly signal: AbortSignal }): Promise<JsonValue> => {
      try {
        return checked(await guest.invoke(name, value, { signal }));
      } catch (error) {
        throw callErrorOf(error);
      }
    };
    const stream = async function* (value: unknown, { signal }: { readonly signal: AbortSignal }) {
      try {
        for await (const item of guest.subscribe(name, value, { signal })) yield checked(item);
      } catch (error) {
        throw callErrorOf(error);
      }
    };
    // Schemas of a guest are a stranger's: checked as those of an import are.
    return provide(declared, (type === "subscription" ? stream : once) as never, { provenance: "from_jsonschema" });
  });
}

/**
 * Grants operations of a node. Access is checked against `identity`, at each call; the grant is a second filter.
 *
 * @param registry Where the names are looked up, once.
 * @param dispatcher What runs the calls.
 * @param names Names of external operations.
 * @param identity With which rights the guest calls. Default: those of nobody.
 * @throws {GuestError} `E_REFUSED`: a name that the registry does not have.
 */
export function grants(
  registry: Registry,
  dispatcher: Pick<Dispatcher, "call" | "subscribe">,
  names: readonly string[],
  identity?: Identity,
): Grants {
  const operations = names.map((name): GrantedOperation => {
    const found = registry.find(name);
    if (found === undefined) throw new GuestError("E_REFUSED", `operation ${name} cannot be granted: there is none`);
    return { name, type: found.spec.op_type };
  });
  const host = operationHost({
    call: (name, input, signal) => dispatcher.call({ operation: name, input: input as JsonValue, identity }, signal),
    subscribe: (name, input, signal) =>
      dispatcher.subscribe({ operation: name, input: input as JsonValue, identity }, signal),
  });
  return { operations, host };
}

/** What calls operations, wherever they are. */
export interface OperationCaller {
  /** Calls a query or mutation. */
  call(name: string, input: unknown, signal: AbortSignal): Promise<unknown>;
  /** Opens a subscription. */
  subscribe(name: string, input: unknown, signal: AbortSignal): AsyncIterable<unknown>;
}

/** The host of a guest that may call operations: it keeps the subscriptions that are open. */
export function operationHost(caller: OperationCaller): GuestHost {
  const subscriptions = new Map<number, AsyncIterator<unknown>>();
  let last = 0;
  return {
    call: (name, input, signal) => caller.call(name, input, signal),
    open(name, input, signal) {
      const opened = caller.subscribe(name, input, signal);
      subscriptions.set(++last, opened[Symbol.asyncIterator]());
      return Promise.resolve(last);
    },
    async next(at) {
      const step = await subscriptions.get(at)?.next();
      if (step === undefined || step.done) subscriptions.delete(at);
      return step === undefined || step.done ? { done: true, value: null } : { done: false, value: step.value };
    },
    async end(at) {
      await subscriptions.get(at)?.return?.();
      subscriptions.delete(at);
    },
  };
}

function schemaOf(schema: unknown): TSchema {
  return typeof schema === "object" && schema !== null ? schema as TSchema : Type.Unknown();
}

function callErrorOf(error: unknown): CallError {
  const { code } = error as { code?: string };
  if (code !== undefined && EXHAUSTED.has(code)) {
    return new CallError("RESOURCE_EXHAUSTED", "the guest used up what it may use", { cause: error });
  }
  if (code !== undefined && LATE.has(code)) {
    return new CallError("TIMEOUT", "the guest did not answer in time", { cause: error });
  }
  return new CallError("INTERNAL", "internal error", { cause: error });
}
