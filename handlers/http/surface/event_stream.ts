/**
 * Subscriptions as server-sent events (http.md §6; HTML, Server-sent events).
 *
 * ```text
 * data: <value as JSON>\n\n        each value
 * : keep-alive\n\n                 15 s without a value
 * event: error\ndata: <error>\n\n  the subscription failed; then the end
 * ```
 *
 * A browser's `EventSource`, which asks by `GET`, takes an end for a failure and asks again. So to `GET` the end is said: an
 * event `end` with the id `end`, which it shows when it comes back, and is answered `204`: then it stays away. A failure that
 * would come again ends it likewise.
 *
 * @module
 */
import { CallError, errorPayload, type JsonValue, type RunningCall } from "@alknet/core/operations";
import { errorAnswer } from "../answers/answers.ts";
import { type AskedCall, type CallOrigin, jsonText, specOf } from "./calls.ts";
import { watchDeparture } from "../request/departure.ts";
import { SUBSCRIPTION_BUFFER } from "../limits.ts";

const KEEP_ALIVE = ": keep-alive\n\n";
/** Id of the last event, once there is one. */
const END = "end";
const encoder = new TextEncoder();

/**
 * Runs a subscription. What keeps it from starting is answered with its status; from then on the stream tells.
 *
 * @param keepAlive Milliseconds of silence after which a comment is sent.
 */
export function answerSubscription(origin: CallOrigin, asked: AskedCall, keepAlive: number): Response {
  const { dispatcher, request, bindings } = origin;
  if (request.method === "GET" && request.headers.get("last-event-id") === END) {
    return new Response(null, { status: 204 });
  }
  const stream = new EventStream(keepAlive, origin);
  const id = crypto.randomUUID();
  stream.running = dispatcher.dispatch({ ...asked, id, identity: bindings.identity, answer: "stream" }, stream);
  const { refusal } = stream;
  if (refusal) {
    const spec = specOf(dispatcher, asked.operation);
    return errorAnswer(refusal, { caller: bindings.caller, spec, requestId: id });
  }
  stream.unwatch = watchDeparture(request, () => stream.leave());
  return new Response(stream.body, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-accel-buffering": "no",
      "x-request-id": id,
    },
  });
}

/** The sink of one subscription: its values go to the body as fast as the client reads, and no faster. */
class EventStream {
  /** The body of the answer. */
  readonly body: ReadableStream<Uint8Array>;
  /** Why the subscription did not start, once `dispatch` has returned. */
  refusal?: CallError;
  /** The call. */
  running?: RunningCall;
  /** Ends the watch for the client's leaving. */
  unwatch?: () => void;
  readonly #origin: CallOrigin;
  readonly #keepAlive: number;
  /** Whether the end is said. */
  readonly #says: boolean;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #drained?: () => void;
  #silence?: () => void;
  #over = false;

  constructor(keepAlive: number, origin: CallOrigin) {
    this.#keepAlive = keepAlive;
    this.#origin = origin;
    this.#says = origin.request.method === "GET";
    this.body = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#controller = controller),
      pull: () => {
        this.#drained?.();
        this.#drained = undefined;
      },
      cancel: () => this.leave(),
    }, new ByteLengthQueuingStrategy({ highWaterMark: SUBSCRIPTION_BUFFER }));
    this.#listen();
  }

  responded(value: JsonValue): void | Promise<void> {
    if (this.#over) return;
    const text = jsonText(value);
    if (text === undefined) throw new CallError("INTERNAL", "handler failed");
    this.#listen();
    this.#controller.enqueue(encoder.encode(`data: ${text}\n\n`));
    if (this.#hasRoom()) return;
    return new Promise((resolve) => this.#drained = resolve);
  }

  completed(): void {
    if (!this.#end()) return;
    if (this.#says) this.#controller.enqueue(encoder.encode(`id: ${END}\nevent: end\ndata: {}\n\n`));
    this.#controller.close();
  }

  failed(error: CallError): void {
    // Before `dispatch` has returned nothing was sent, and a status can still tell.
    if (!this.running) this.refusal = error;
    if (!this.#end()) return;
    const id = this.#says && !error.retryable ? `id: ${END}\n` : "";
    this.#controller.enqueue(encoder.encode(`${id}event: error\ndata: ${JSON.stringify(errorPayload(error))}\n\n`));
    this.#controller.close();
  }

  /** The client has gone. */
  leave(): void {
    if (!this.#end()) return;
    this.running?.abort();
    try {
      this.#controller.error(new CallError("INTERNAL", "request cancelled"));
    } catch {
      // Cancelled before.
    }
  }

  /** Starts the time of silence anew. */
  #listen(): void {
    this.#silence?.();
    this.#silence = this.#origin.dispatcher.clock.after(this.#keepAlive, () => {
      if (this.#hasRoom()) this.#controller.enqueue(encoder.encode(KEEP_ALIVE));
      this.#listen();
    });
  }

  #hasRoom(): boolean {
    return (this.#controller.desiredSize ?? 0) > 0;
  }

  /** Returns whether this was the end, rather than something after it. */
  #end(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#silence?.();
    this.unwatch?.();
    this.#drained?.();
    return true;
  }
}
