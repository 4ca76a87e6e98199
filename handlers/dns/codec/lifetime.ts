/**
 * How long an encoded answer holds, read off its bytes: nothing of it is made into records for that.
 *
 * @module
 */
import { Rcode, Type } from "./types.ts";

const HEADER = 12;
/** Bytes of a question behind its name, and of a record between its name and its data. */
const QUESTION = 4;
const FIXED = 10;
/** A pointer in the place of the rest of a name (RFC 1035 §4.1.4). */
const POINTER = 0xc0;

/**
 * Seconds for which an answer of ours may be kept (RFC 8484 §5.1): the least TTL among its answers; of a denial what its SOA
 * says (RFC 2308 §5); nothing of all else.
 *
 * @param answer A whole message that is known to be good.
 */
export function lifetimeOf(answer: Uint8Array): number | undefined {
  const short = (at: number): number => answer[at] << 8 | answer[at + 1];
  const long = (at: number): number => short(at) * 0x10000 + short(at + 2);
  const rcode = answer[3] & 0xf;
  if (rcode !== Rcode.NOERROR && rcode !== Rcode.NXDOMAIN) return undefined;
  let at = HEADER;
  for (let left = short(4); left > 0; left--) at = behindName(answer, at) + QUESTION;
  const [answers, authority] = [short(6), short(8)];
  let seconds: number | undefined;
  for (let record = 0; record < answers + (answers > 0 ? 0 : authority); record++) {
    const fixed = behindName(answer, at);
    const ttl = long(fixed + 4);
    at = fixed + FIXED + short(fixed + 8);
    if (record < answers) seconds = Math.min(seconds ?? ttl, ttl);
    // The last of the five numbers of its data says how long that something is not there holds.
    else if (short(fixed) === Type.SOA) return Math.min(ttl, long(at - 4));
  }
  return seconds;
}

/** Whether an answer was asked of others: recursion is there for who asked, and no zone of ours is said to have it. */
export function isOfOthers(answer: Uint8Array): boolean {
  return (answer[3] & 0x80) !== 0 && (answer[2] & 0x04) === 0;
}

function behindName(message: Uint8Array, at: number): number {
  for (let position = at;;) {
    const { [position]: octet } = message;
    if (octet === 0) return position + 1;
    if (octet >= POINTER) return position + 2;
    position += 1 + octet;
  }
}
