/**
 * How a session ended, in the words of handlers.
 *
 * @module
 */
import { AlknetError, type CloseInfo } from "../../../../errors.ts";
import type { QuicheConnection, QuicheError } from "../binding.ts";

/** Transport error for abuse: EXCESSIVE_LOAD has no number of its own in RFC 9000, so PROTOCOL_VIOLATION (§20.1). */
export const PROTOCOL_VIOLATION = 0x0a;
/** TLS alert access_denied (RFC 8446 §6.2) as RFC 9001 §4.8 carries it. */
export const ACCESS_DENIED = 0x100 + 49;

/**
 * How a connection that is over ended.
 *
 * @param quiche The connection.
 * @param finishing Whether we were closing it ourselves, once everything was acknowledged.
 */
export function closeInfo(quiche: QuicheConnection, finishing: boolean): CloseInfo {
  if (quiche.isTimedOut()) return { by: "timeout", reason: "idle timeout" };
  const peer = quiche.peerError();
  if (peer) return peerClosed(peer);
  const local = quiche.localError();
  if (finishing && local?.isApp) return { by: "local", code: 0, reason: "" };
  const what = local ? `QUIC error 0x${local.errorCode.toString(16)}` : "the connection was lost";
  return { by: "error", error: new AlknetError("INTERNAL", `${what} found here`) };
}

/** What the peer's CONNECTION_CLOSE says (RFC 9000 §19.19). */
function peerClosed(error: QuicheError): CloseInfo {
  const reason = new TextDecoder().decode(error.reason);
  // A handler may pass the code on, and larger ones cannot be sent: see errorCodeOf.
  if (error.isApp) return { by: "peer", code: Math.min(error.errorCode, Number.MAX_SAFE_INTEGER), reason };
  if (error.errorCode === 0) return { by: "peer", reason };
  const what = `the peer reported QUIC error 0x${error.errorCode.toString(16)}`;
  return { by: "error", error: new AlknetError("INTERNAL", reason ? `${what}: ${reason}` : what) };
}

/** Bytes of a reason that fit a packet of any path; quiche never sends a close that does not fit. */
const MAX_REASON = 1000;

/** A reason as it is sent, cut between characters. */
export function reasonBytes(reason: string): Uint8Array {
  const room = new Uint8Array(MAX_REASON);
  const { written } = new TextEncoder().encodeInto(reason, room);
  return room.subarray(0, written);
}
