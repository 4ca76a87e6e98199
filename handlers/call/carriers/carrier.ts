/**
 * What a session of the call protocol stands on: a connection with its streams, or one WebSocket.
 *
 * @module
 */
import type { CloseInfo, Identity } from "@alknet/core/handler";
import type { Lane, LaneReceiver } from "./lane.ts";

/** Gives lanes, and says when everything is over. */
export interface CallCarrier {
  /** Who the other end is. */
  readonly identity: Identity | undefined;
  /** Whether it is a node with a peer entry (call.md §19.4). */
  readonly isPeer: boolean;
  /** Whether there is one lane for everything, as far as is known; its end is then the end of the connection. */
  readonly isSingle: boolean;
  /** Resolves when it is gone, with how that came about; never rejects. */
  readonly closed: Promise<CloseInfo>;
  /** Bytes of answers that wait to be written, on all lanes. */
  readonly unread: number;
  /** Begins to read lanes. Called once. */
  start(receiver: LaneReceiver): void;
  /**
   * A lane for a request.
   *
   * @param own Whether the request would rather not share it; {@linkcode release} gives it back.
   */
  lane(own: boolean): LeasedLane | Promise<LeasedLane>;
  /** The request that had the lane to itself has ended, or a lane takes no further requests. */
  release(lane: Lane): void;
  /** A request showed a token that is somebody's: where less is taken of strangers, more is from now on. */
  vouched?(): void;
  /** Resolves when everything sent was taken by the transport, where closing would not wait for that. */
  flushed?(): Promise<unknown>;
  /** Ends the connection. */
  close(code: number, reason: string): void;
  /** Resolves when what an ended connection held is released, where that takes time. */
  released?(): Promise<void>;
}

/** A lane, and whether the request has it to itself. */
export interface LeasedLane {
  /** The lane. */
  readonly lane: Lane;
  /** Whether nobody else uses it: then not reading it holds back this request alone. */
  readonly own: boolean;
}
