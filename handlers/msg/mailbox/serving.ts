/**
 * One connection to a mailbox: frames in, answers out (msg.md §4).
 *
 * The order is: frame, rate of the address, look-up, capability, rate of the queue, work. An unknown queue and a wrong
 * capability get one answer after the same work.
 *
 * @module
 */
import { equalBytes, sha256 } from "@alknet/core/crypto";
import { addressGroup, AlknetError, type BidiStream, type Connection, type HandlerContext } from "@alknet/core/handler";
import { dayOf, u16 } from "../agreement/labels.ts";
import { isSize } from "../agreement/padding.ts";
import { CloseCode, MailboxCode } from "../codes.ts";
import type { MailboxLimits } from "../limits.ts";
import {
  AnswerType,
  formatEmpty,
  formatError,
  formatFrame,
  formatItem,
  type Frame,
  framesOf,
  GetFlag,
  MOST_BYTES,
  MOST_PADDED,
  readRequest,
  type Request,
  RequestType,
} from "./frames.ts";
import type { MailboxStore, QueueRow } from "./mailbox_store.ts";
import type { Rates } from "./rates.ts";
import { type Outlet, Subscription, type Subscriptions } from "./subscriptions.ts";

/** What serving needs. */
export interface ServeParts {
  /** The queues. */
  readonly store: MailboxStore;
  /** Fingerprint of the key that may make queues: the node's own. */
  readonly own?: string;
  /** Whether anyone may. */
  readonly open: boolean;
  /** See each. */
  readonly limits: MailboxLimits;
  /** Of all connections. */
  readonly rates: Rates;
  /** Of all connections. */
  readonly subscriptions: Subscriptions;
  /** Something was refused. */
  readonly refused: () => void;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
}

/** The scope that lets an identity make queues. */
const MAY_CREATE: readonly string[] = ["mailbox:create", "mailbox:admin", "admin"];
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Queues of a connection that a GET of any of them looks at. */
const MOST_NAMED = 256;
const NOTHING = new Uint8Array(32);

/** A stream, and what runs on it. */
interface Lane extends Outlet {
  readonly writer: WritableStreamDefaultWriter<Uint8Array>;
  /** Ids of requests that run. */
  readonly ids: Set<number>;
  /** Queues that it listens to, by the ids of the requests. */
  readonly listening: Map<number, Subscription>;
}

/** A request that is refused, and what with. */
class Refusal extends Error {
  constructor(readonly code: MailboxCode, readonly retryAfter = 0) {
    super(`refused with ${code}`);
  }
}

/** Serves a connection until it ends. */
export class MailboxFront {
  readonly #connection: Connection;
  readonly #context: HandlerContext;
  readonly #parts: ServeParts;
  readonly #address: string;
  readonly #running = new Set<Promise<void>>();
  /** Ids of queues that this connection has read, as hex. */
  readonly #named = new Map<string, Uint8Array>();
  #idle?: ReturnType<typeof setTimeout>;
  /** Queues that it listens to. */
  #listening = 0;
  #isOver = false;
  #failures = 0;

  /** A connection, and what it is served from. */
  constructor(connection: Connection, context: HandlerContext, parts: ServeParts) {
    this.#connection = connection;
    this.#context = context;
    this.#parts = parts;
    this.#address = addressGroup(connection.remoteAddress.hostname);
  }

  /** Serves until the peer or the endpoint ends it; what was begun is answered. */
  async serve(): Promise<void> {
    const { signal } = this.#context;
    const drain = (): void =>
      void Promise.allSettled(this.#running).then(() => this.#connection[Symbol.asyncDispose]());
    signal.addEventListener("abort", drain);
    this.#heard();
    const streams = new Set<Promise<void>>();
    try {
      for await (const stream of this.#connection) {
        const serving = this.#stream(stream).finally(() => streams.delete(serving));
        streams.add(serving);
      }
      await Promise.allSettled(streams);
    } finally {
      this.#isOver = true;
      clearTimeout(this.#idle);
      signal.removeEventListener("abort", drain);
    }
  }

  /** One stream; never rejects. */
  async #stream(stream: BidiStream): Promise<void> {
    const lane = this.#lane(stream);
    const { writer, ids } = lane;
    try {
      for await (const frame of framesOf(stream.readable)) {
        this.#heard();
        if (ids.has(frame.id) || lane.listening.has(frame.id)) {
          throw new AlknetError("BAD_FRAME", "the id of a request that still runs came again");
        }
        if (this.#running.size >= this.#parts.limits.requests) {
          return this.#connection.close(CloseCode.REQUESTS, "too many requests at once");
        }
        ids.add(frame.id);
        const run = this.#request(frame, lane).finally(() => {
          ids.delete(frame.id);
          this.#running.delete(run);
        });
        this.#running.add(run);
      }
      await Promise.allSettled(this.#running);
      await writer.close();
    } catch (error) {
      if ((error as AlknetError).code !== "BAD_FRAME") return;
      await writer.write(formatError(0, MailboxCode.BAD_FRAME)).catch(() => {});
      this.#connection.close(CloseCode.BAD_FRAME, "malformed frame");
    } finally {
      for (const subscription of lane.listening.values()) this.#parts.subscriptions.delete(subscription);
      this.#listening -= lane.listening.size;
      lane.listening.clear();
      this.#heard();
    }
  }

  /** What a stream is to its requests. */
  #lane({ writable }: BidiStream): Lane {
    const { kept, closed } = this.#connection;
    const writer = writable.getWriter();
    const listening = new Map<number, Subscription>();
    return {
      writer,
      ids: new Set(),
      listening,
      item: async (id, rid, item) => {
        const held = item.body.byteLength;
        if (!await kept.hold(held, closed)) return false;
        try {
          await writer.write(formatItem(id, rid, item, false));
          return true;
        } catch {
          return false;
        } finally {
          kept.give(held);
        }
      },
      ended: (id) => {
        listening.delete(id);
        this.#listening--;
        this.#heard();
        writer.write(formatFrame({ type: AnswerType.END, id, body: NOTHING.subarray(0, 0) })).catch(() => {});
      },
    };
  }

  /** One request and its answer; never rejects. */
  async #request(frame: Frame, lane: Lane): Promise<void> {
    const { kept } = this.#connection;
    // What is given out lies here until the peer takes it.
    const held = frame.type === RequestType.GET ? MOST_BYTES : frame.body.byteLength;
    if (!await kept.hold(held, this.#connection.closed)) return;
    try {
      await lane.writer.write(await this.#answered(frame, lane));
      // Items come behind the answer.
      lane.listening.get(frame.id)?.start(this.#parts.store);
    } catch (error) {
      const code = error instanceof AlknetError ? error.code : "";
      if (code !== "STREAM_CLOSED" && code !== "CONNECTION_CLOSED") {
        this.#context.log.error("cannot serve: {why}", { why: code || (error as Error).name });
      }
    } finally {
      kept.give(held);
    }
  }

  async #answered(frame: Frame, lane: Lane): Promise<Uint8Array> {
    const { id } = frame;
    try {
      const request = readRequest(frame);
      this.#rate(`a ${this.#address}`, this.#parts.limits.frames, MINUTE);
      return await this.#do(request, id, lane);
    } catch (error) {
      this.#parts.refused();
      const isFull = error instanceof AlknetError && error.code === "DISK_FULL";
      if (isFull || error instanceof Refusal && error.code === MailboxCode.FULL) {
        this.#sayFull();
        return formatError(id, MailboxCode.FULL);
      }
      if (error instanceof Refusal) return formatError(id, error.code, error.retryAfter);
      if (error instanceof AlknetError && error.code === "BAD_FRAME") return formatError(id, MailboxCode.BAD_FRAME);
      this.#context.log.error("the mailbox failed: {why}", {
        why: error instanceof AlknetError ? error.code : (error as Error).name,
      });
      return formatError(id, MailboxCode.FULL);
    }
  }

  async #do(request: Request, id: number, lane: Lane): Promise<Uint8Array> {
    const { store, limits, subscriptions, wall } = this.#parts;
    switch (request.type) {
      case "new":
        return await this.#create(request, id);
      case "info":
        return formatFrame({ type: AnswerType.LIMITS, id, body: new TextEncoder().encode(JSON.stringify(limits)) });
      case "send": {
        const queue = this.#queue("sid", request.sid, request.scap);
        const rate = queue.kind === 1 ? limits.contactRate : limits.sendRate;
        this.#rate(`s ${queue.rid.toHex()}`, rate, MINUTE);
        const { envelope } = request;
        if (!isSize(envelope.byteLength)) throw new Refusal(MailboxCode.CLASS);
        const digest = sha256(envelope).subarray(0, 16);
        const outcome = await store.append(queue.rid, { kind: 0, digest, day: dayOf(wall()), body: envelope });
        if (outcome === "quota") throw new Refusal(MailboxCode.QUOTA);
        if (outcome === "full") throw new Refusal(MailboxCode.FULL);
        if (outcome === "gone") throw new Refusal(MailboxCode.NO_QUEUE);
        if (outcome === "stored") subscriptions.stored(queue.rid);
        return ok(id);
      }
      case "take": {
        const queue = this.#queue("sid", request.sid, request.scap);
        this.#rate(`t ${queue.rid.toHex()}`, limits.takeRate, HOUR);
        const body = await store.takePrekeys(queue.rid);
        if (!body) throw new Refusal(MailboxCode.NO_PREKEYS);
        return formatFrame({ type: AnswerType.BUNDLE, id, body });
      }
      default:
        return await this.#read(request, id, lane);
    }
  }

  /** What the reader of a queue asks. */
  async #read(request: Extract<Request, { readonly rcap: Uint8Array; readonly scap?: never }>, id: number, lane: Lane) {
    const { store, subscriptions, wall } = this.#parts;
    const { rid, used } = this.#queue("rid", request.rid, request.rcap);
    const today = dayOf(wall());
    if (used !== today) await store.touch(rid, today).catch(unlessFull);
    if (this.#named.size < MOST_NAMED) this.#named.set(rid.toHex(), rid);
    switch (request.type) {
      case "sub": {
        if (this.#listening >= this.#parts.limits.subscriptions) throw new Refusal(MailboxCode.QUOTA);
        const subscription = new Subscription(rid, id, request.window, lane);
        subscriptions.put(subscription);
        lane.listening.set(id, subscription);
        this.#listening++;
        this.#heard();
        return ok(id);
      }
      case "get": {
        const isPadded = (request.flags & GetFlag.PADDED) !== 0;
        const queues = (request.flags & GetFlag.ANY) === 0 ? [rid] : [rid, ...this.#named.values()];
        for (const queue of queues) {
          const [item] = store.after(queue, 0n, 1, isPadded ? MOST_PADDED : undefined);
          if (item) return formatItem(id, queue, item, isPadded);
        }
        return formatEmpty(id, isPadded);
      }
      case "ack":
        await store.ack(rid, request.seq);
        subscriptions.acknowledged(rid, request.seq);
        return ok(id);
      case "drop":
        await store.drop(rid);
        subscriptions.dropped(rid);
        this.#named.delete(rid.toHex());
        return ok(id);
      case "put": {
        const held = await store.putPrekeys(rid, request);
        if (held === "quota") throw new Refusal(MailboxCode.QUOTA);
        return formatFrame({ type: AnswerType.OK, id, body: u16(held) });
      }
      default:
        throw new AlknetError("BAD_FRAME", "no reader asks that");
    }
  }

  async #create(request: Extract<Request, { readonly type: "new" }>, id: number): Promise<Uint8Array> {
    const { store, open, own, limits, wall } = this.#parts;
    const { identity, peer: { fingerprint } } = this.#connection;
    const isOwn = own !== undefined && fingerprint === own;
    if (!open && !isOwn && !identity?.scopes.some((scope) => MAY_CREATE.includes(scope))) {
      throw new Refusal(MailboxCode.FORBIDDEN);
    }
    this.#rate(`n ${identity?.id ?? fingerprint ?? this.#address}`, limits.newRate, HOUR);
    const { rid, sid, rcap, scap, kind } = request;
    const outcome = await store.create({ rid, sid, rcap, scap, kind, used: dayOf(wall()) });
    if (outcome === "conflict") throw new Refusal(MailboxCode.CONFLICT);
    if (outcome === "full") throw new Refusal(MailboxCode.FULL);
    return ok(id);
  }

  /** The queue of an id, where the capability is its own. */
  #queue(by: "sid" | "rid", id: Uint8Array, capability: Uint8Array): QueueRow {
    const queue = this.#parts.store.find(by, id);
    const held = queue === undefined ? NOTHING : by === "sid" ? queue.scap : queue.rcap;
    if (equalBytes(sha256(capability), held) && queue) return queue;
    const { log } = this.#context;
    // A line for each would let a stranger fill the log over one connection; the endpoint counts them all.
    if (this.#failures++ === 0) {
      log.warn("authentication failed src={src} reason={reason} key={key}", {
        src: this.#connection.remoteAddress.hostname,
        reason: "bad-capability",
        key: "-",
      });
    }
    this.#context.authenticationFailed();
    throw new Refusal(MailboxCode.NO_QUEUE);
  }

  /** Its operator learns it, and not from each who is refused. */
  #sayFull(): void {
    if (this.#parts.rates.take("full", 1, HOUR) > 0) return;
    this.#context.log.warn("the mailbox is full, or its disk is: what is sent is refused");
  }

  #rate(key: string, count: number, period: number): void {
    const wait = this.#parts.rates.take(key, count, period);
    if (wait > 0) throw new Refusal(MailboxCode.RATE, Math.min(wait, 2 ** 32 - 1));
  }

  /** Something was asked: the time of silence begins anew. Who listens may be silent. */
  #heard(): void {
    clearTimeout(this.#idle);
    if (this.#listening > 0 || this.#isOver) return;
    this.#idle = setTimeout(() => this.#connection.close(CloseCode.IDLE, "idle"), this.#parts.limits.idle);
    Deno.unrefTimer(this.#idle as unknown as number);
  }
}

/** On a full disk reading goes on; that its reader was there is noted another time. */
function unlessFull(error: unknown): void {
  if (!(error instanceof AlknetError && error.code === "DISK_FULL")) throw error;
}

function ok(id: number): Uint8Array {
  return formatFrame({ type: AnswerType.OK, id, body: new Uint8Array() });
}
