/**
 * A connection as a carrier: one stream for most calls, one each for what streams, and one for everything where the
 * transport has no more (call.md §16).
 *
 * @module
 */
import {
  AlknetError,
  type BidiStream,
  type CloseInfo,
  type Connection,
  type Identity,
  type Logger,
} from "@alknet/core/handler";
import type { CallCarrier, LeasedLane } from "./carrier.ts";
import { type Clock, MAX_MEMBERS, STRANGER_BODY, STRANGER_MEMBERS } from "@alknet/core/operations";
import type { Held } from "../frames/frame_writer.ts";
import type { BodyLimits } from "../frames/frames.ts";
import type { Lane, LaneReceiver } from "./lane.ts";
import { MAX_BODY, MAX_OWN_STREAMS, OWN_STREAM_PATIENCE } from "../limits.ts";
import { StreamLane, type StreamLaneOptions } from "./stream_lane.ts";

/** Options of {@linkcode StreamCarrier}. */
export interface StreamCarrierOptions {
  /** Longest body that is taken, in bytes. Default 64 MiB. */
  readonly maxBody?: number;
  /** Whether less is taken of a stranger: 1 MiB, and 10,000 members and items (core.md §13). Default `false`. */
  readonly wary?: boolean;
  /** The clock of limits. */
  readonly clock: Clock;
  /** Where to log. */
  readonly log: Logger;
}

/** Carries a session over a connection. */
export class StreamCarrier implements CallCarrier {
  readonly closed: Promise<CloseInfo>;
  readonly isPeer: boolean;
  readonly #connection: Connection;
  readonly #options: StreamLaneOptions;
  #receiver!: LaneReceiver;
  /** The stream of calls that share one. */
  #shared: Promise<StreamLane> | StreamLane | undefined;
  /** Streams that we may still write on, and what they hold. */
  readonly #lanes = new Set<StreamLane>();
  readonly #held: Held = { unread: 0, partial: 0 };
  /** Streams that there were. */
  #count = 0;
  /** Streams that have a request to themselves. */
  readonly #own = new Set<Lane>();
  #opening = 0;
  /** Streams that were granted after the request that wanted them had gone elsewhere. */
  readonly #spare: StreamLane[] = [];
  #single = false;
  /** Whether a request showed whom it is from, which the connection did not. */
  #vouched = false;
  #first = Promise.withResolvers<StreamLane>();

  /** @param connection Nobody else may take its streams. */
  constructor(connection: Connection, options: StreamCarrierOptions) {
    this.#connection = connection;
    this.closed = connection.closed;
    this.isPeer = connection.identity !== undefined && connection.peer.fingerprint !== undefined;
    const known: BodyLimits = { bytes: options.maxBody ?? MAX_BODY, members: MAX_MEMBERS };
    const stranger: BodyLimits = { bytes: Math.min(known.bytes, STRANGER_BODY), members: STRANGER_MEMBERS };
    this.#options = {
      limits: () => !options.wary || this.#vouched || connection.identity ? known : stranger,
      clock: options.clock,
      log: options.log,
      held: this.#held,
      closed: (lane) => this.#lanes.delete(lane),
      plural: (lane) => this.#plural(lane),
    };
    this.#first.promise.catch(() => {});
  }

  get identity(): Identity | undefined {
    return this.#connection.identity;
  }

  get isSingle(): boolean {
    return this.#single;
  }

  get unread(): number {
    return this.#held.unread;
  }

  vouched(): void {
    this.#vouched = true;
  }

  flushed(): Promise<unknown> {
    return Promise.all([...this.#lanes].map((lane) => lane.flushed()));
  }

  start(receiver: LaneReceiver): void {
    this.#receiver = receiver;
    this.#accept();
  }

  lane(own: boolean): LeasedLane | Promise<LeasedLane> {
    if (own && !this.#single && this.#own.size + this.#opening < MAX_OWN_STREAMS) return this.#ownLane();
    const shared = this.#shared ??= this.#openShared();
    if (shared instanceof StreamLane) return { lane: shared, own: false };
    return shared.then((lane) => ({ lane, own: false }));
  }

  release(lane: Lane): void {
    if (this.#own.delete(lane)) return lane.finish();
    const spare = this.#spare.indexOf(lane as StreamLane);
    if (spare >= 0) this.#spare.splice(spare, 1);
    else if (this.#shared === lane && !this.#single) this.#shared = undefined;
  }

  close(code: number, reason: string): void {
    this.#connection.close(code, reason);
  }

  released(): Promise<void> {
    return this.#connection[Symbol.asyncDispose]();
  }

  async #accept(): Promise<void> {
    for await (const stream of this.#connection) {
      const lane = this.#reading(stream);
      this.#first.resolve(lane);
    }
    const { info } = { info: await this.#connection.closed };
    this.#first.reject(new AlknetError("CONNECTION_CLOSED", info.reason ?? "the connection ended"));
  }

  #reading(stream: BidiStream): StreamLane {
    const lane = new StreamLane(stream, this.#receiver, this.#options);
    this.#count++;
    this.#lanes.add(lane);
    lane.read();
    return lane;
  }

  async #openShared(): Promise<StreamLane> {
    try {
      const lane = await this.#open() ?? await this.#first.promise;
      this.#shared = lane.hasEnded && !this.#single ? undefined : lane;
      return lane;
    } catch (error) {
      this.#shared = undefined;
      throw error;
    }
  }

  /** A new stream; nothing, where the transport has no more. */
  async #open(): Promise<StreamLane | undefined> {
    try {
      return this.#reading(await this.#connection.open());
    } catch (error) {
      if (!(error instanceof AlknetError) || error.code !== "STREAM_UNAVAILABLE") throw error;
      this.#single = true;
    }
  }

  async #ownLane(): Promise<LeasedLane> {
    const spare = this.#spare.pop();
    if (spare) return this.#owned(spare);
    // On a single stream the first that is opened is the only one, and it is everybody's.
    if (this.#shared === undefined) this.#shared = this.#openShared();
    if (!(this.#shared instanceof StreamLane)) await this.#shared;
    if (this.#single) return await this.lane(false);
    this.#opening++;
    const opened = this.#open().finally(() => this.#opening--);
    const patience = Promise.withResolvers<"late">();
    const stop = this.#options.clock.after(OWN_STREAM_PATIENCE, () => patience.resolve("late"));
    const lane = await Promise.race([opened, patience.promise]).finally(stop);
    if (lane instanceof StreamLane) return this.#owned(lane);
    // The peer grants no stream now: what it grants later serves whoever asks next.
    if (lane === "late") opened.then((late) => late && this.#spare.push(late), () => {});
    return await this.lane(false);
  }

  /** The end of the only stream that we opened ends the connection, unless there can be another. */
  #plural(lane: StreamLane): Promise<void> | undefined {
    if (this.#count > 1 || this.#single || lane !== this.#shared) return;
    const known = Promise.withResolvers<void>();
    const stop = this.#options.clock.after(OWN_STREAM_PATIENCE, known.resolve);
    this.#open().then((other) => other && this.#spare.push(other)).catch(() => {}).finally(known.resolve);
    return known.promise.finally(stop);
  }

  #owned(lane: StreamLane): LeasedLane {
    this.#own.add(lane);
    return { lane, own: true };
  }
}
