/**
 * Tells work from abuse by a session's counters.
 *
 * The frames that quiche keeps without bound are counted one by one, in frame_budget.ts. What is left is abuse of time:
 * bytes and packets that move no byte of a stream and no datagram message. And acknowledgements that lie
 * (CVE-2025-4820, CVE-2025-4821) inflate the congestion window.
 *
 * @module
 */
import type { FrameAbuse } from "./frame_budget.ts";
import type { Progress } from "./streams/stream_state.ts";

/** Counters of a session, since it began. */
export interface Activity {
  /** Its age. */
  readonly seconds: number;
  /** Packets received. */
  readonly packets: number;
  /** Bytes received, packet overhead included. */
  readonly bytes: number;
  /** What streams made of them. */
  readonly progress: Progress;
  /** Congestion window, in bytes. */
  readonly congestionWindow: number;
  /** Largest receive window of a stream. */
  readonly maxStreamWindow: number;
  /** First receive window of the connection. */
  readonly connectionWindow: number;
  /** Largest receive window of the connection. */
  readonly maxConnectionWindow: number;
}

/** What a session is closed for. */
export type Abuse = "bytes-without-progress" | "packets-without-progress" | "congestion-window" | FrameAbuse;

/** Headers and acknowledgements that an honest packet may carry beside stream data, in bytes. */
const OVERHEAD = 64;
/** Bytes without progress that anybody may send: handshake, retransmissions, connection housekeeping. */
const SLACK_BYTES = 512 * 1024;
/** Packets without progress that anybody may send, */
const SLACK_PACKETS = 4000;
/** and those of each second: keep-alives, probes, windows announced; they cost a thousandth of a processor. */
const SLACK_PACKETS_PER_SECOND = 100;
/** A sender that takes delay for loss sends up to everything twice. */
const RETRANSMITTED = 2;
/** A packet this large is judged by its bytes, not by its number. */
const FULL_PACKET = 500;
/** No path that we serve holds more in flight. */
const MAX_CONGESTION_WINDOW = 256 * 1024 * 1024;

/** The abuse that the counters show, if they show any. */
export function abuse(activity: Activity): Abuse | undefined {
  const { seconds, packets, bytes, progress } = activity;
  // A window grows only while its reader keeps up, so what may honestly wait unread is bounded by what was read.
  const unread = Math.min(activity.connectionWindow + 2 * progress.received, activity.maxConnectionWindow);
  const window = unread + progress.cut * activity.maxStreamWindow;
  const idleBytes = bytes - packets * OVERHEAD - progress.received * RETRANSMITTED;
  if (idleBytes > window + SLACK_BYTES) return "bytes-without-progress";
  // Each of our packets is acknowledged at most once, and each delivery took at least one packet.
  const work = 2 * (progress.sends + progress.deliveries + progress.cut) + (progress.sent + bytes) / FULL_PACKET;
  if (packets > work + SLACK_PACKETS + seconds * SLACK_PACKETS_PER_SECOND) return "packets-without-progress";
  if (activity.congestionWindow > MAX_CONGESTION_WINDOW) return "congestion-window";
}
