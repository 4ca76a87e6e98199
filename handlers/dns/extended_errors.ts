/**
 * Extended errors (RFC 8914 §4): why an answer is none, for people. Their words are fixed.
 *
 * @module
 */
import { EdnsCode, type EdnsOption } from "./codec/types.ts";

/** A code, and what it means here. */
export type ExtendedError = readonly [code: number, words: string];

/** Those that this node says. */
export const EDE = {
  STALE: [3, "kept from before"],
  CACHED_ERROR: [13, "it failed a moment ago"],
  FILTERED_BY_US: [15, "not answered here"],
  PRIVATE_ADDRESS: [17, "a private address from outside"],
  PROHIBITED: [18, "recursion is not for you"],
  NO_TRANSFER: [18, "this zone is not for you"],
  STALE_NXDOMAIN: [19, "kept from before"],
  NOT_AUTHORITATIVE: [20, "no zone of ours"],
  NOT_SUPPORTED: [21, "no transfers over QUIC"],
  UNREACHABLE: [22, "no upstream can be reached"],
  NETWORK: [23, "no upstream answered"],
} as const;

/** The option of EDNS that says it. */
export function extendedError([code, words]: ExtendedError): EdnsOption {
  const text = new TextEncoder().encode(words);
  return { code: EdnsCode.EXTENDED_ERROR, data: Uint8Array.of(code >>> 8, code & 0xff, ...text) };
}
