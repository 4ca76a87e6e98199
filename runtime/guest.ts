/**
 * What host and guest agree on: what a guest may call, what it offers, and who answers it.
 *
 * @module
 */

/** How an operation answers. */
export type GuestOperationType = "query" | "mutation" | "subscription";

/** An operation that a guest may call. */
export interface GrantedOperation {
  /** Its name in the registry. */
  readonly name: string;
  /** How it answers. */
  readonly type: GuestOperationType;
}

/** An operation that a guest has registered. */
export interface GuestOperation {
  /** Its name, without a namespace. */
  readonly name: string;
  /** How it answers. */
  readonly type: GuestOperationType;
  /** JSON Schema of what it takes. */
  readonly input: unknown;
  /** JSON Schema of what it gives. */
  readonly output: unknown;
  /** For people. */
  readonly description: string;
}

/** Answers a guest. What it throws reaches the guest as code and message when it has a code, else as `INTERNAL`. */
export interface GuestHost {
  /** Takes a line of the console. */
  readonly log?: (level: string, text: string) => void;
  /** Calls a granted query or mutation. */
  readonly call?: (name: string, input: unknown, signal: AbortSignal) => Promise<unknown>;
  /** Opens a granted subscription and gives a number for it. */
  readonly open?: (name: string, input: unknown, signal: AbortSignal) => Promise<number>;
  /** The next value of a subscription. */
  readonly next?: (at: number, signal: AbortSignal) => Promise<SubscriptionStep>;
  /** Ends a subscription. */
  readonly end?: (at: number) => Promise<void>;
  /** Answers what a guest does through a door: `fetch`, `fs/readFile` and the like. */
  readonly reach?: (door: string, input: unknown, signal: AbortSignal) => Promise<unknown>;
}

/** How a script is run. */
export interface EvaluateOptions {
  /** Its name in errors; types are stripped when it ends in `.ts`. Default `script.js`. */
  readonly file?: string;
  /** Ends the run. */
  readonly signal?: AbortSignal;
  /** Gives a text for people in place of the value, whatever it is; nothing for `undefined`. Default `false`. */
  readonly show?: boolean;
}

/** What comes of asking a subscription for its next value. */
export interface SubscriptionStep {
  /** Whether it is over. */
  readonly done: boolean;
  /** The value, unless it is over. */
  readonly value: unknown;
}

/** Why a guest may not register an operation, or nothing. */
export function operationFault(
  { name, type }: GuestOperation,
  registered: ReadonlyMap<string, unknown>,
  most: number,
): string | undefined {
  if (typeof name !== "string" || !/^[a-z][a-z0-9_-]{0,63}$/.test(name)) {
    return "an operation's name is lower case letters, digits, - and _, at most 64";
  }
  if (!["query", "mutation", "subscription"].includes(type)) {
    return `operation ${name}: type is query, mutation or subscription`;
  }
  if (registered.has(name)) return `operation ${name} is registered already`;
  return registered.size >= most ? `at most ${most} operations may be registered` : undefined;
}
