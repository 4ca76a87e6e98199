/**
 * What is wrong with signed packets.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";

/** What a packet failed at; stable words, which relays answer with. */
export type PkarrFault = "key" | "size" | "signature" | "message" | "names" | "timestamp";

const WORDS: Readonly<Record<PkarrFault, string>> = {
  key: "its key is no public key in z-base-32",
  size: "it has neither 84 bytes at least nor 1072 at most",
  signature: "its signature is none of its key",
  message: "it holds no message of DNS with answers alone",
  names: "a name in it neither is nor ends in its key",
  timestamp: "it is more than a day ahead",
};

/** A packet that is none: `PKARR_INVALID`. */
export class PkarrInvalidError extends AlknetError {
  /** `PkarrInvalidError`. */
  override readonly name = "PkarrInvalidError";
  /** What it failed at. */
  readonly fault: PkarrFault;

  /**
   * Makes one.
   *
   * @param fault What it failed at.
   * @param options Its cause.
   */
  constructor(fault: PkarrFault, options?: ErrorOptions) {
    super("PKARR_INVALID", `a signed packet cannot be used: ${WORDS[fault]}`, options);
    this.fault = fault;
  }
}
