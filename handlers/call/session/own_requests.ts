/**
 * The requests that this end made: written on a lane, answered on any (call.md §7, §14).
 *
 * @module
 */
import type { CallOptions } from "../call_peer.ts";
import type { CallCarrier } from "../carriers/carrier.ts";
import {
  CALL_TIMEOUT,
  CallError,
  cancelled,
  type Clock,
  type Deadline,
  Deadlines,
  errorOfPayload,
  isObject,
  isProtocolCode,
  type JsonValue,
  operationName,
  timedOut,
} from "@alknet/core/operations";
import type { EventEnvelope } from "../frames/envelope.ts";
import type { Lane } from "../carriers/lane.ts";
import { type Pending, PendingCall, PendingSubscription } from "./pending.ts";

/** What is kept of a request until it has ended. */
interface Entry {
  readonly id: string;
  readonly pending: Pending;
  readonly errors: ReadonlySet<string> | undefined;
  readonly deadline: Deadline | undefined;
  readonly signal: AbortSignal | undefined;
  onAbort: (() => void) | undefined;
}

/** The outgoing table. */
export class OwnRequests {
  readonly #carrier: CallCarrier;
  readonly #deadlines: Deadlines;
  readonly #undeclared: (code: string) => void;
  readonly #entries = new Map<string, Entry>();
  readonly #ids = new Map<Pending, string>();
  readonly #byLane = new Map<Lane, Set<Entry>>();
  /** Lanes that bring no more answers, and why: one may end while it is on its way to a request. */
  readonly #ended = new WeakMap<Lane, CallError>();
  #closed: CallError | undefined;

  /**
   * @param carrier Where lanes come from.
   * @param undeclared Told of a code that an operation answered with and does not declare.
   */
  constructor(carrier: CallCarrier, clock: Clock, undeclared: (code: string) => void) {
    this.#carrier = carrier;
    this.#deadlines = new Deadlines(clock);
    this.#undeclared = undeclared;
  }

  /** How many wait for an answer. */
  get size(): number {
    return this.#entries.size;
  }

  /** Calls; see {@linkcode CallPeer}. */
  call(name: string, input: JsonValue | undefined, options: CallOptions): Promise<JsonValue> {
    const pending = new PendingCall();
    this.#begin(pending, name, input, options, CALL_TIMEOUT, options.ownStream);
    return pending.answer;
  }

  /** Subscribes; see {@linkcode CallPeer}. */
  subscribe(name: string, input: JsonValue | undefined, options: CallOptions): PendingSubscription {
    const pending: PendingSubscription = new PendingSubscription({
      begin: () => this.#begin(pending, name, input, options, undefined, options.ownStream ?? true),
      leave: () => this.abort(this.#ids.get(pending), cancelled()),
    });
    return pending;
  }

  /** An answer came, on whichever lane. */
  answered({ type, id, payload }: EventEnvelope, bytes: number): void | Promise<void> {
    const entry = this.#entries.get(id);
    if (!entry) return;
    const { pending } = entry;
    if (type === "call.responded") {
      const output = isObject(payload) ? payload.output ?? null : null;
      const taken = pending.responded(output, bytes);
      if (taken === "done") this.#end(entry);
      else if (taken === "overflow") this.#abort(entry, new CallError("INTERNAL", "subscription buffer overflow"));
      else return taken;
    } else if (type === "call.completed") {
      this.#end(entry);
      pending.completed();
    } else {
      this.#end(entry);
      pending.failed(type === "call.error" ? this.#errorOf(entry, payload) : cancelled());
    }
  }

  /** Gives a request up, and tells the other end. */
  abort(id: string | undefined, error: CallError): boolean {
    const entry = id === undefined ? undefined : this.#entries.get(id);
    if (entry) this.#abort(entry, error);
    return entry !== undefined;
  }

  /** A lane brings no more answers: what was asked on it fails. */
  laneEnded(lane: Lane, error: CallError): void {
    this.#ended.set(lane, error);
    for (const entry of [...this.#byLane.get(lane) ?? []]) this.#fail(entry, error);
  }

  /** The connection is gone. */
  close(error: CallError): void {
    this.#closed = error;
    for (const entry of [...this.#entries.values()]) this.#fail(entry, error);
  }

  #begin(
    pending: Pending,
    name: string,
    input: JsonValue | undefined,
    options: CallOptions,
    limit: number | undefined,
    own = false,
  ): void {
    const { signal, timeoutMs = limit, errors } = options;
    if (this.#closed) return pending.failed(this.#closed);
    if (signal?.aborted) return pending.failed(signal.reason);
    if (timeoutMs !== undefined && !(Number.isSafeInteger(timeoutMs) && timeoutMs > 0)) {
      return pending.failed(new RangeError(`timeoutMs is ${timeoutMs}; a positive whole number is needed`));
    }
    const id = crypto.randomUUID();
    let json: string;
    try {
      json = requestJson(id, name, input, options);
    } catch (error) {
      return pending.failed(error);
    }
    const deadline = timeoutMs === undefined ? undefined : this.#deadlines.after(timeoutMs, () => {
      this.abort(id, timedOut());
    });
    const entry: Entry = { id, pending, errors: errors && new Set(errors), deadline, signal, onAbort: undefined };
    if (signal) {
      entry.onAbort = () => this.#abort(entry, signal.reason);
      signal.addEventListener("abort", entry.onAbort);
    }
    this.#entries.set(id, entry);
    this.#ids.set(pending, id);
    const leased = this.#carrier.lane(own);
    if (!(leased instanceof Promise)) return this.#send(entry, leased.lane, leased.own, json);
    leased.then(
      (leased) => this.#send(entry, leased.lane, leased.own, json),
      (error) =>
        this.#fail(
          entry,
          this.#closed ?? new CallError("INTERNAL", `failed to open stream: ${messageOf(error)}`, { cause: error }),
        ),
    );
  }

  #send(entry: Entry, lane: Lane, own: boolean, json: string): void {
    if (!this.#entries.has(entry.id)) {
      if (own) this.#carrier.release(lane);
      return;
    }
    const ended = this.#ended.get(lane);
    if (ended) return this.#fail(entry, ended);
    entry.pending.lane = lane;
    entry.pending.own = own;
    const ofLane = this.#byLane.get(lane);
    if (ofLane) ofLane.add(entry);
    else this.#byLane.set(lane, new Set([entry]));
    try {
      lane.send(json);
    } catch (error) {
      this.#fail(entry, new CallError("INTERNAL", messageOf(error), { cause: error }));
    }
  }

  #abort(entry: Entry, error: unknown): void {
    // On the lane of the request, so that it cannot arrive before it. A request not yet sent needs none.
    entry.pending.lane?.send(`{"type":"call.aborted","id":"${entry.id}","payload":{}}`);
    this.#fail(entry, error);
  }

  #fail(entry: Entry, error: unknown): void {
    if (!this.#entries.has(entry.id)) return;
    this.#end(entry);
    entry.pending.failed(error);
  }

  #end(entry: Entry): void {
    const { id, pending, deadline, signal, onAbort } = entry;
    this.#entries.delete(id);
    this.#ids.delete(pending);
    deadline?.cancel();
    if (signal && onAbort) signal.removeEventListener("abort", onAbort);
    const { lane } = pending;
    if (!lane) return;
    const ofLane = this.#byLane.get(lane);
    if (ofLane?.delete(entry) && ofLane.size === 0) this.#byLane.delete(lane);
    if (pending.own) this.#carrier.release(lane);
  }

  /** A code that the operation does not declare means no more than `INTERNAL` to a caller (call.md §8.4). */
  #errorOf({ errors }: Entry, payload: JsonValue): CallError {
    const error = errorOfPayload(payload);
    if (!errors || errors.has(error.code) || isProtocolCode(error.code)) return error;
    this.#undeclared(error.code);
    return new CallError("INTERNAL", error.message, { cause: error });
  }
}

function requestJson(id: string, name: string, input: JsonValue | undefined, options: CallOptions): string {
  const { token, forwardedFor, timeoutMs } = options;
  let payload = `{"operationId":${JSON.stringify(`/${operationName(name)}`)}`;
  if (input !== undefined) payload += `,"input":${JSON.stringify(input)}`;
  if (token !== undefined) payload += `,"auth_token":${JSON.stringify(token)}`;
  if (forwardedFor) {
    const { id, scopes, resources } = forwardedFor;
    payload += `,"forwarded_for":${JSON.stringify({ id, scopes, resources })}`;
  }
  if (timeoutMs !== undefined) payload += `,"timeout_ms":${timeoutMs}`;
  return `{"type":"call.requested","id":"${id}","payload":${payload}}}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
