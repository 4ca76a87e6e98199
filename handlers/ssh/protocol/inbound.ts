/**
 * What a client sends, looked at before ssh2 reads it.
 *
 * ssh2 1.17.0 checks the last field of a message alone, so that one before it which does not fit into the packet is
 * `undefined` to whoever listens; and it takes what goes beyond a channel's window, however much that is.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { Ssh2Peer } from "./ssh2.ts";

const GLOBAL_REQUEST = 80;
const CHANNEL_OPEN = 90;
const CHANNEL_DATA = 94;
const CHANNEL_REQUEST = 98;

/** Fields of a message (RFC 4251 §5): `s` a string, `n` a string that says which fields follow, `u` 32 bits, `b` a byte. */
type Layout = string;
/** What comes after the message's number (RFC 4254 §4, §5.1, §5.4). */
const HEADS: Readonly<Record<number, Layout>> = {
  [GLOBAL_REQUEST]: "nb",
  [CHANNEL_OPEN]: "nuuu",
  [CHANNEL_REQUEST]: "unb",
};
/** What comes after that, by name; nothing is said of others (RFC 4254 §6, §7, OpenSSH's PROTOCOL §2.4). */
const TAILS: Readonly<Record<string, Layout>> = {
  ...{ "tcpip-forward": "su", "cancel-tcpip-forward": "su", "direct-tcpip": "susu" },
  ...{ "streamlocal-forward@openssh.com": "s", "cancel-streamlocal-forward@openssh.com": "s" },
  ...{ "direct-streamlocal@openssh.com": "ss", "pty-req": "suuuus", "window-change": "uuuu" },
  ...{ env: "ss", exec: "s", subsystem: "s", signal: "s" },
};

/** Inside of ssh2: its channels by our number. A session is none itself; it has one once something runs in it. */
interface Channels {
  readonly _chanMgr: { get(id: number): Channel | { readonly _channel?: Channel } | undefined };
}
interface Channel {
  readonly incoming: { readonly window: number };
}

/** Ends the connection of a client whose message has a field that does not fit, or data for which there is no window. */
export function guardInbound(peer: Ssh2Peer): void {
  const protocol = peer._protocol;
  const { _onPayload } = protocol;
  let isOver = false;
  protocol._onPayload = (payload) => {
    // What came together with it is not done either.
    if (isOver) return;
    if (isWhole(payload) && fitsWindow(payload, peer as unknown as Channels)) return _onPayload(payload);
    isOver = true;
    peer.end();
  };
}

/** Whether each field of a message is there. */
export function isWhole(payload: Buffer): boolean {
  const head = HEADS[payload[0]];
  if (head === undefined) return true;
  let at = 1;
  let tail: Layout = "";
  const passes = (layout: Layout): boolean => {
    for (const kind of layout) {
      if (kind === "b") at++;
      else {
        if (at + 4 > payload.length) return false;
        const length = kind === "u" ? 0 : payload.readUInt32BE(at);
        at += 4;
        if (kind === "n") tail = tailOf(payload.toString("latin1", at, Math.min(at + length, payload.length)));
        at += length;
      }
      if (at > payload.length) return false;
    }
    return true;
  };
  return passes(head) && passes(tail);
}

function tailOf(name: string): Layout {
  return Object.hasOwn(TAILS, name) ? TAILS[name] : "";
}

/** Whether data is no more than its channel's window has room for (RFC 4254 §5.2). */
function fitsWindow(payload: Buffer, { _chanMgr }: Channels): boolean {
  if (payload[0] !== CHANNEL_DATA || payload.length < 9) return true;
  const id = payload.readUInt32BE(1);
  // The one number that ssh2 cannot look up.
  if (id === 0xffffffff) return false;
  const found = _chanMgr.get(id);
  if (typeof found !== "object") return true;
  const channel = "incoming" in found ? found : (found as { readonly _channel?: Channel })._channel;
  return !channel || payload.readUInt32BE(5) <= channel.incoming.window;
}
