/**
 * What a handler is told about the call it serves, and how it composes others (call.md §10.4, §17).
 *
 * @module
 */
import type { Identity } from "../../identity/identity.ts";
import type { Capabilities, CompositionAuthority, OwnershipProvider, ScopedPeerEnv } from "./authority.ts";
import type { JsonValue } from "../values/json.ts";
import type { OperationSpec } from "./spec.ts";

/** What happens to a composed call when the one that composed it is aborted (call.md §15.2). */
export type AbortPolicy = "abort-dependents" | "continue-running";

/** Where a composed call goes. */
export type PeerRef = "any" | { readonly peer: string };

/** Options of a composed call. */
export interface InvokeOptions {
  /** Default: the parent's. */
  readonly policy?: AbortPolicy;
  /** Default `any`: session, then peers in the order of their first attachment, then the node itself. */
  readonly peer?: PeerRef;
  /** Aborts this call and what it composes; its parent and siblings go on. */
  readonly signal?: AbortSignal;
}

/** An operation that a peer offers, as far as composition knows. */
export interface ImportedListing {
  /** The local name. */
  readonly name: string;
  /** As imported. */
  readonly spec: OperationSpec;
}

/** What composition reaches from one root request. Composed once, when the request arrives; children share it. */
export interface OperationEnv {
  /**
   * Runs an operation as part of `parent`.
   *
   * @throws {CallError} What went wrong; `INTERNAL` "request cancelled" below an aborted request.
   */
  invoke(name: string, input: JsonValue, parent: OperationContext, options?: InvokeOptions): Promise<JsonValue>;
  /** Whether `any` routing finds the name. */
  contains(name: string): boolean;
  /** Whether this peer offers the name. */
  peerContains(peer: string, name: string): boolean;
  /** Peers in the order of their first attachment. */
  peerIds(): readonly string[];
  /** What a peer offers. */
  peerOperations(peer: string): readonly ImportedListing[];
}

/** One call, as its handler sees it. Only the dispatcher and the environment make one. */
export interface OperationContext {
  /** The id on the wire for a root, a fresh one for a composed call. */
  readonly requestId: string;
  /** The call that composed this one. */
  readonly parentRequestId: string | undefined;
  /** The operation's name. */
  readonly operation: string;
  /** Who is calling; for a composed call the composing handler's authority. */
  readonly identity: Identity | undefined;
  /** Who made the root request; what an import tells as `forwarded_for`. */
  readonly rootIdentity: Identity | undefined;
  /** As whom this handler composes. */
  readonly handlerIdentity: CompositionAuthority | undefined;
  /** What a forwarding node claims; never a right. */
  readonly forwardedFor: Identity | undefined;
  /** Outbound credentials. */
  readonly capabilities: Capabilities;
  /** Fresh for each call. */
  readonly metadata: Map<string, JsonValue>;
  /** What this handler may compose. */
  readonly scopedEnv: ScopedPeerEnv;
  /** What composition reaches. */
  readonly env: OperationEnv;
  /** What happens to children when this call is aborted. */
  readonly abortPolicy: AbortPolicy;
  /** When the call ends in `TIMEOUT`, in milliseconds of the dispatcher's clock; absent is never. */
  readonly deadline: number | undefined;
  /** Milliseconds left until the deadline; `undefined` without one. */
  readonly timeLeft: number | undefined;
  /** Whether the call was composed rather than received. */
  readonly internal: boolean;
  /** Who owns what, where that is wired. */
  readonly ownership: OwnershipProvider | undefined;
  /** Aborted when the caller aborts, leaves, or time runs out: pass it to everything that waits. */
  readonly signal: AbortSignal;
  /** Composes another operation: `env.invoke` with this context as the parent. */
  invoke(name: string, input: JsonValue, options?: InvokeOptions): Promise<JsonValue>;
}
