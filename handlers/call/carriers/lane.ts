/**
 * A lane: whatever carries envelopes in both directions, in order. A stream of frames is one, a WebSocket another.
 *
 * @module
 */
import type { CloseInfo } from "@alknet/core/handler";
import type { EventEnvelope } from "../frames/envelope.ts";

/** How what the peer sends on a lane came to an end: it finished, the lane was cut, or its connection is gone. */
export type LaneEnd = "finished" | "cut" | "lost";

/** The sending side of a lane. */
export interface Lane {
  /**
   * Sends one envelope, given as JSON. The promise, where there is one, settles when there is room for more.
   *
   * @param isAnswer Whether the peer asked for it: it then counts as unread until it was written.
   * @throws {AlknetError} `MESSAGE_TOO_LARGE`: nothing was sent.
   */
  send(json: string, isAnswer?: boolean): void | Promise<void>;
  /** Sends no more, once everything has been sent. */
  finish(): void;
  /** Ends both directions at once. */
  cut(code: number): void;
}

/** The receiving side: who is told what comes on a lane. */
export interface LaneReceiver {
  /** An envelope, and the bytes that its body took. The lane is read on when the promise, if there is one, settles. */
  received(lane: Lane, envelope: EventEnvelope, bytes: number): void | Promise<void>;
  /**
   * Nothing more comes on the lane. A lane that is finished can still be cut; nothing follows a cut.
   *
   * @param info How its connection ended, when it is lost.
   */
  ended(lane: Lane, how: LaneEnd, info?: CloseInfo): void;
}
