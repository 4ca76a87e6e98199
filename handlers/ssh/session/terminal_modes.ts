/**
 * Modes of terminals (RFC 4254 §8): read here, since ssh2 1.17.0 loses all of them, and ends the connection of a client
 * whose first one has a value of 2²⁴ or more.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Ssh2Peer } from "../protocol/ssh2.ts";

const CHANNEL_REQUEST = 98;
const PTY_REQ = Buffer.from("pty-req");
/** Bytes before the name of a request's kind: message, channel, length. */
const KIND_AT = 9;
/** Columns, rows, and both in pixels. */
const SIZES = 16;
/** Opcodes from here on have no arguments that are known (RFC 4254 §8). */
const FIRST_UNKNOWN = 160;
/** Opcodes are a byte: more than one of each says nothing. */
const MAX_MODES = 256;

/** Characters, by opcode. */
const CHARACTERS: Readonly<Record<number, string>> = {
  ...{ 1: "intr", 2: "quit", 3: "erase", 4: "kill", 5: "eof", 6: "eol", 7: "eol2", 8: "start", 9: "stop" },
  ...{ 10: "susp", 12: "rprnt", 13: "werase", 14: "lnext", 18: "discard" },
};
/** Switches, by opcode. */
const SWITCHES: Readonly<Record<number, string>> = {
  ...{ 30: "ignpar", 31: "parmrk", 32: "inpck", 33: "istrip", 34: "inlcr", 35: "igncr", 36: "icrnl", 38: "ixon" },
  ...{ 39: "ixany", 40: "ixoff", 41: "imaxbel", 42: "iutf8", 50: "isig", 51: "icanon", 53: "echo", 54: "echoe" },
  ...{ 55: "echok", 56: "echonl", 57: "noflsh", 58: "tostop", 59: "iexten", 60: "echoctl", 61: "echoke" },
  ...{ 70: "opost", 72: "onlcr", 73: "ocrnl", 74: "onocr", 75: "onlret", 92: "parenb", 93: "parodd" },
};
const CHARACTER_SIZES: Readonly<Record<number, string>> = { 90: "cs7", 91: "cs8" };
/** What a character is that does nothing. */
const DISABLED = 255;

/**
 * Encoded modes as arguments of stty(1), which takes a single digit for that character: numbers are hexadecimal. What it has no word for is passed over; what cannot be read ends the list.
 *
 * @param encoded Opcodes, each with 32 bits; 0 ends them.
 */
export function sttyArguments(encoded: Uint8Array): string[] {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  const found: string[] = [];
  for (let at = 0, count = 0; at + 5 <= encoded.byteLength && count < MAX_MODES; at += 5, count++) {
    const opcode = encoded[at];
    if (opcode === 0 || opcode >= FIRST_UNKNOWN) break;
    const value = view.getUint32(at + 1);
    if (Object.hasOwn(CHARACTERS, opcode)) {
      if (value <= DISABLED) found.push(CHARACTERS[opcode], value === DISABLED ? "undef" : `0x${value.toString(16)}`);
    } else if (Object.hasOwn(SWITCHES, opcode)) found.push(value === 0 ? `-${SWITCHES[opcode]}` : SWITCHES[opcode]);
    else if (Object.hasOwn(CHARACTER_SIZES, opcode) && value !== 0) found.push(CHARACTER_SIZES[opcode]);
  }
  return found;
}

/**
 * Takes the modes out of each `pty-req` before ssh2 reads it. They are asked for by the listener of that very request:
 * ssh2 calls it before it reads the next.
 *
 * @returns The modes of the request that was read last, encoded.
 */
export function takeTerminalModes(peer: Ssh2Peer): () => Uint8Array {
  let last: Uint8Array = new Uint8Array(0);
  const protocol = peer._protocol;
  const { _onPayload } = protocol;
  protocol._onPayload = (payload) => {
    const at = modesAt(payload);
    if (at === undefined) return _onPayload(payload);
    last = payload.subarray(at);
    // The length of no modes at all.
    return _onPayload(Buffer.concat([payload.subarray(0, at - 4), Buffer.alloc(4)]));
  };
  return () => last;
}

/** Where the modes begin; nothing if the packet is no well-formed `pty-req`. */
function modesAt(payload: Buffer): number | undefined {
  const nameEnd = KIND_AT + PTY_REQ.byteLength;
  if (payload[0] !== CHANNEL_REQUEST || payload.byteLength < nameEnd + 5 + SIZES + 4) return;
  if (payload.readUInt32BE(KIND_AT - 4) !== PTY_REQ.byteLength) return;
  if (!payload.subarray(KIND_AT, nameEnd).equals(PTY_REQ)) return;
  // After it: whether a reply is wanted, the kind of terminal, the sizes.
  const termAt = nameEnd + 1;
  const at = termAt + 4 + payload.readUInt32BE(termAt) + SIZES + 4;
  if (at > payload.byteLength || payload.readUInt32BE(at - 4) !== payload.byteLength - at) return;
  return at;
}
